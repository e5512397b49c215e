/** A few choices side by side, of which one holds: radio buttons that look like one control. */

import { html } from "../lib/html.js";

let count = 0;
const names = new Map();

/**
 * @param {{label: string, value: string, options: {value: string, label: string, title?: string}[],
 *   onChange: (value: string) => void, hideLabel?: boolean}} props
 */
export function Segments({ label, value, options, onChange, hideLabel = false }) {
  const group = nameOf(label);
  return html`
    <fieldset class="segments">
      <legend class=${hideLabel ? "visually-hidden" : ""}>${label}</legend>
      <div>
        ${options.map(
          (option) => html`
            <label key=${option.value} title=${option.title}>
              <input
                type="radio"
                name=${group}
                value=${option.value}
                checked=${option.value === value}
                onChange=${() => onChange(option.value)}
              />
              <span>${option.label}</span>
            </label>
          `,
        )}
      </div>
    </fieldset>
  `;
}

function nameOf(label) {
  if (!names.has(label)) names.set(label, `segments-${(count += 1)}`);
  return names.get(label);
}
