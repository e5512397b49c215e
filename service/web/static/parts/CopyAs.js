/** Copies a request as curl or Python, and shows what was copied. */

import { html, useEffect, useRef, useState } from "../lib/html.js";
import { useWords } from "../lib/i18n.js";

const NOTICE_MS = 2_500;

/** @param {{curl: () => string, python: () => string}} props each makes its text when it is asked for */
export function CopyAs({ curl, python }) {
  const { t } = useWords();
  const [shown, setShown] = useState(null); // {name, text, copied}
  const code = useRef(null);
  const copy = async (name, make) => {
    const text = make();
    const copied = await navigator.clipboard?.writeText(text).then(() => true, () => false);
    setShown({ name, text, copied: copied === true });
  };
  useEffect(() => {
    if (!shown) return undefined;
    if (!shown.copied) getSelection().selectAllChildren(code.current);
    const timer = setTimeout(() => setShown((now) => (now === shown ? { ...shown, copied: null } : now)), NOTICE_MS);
    return () => clearTimeout(timer);
  }, [shown?.name, shown?.text]);
  const notice = shown?.copied === true ? t("copy.done") : shown?.copied === false ? t("copy.select") : "";
  return html`
    <div class="copy-as">
      <p class="actions">
        <button type="button" onClick=${() => copy("curl", curl)}>${t("copy.curl")}</button>
        <button type="button" onClick=${() => copy("python", python)}>${t("copy.python")}</button>
        <span class="faint" role="status">${notice}</span>
      </p>
      ${shown &&
      html`<pre tabindex="0" aria-label=${t(`copy.${shown.name}`)}><code ref=${code}>${shown.text}</code></pre>`}
    </div>
  `;
}
