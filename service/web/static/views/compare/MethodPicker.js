/** Chooses methods by family; those that the model does not support are listed with the reason. */

import { html } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";
import { isComparable } from "./useSetup.js";

/**
 * @param {{card: object, catalogue: object, value: string[], single: boolean,
 *   onChange: (names: string[]) => void}} props single: only one method may be chosen
 */
export function MethodPicker({ card, catalogue, value, single, onChange }) {
  const { t } = useWords();
  const support = new Map(card.methods.map((one) => [one.name, one]));
  const guides = catalogue.methods.filter((guide) => support.has(guide.name) && isComparable(guide));
  const usable = guides.filter((guide) => support.get(guide.name).supported);
  const toggle = (name) => {
    if (single) onChange([name]);
    else onChange(value.includes(name) ? value.filter((one) => one !== name) : [...value, name]);
  };
  const chosen = single ? value.slice(0, 1) : value;
  return html`
    ${Object.entries(catalogue.families).map(([family, title]) => {
      const members = usable.filter((guide) => guide.family === family);
      if (!members.length) return null;
      return html`
        <fieldset class="choices" key=${family}>
          <legend>${title}</legend>
          ${members.map(
            (guide) => html`
              <label class="check" key=${`${guide.name} ${single}`} title=${guide.idea}>
                <input
                  type=${single ? "radio" : "checkbox"}
                  name="compared-method"
                  checked=${chosen.includes(guide.name)}
                  onChange=${() => toggle(guide.name)}
                />
                <span>${guide.title}</span>
              </label>
            `,
          )}
        </fieldset>
      `;
    })}
    <${Unsupported} guides=${guides.filter((guide) => !support.get(guide.name).supported)} support=${support} />
    <p class="hint">${t("compare.parameters")}</p>
  `;
}

function Unsupported({ guides, support }) {
  const { t } = useWords();
  if (!guides.length) return null;
  return html`
    <details>
      <summary>${t("compare.unsupported", { count: guides.length })}</summary>
      <dl class="unsupported">
        ${guides.map((guide) => html`<div key=${guide.name}><dt>${guide.title}</dt><dd>${support.get(guide.name).reason}</dd></div>`)}
      </dl>
    </details>
  `;
}
