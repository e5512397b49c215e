/** What counts as one feature: rectangles or regions of a picture, tokens or words of a text. */

import { inputKind } from "../lib/catalogue.js";
import { html } from "../lib/html.js";
import { useWords } from "../lib/i18n.js";

const FORMS = { image: ["grid", "superpixels"], text: ["tokens", "words"], features: [] };
const FIRST = { grid: { grid: [8, 8] }, superpixels: { superpixels: 50 }, tokens: "tokens", words: "words" };
const BOUNDS = { grid: [1, 64], superpixels: [2, 1000] };

/** @param {{id: string, value: unknown, card: object, onChange: (value: unknown) => void}} props */
export function MaskField({ id, value, card, onChange }) {
  const { t } = useWords();
  const form = formOf(value);
  return html`
    <div class="number-field">
      <select
        id=${id}
        value=${form}
        aria-describedby=${`${id}-hint`}
        onChange=${(event) => onChange(FIRST[event.target.value])}
      >
        <option value="">${t("default.mask")}</option>
        ${FORMS[inputKind(card)].map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
      </select>
      ${form === "grid" &&
      [0, 1].map(
        (place) => html`<${Count}
          key=${place}
          label=${t(place === 0 ? "mask.rows" : "mask.columns")}
          bounds=${BOUNDS.grid}
          value=${value.grid[place]}
          onChange=${(count) => onChange({ grid: value.grid.map((old, index) => (index === place ? count : old)) })}
        />`,
      )}
      ${form === "superpixels" &&
      html`<${Count}
        label=${t("mask.regions")}
        bounds=${BOUNDS.superpixels}
        value=${value.superpixels}
        onChange=${(count) => onChange({ superpixels: count })}
      />`}
    </div>
  `;
}

function Count({ label, bounds: [min, max], value, onChange }) {
  const change = (event) => {
    const typed = event.target.valueAsNumber;
    if (Number.isInteger(typed) && typed >= min && typed <= max) onChange(typed);
  };
  return html`<input type="number" aria-label=${label} title=${label} min=${min} max=${max} value=${value} onInput=${change} />`;
}

function formOf(value) {
  if (typeof value === "string") return value;
  return value && typeof value === "object" ? Object.keys(value)[0] : "";
}
