/** Chooses a method and its parameters: a form made from the catalogue of methods and the model's card. */

import { supportedMethods } from "../lib/catalogue.js";
import { html, useMemo } from "../lib/html.js";
import { useWords } from "../lib/i18n.js";
import { parametersOf } from "../lib/schema.js";
import { ParameterField } from "./ParameterField.js";
import { Prose } from "./Prose.js";

const OPEN = 3; // parameters that are shown at once; a method's own come first in the catalogue

/**
 * @param {{card: object, catalogue: object, name: string, values: object,
 *   onChange: (name: string, values: object) => void}} props values: parameters by name; absent ones are the defaults
 */
export function MethodForm({ card, catalogue, name, values, onChange }) {
  const { t } = useWords();
  const guides = useMemo(() => supportedMethods(card, catalogue), [card, catalogue]);
  const guide = guides.find((one) => one.name === name) ?? guides[0];
  const parameters = useMemo(() => parametersOf(guide), [guide]);
  const set = (parameter, value) => onChange(guide.name, { ...values, [parameter]: value });
  const field = (one) =>
    html`<${ParameterField}
      key=${`${guide.name}.${one.name}`}
      parameter=${one}
      value=${values[one.name]}
      card=${card}
      onChange=${(value) => set(one.name, value)}
    />`;
  const open = Math.max(OPEN, parameters.filter((one) => one.required).length);
  return html`
    <div class="method-form">
      <${MethodSelect} guides=${guides} families=${catalogue.families} guide=${guide} onChange=${onChange} />
      <p class="hint"><${Prose} text=${guide.idea} /></p>
      ${parameters.slice(0, open).map(field)}
      ${parameters.length > open &&
      html`<details>
        <summary>${t("method.more", { count: parameters.length - open })}</summary>
        ${parameters.slice(open).map(field)}
      </details>`}
      <details class="about-method">
        <summary>${t("method.about", { method: guide.title })}</summary>
        <${About} guide=${guide} columns=${catalogue.columns} />
      </details>
    </div>
  `;
}

function MethodSelect({ guides, families, guide, onChange }) {
  const { t } = useWords();
  return html`
    <label class="field">
      <span>${t("method")}</span>
      <select value=${guide.name} onChange=${(event) => onChange(event.target.value, {})}>
        ${Object.entries(families).map(([family, title]) => {
          const members = guides.filter((one) => one.family === family);
          if (!members.length) return null;
          return html`<optgroup key=${family} label=${title}>
            ${members.map((one) => html`<option key=${one.name} value=${one.name}>${one.title}</option>`)}
          </optgroup>`;
        })}
      </select>
    </label>
  `;
}

function About({ guide, columns }) {
  const rows = ["analogy", "typical_results", "when", "when_not", "cost"];
  return html`
    <dl>
      ${rows.map((key) => html`<div key=${key}><dt>${columns[key]}</dt><dd><${Prose} text=${guide[key]} /></dd></div>`)}
      <div>
        <dt>${columns.reference}</dt>
        <dd><a href=${guide.reference_url} rel="noreferrer">${guide.reference}</a></dd>
      </div>
    </dl>
  `;
}
