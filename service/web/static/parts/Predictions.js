/** What the model says, as bars. A class that is clicked becomes the target of the explanation. */

import { percent, number } from "../lib/format.js";
import { html, useState } from "../lib/html.js";
import { useWords } from "../lib/i18n.js";

/**
 * @param {{predictions: {index: number, label: string | null, score: number}[], target: number | null,
 *   onChoose?: (index: number) => void, output: object}} props
 *   target: the index of the explained class, null for the first; output: of the model's card
 */
export function Predictions({ predictions, target, onChoose, output }) {
  const { t, lang } = useWords();
  if (output.kind === "regression" || output.size === 1) {
    return html`<p class="predicted-value">${number(predictions[0].score, lang, 4)}</p>`;
  }
  const chosen = target ?? predictions[0].index;
  const listed = predictions.some((one) => one.index === chosen);
  const bars = listed ? predictions : [...predictions, { index: chosen, label: output.labels?.[chosen], score: null }];
  return html`
    <div class="predictions" role="group" aria-label=${t("predictions.label")}>
      ${bars.map((one) => html`<${Bar} key=${one.index} one=${one} chosen=${one.index === chosen} onChoose=${onChoose} />`)}
    </div>
    ${onChoose && output.size > predictions.length && html`<${OtherClass} output=${output} onChoose=${onChoose} />`}
  `;
}

function Bar({ one, chosen, onChoose }) {
  const { t, lang } = useWords();
  const share = one.score === null ? 0 : Math.max(0, Math.min(1, one.score));
  return html`
    <button
      type="button"
      class="prediction"
      aria-pressed=${chosen}
      disabled=${!onChoose}
      onClick=${() => onChoose(one.index)}
    >
      <span class="prediction-name">${one.label ?? `#${one.index}`}</span>
      <span class="prediction-score">${one.score === null ? t("predictions.low") : percent(one.score, lang)}</span>
      <span class="prediction-bar"><span style=${{ width: `${share * 100}%` }}></span></span>
    </button>
  `;
}

/** Any class of the model, by its name or number. */
function OtherClass({ output, onChoose }) {
  const { t } = useWords();
  const [unknown, setUnknown] = useState(false);
  const choose = (event) => {
    const text = event.target.value.trim();
    if (!text) return;
    const byName = (output.labels ?? []).findIndex((label) => label.toLowerCase() === text.toLowerCase());
    const index = byName >= 0 ? byName : /^\d+$/.test(text) && Number(text) < output.size ? Number(text) : -1;
    setUnknown(index < 0);
    if (index < 0) return;
    event.target.value = "";
    onChoose(index);
  };
  return html`
    <label class="field other-class">
      <span>${t("predictions.other")}</span>
      <input type="text" list="classes" onChange=${choose} placeholder=${output.labels?.[1] ?? "0"} />
      ${unknown && html`<span class="warning" role="alert">${t("predictions.unknown")}</span>`}
    </label>
    <datalist id="classes">
      ${(output.labels ?? []).map((label, index) => html`<option key=${index} value=${label}></option>`)}
    </datalist>
  `;
}
