/** Takes a text, typed or one of the samples. */

import { html, useEffect, useState } from "../lib/html.js";
import { useWords } from "../lib/i18n.js";
import { samples } from "../lib/samples.js";

const MAX_CHARS = 20_000; // the service's own bound
const PAUSE_MS = 500; // of typing, before the text counts

/** @param {{value: object | null, onChange: (input: object | null) => void}} props */
export function TextEditor({ value, onChange }) {
  const { t, lang } = useWords();
  const [text, setText] = useState(value?.text ?? "");
  const [texts, setTexts] = useState([]);
  useEffect(() => {
    samples().then((all) => setTexts(all.texts[lang]), () => setTexts([]));
  }, [lang]);
  const isKept = text.trim() === (value?.text ?? "");
  const commit = () => !isKept && onChange(text.trim() ? { kind: "text", text: text.trim() } : null);
  useEffect(() => {
    if (isKept) return undefined;
    const timer = setTimeout(commit, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  useEffect(() => {
    if (value && value.text !== text.trim()) setText(value.text);
  }, [value]);
  const use = (sample) => {
    setText(sample);
    onChange({ kind: "text", text: sample });
  };
  return html`
    <label class="field">
      <span>${t("text.label")}</span>
      <textarea rows="3" maxlength=${MAX_CHARS} value=${text} onInput=${(event) => setText(event.target.value)} onChange=${commit} />
    </label>
    <div class="samples" role="group" aria-label=${t("samples")}>
      ${texts.map((sample) => html`<button type="button" class="quiet" onClick=${() => use(sample)}>${sample}</button>`)}
    </div>
  `;
}
