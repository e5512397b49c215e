/** Which metrics of the explanation's quality are computed with it. */

import { html } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";

/** As `quality` of a request names them; completeness comes with every method that guarantees it. */
export const METRICS = ["deletion_insertion", "infidelity", "sensitivity_max"];

/** @param {{value: string[], onChange: (value: string[]) => void}} props */
export function QualityChoice({ value, onChange }) {
  const { t } = useWords();
  const toggle = (name) => onChange(value.includes(name) ? value.filter((one) => one !== name) : [...value, name]);
  return html`
    <details>
      <summary>${t("quality.choose")}</summary>
      ${METRICS.map(
        (name) => html`
          <label class="check quality-choice" key=${name}>
            <input type="checkbox" checked=${value.includes(name)} onChange=${() => toggle(name)} />
            <span>${t(`quality.${name}`)} <span class="hint">${t(`quality.${name}.what`)}</span></span>
          </label>
        `,
      )}
    </details>
  `;
}
