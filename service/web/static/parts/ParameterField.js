/** One parameter of a method as a field of the form. */

import { html, useState } from "../lib/html.js";
import { useWords } from "../lib/i18n.js";
import { MaskField } from "./MaskField.js";
import { Prose } from "./Prose.js";

const FIELDS = {
  number: NumberField,
  boolean: SwitchField,
  choice: ChoiceField,
  layer: LayerField,
  baseline: BaselineField,
  mask: MaskField,
  json: JsonField,
};

/**
 * @param {{parameter: import("../lib/schema.js").Parameter, value: unknown, card: object,
 *   onChange: (value: unknown) => void}} props value: undefined for the default
 */
export function ParameterField({ parameter, value, card, onChange }) {
  const Field = FIELDS[parameter.kind];
  const id = `parameter-${parameter.name}`;
  return html`
    <div class=${`field parameter parameter-${parameter.kind}`}>
      <label for=${id}><code>${parameter.name}</code></label>
      <${Field} id=${id} parameter=${parameter} value=${value} card=${card} onChange=${onChange} />
      <p class="hint" id=${`${id}-hint`}><${Prose} text=${parameter.description} /></p>
    </div>
  `;
}

function NumberField({ id, parameter, value, onChange }) {
  const { integer, min, max, words } = parameter.number;
  const shown = value === undefined ? parameter.fallback : value;
  const [word] = words;
  const change = (event) => {
    const typed = event.target.valueAsNumber;
    onChange(Number.isFinite(typed) ? typed : undefined);
  };
  return html`
    <div class="number-field">
      <input
        id=${id}
        type="number"
        min=${min}
        max=${max}
        step=${integer ? 1 : "any"}
        value=${typeof shown === "number" ? shown : ""}
        disabled=${word !== undefined && shown === word}
        aria-describedby=${`${id}-hint`}
        onInput=${change}
      />
      ${word !== undefined &&
      html`<label class="check">
        <input
          type="checkbox"
          checked=${shown === word}
          onChange=${(event) => onChange(event.target.checked ? word : undefined)}
        />
        <span>${word}</span>
      </label>`}
    </div>
  `;
}

function SwitchField({ id, parameter, value, onChange }) {
  return html`
    <input
      id=${id}
      type="checkbox"
      checked=${value ?? parameter.fallback}
      aria-describedby=${`${id}-hint`}
      onChange=${(event) => onChange(event.target.checked)}
    />
  `;
}

function ChoiceField({ id, parameter, value, onChange }) {
  return html`
    <select
      id=${id}
      value=${value ?? parameter.fallback}
      aria-describedby=${`${id}-hint`}
      onChange=${(event) => onChange(event.target.value)}
    >
      ${parameter.options.map((option) => html`<option key=${option} value=${option}>${option}</option>`)}
    </select>
  `;
}

function LayerField({ id, value, card, onChange }) {
  const { t } = useWords();
  const first = card.defaults?.layer;
  const shape = (layer) => (layer.output_shape ? ` · ${layer.output_shape.join("×")}` : "");
  return html`
    <select
      id=${id}
      value=${value ?? ""}
      aria-describedby=${`${id}-hint`}
      onChange=${(event) => onChange(event.target.value || undefined)}
    >
      <option value="">${first ? t("default.named", { name: first }) : t("default.layer")}</option>
      ${card.layers.map(
        (layer) => html`<option key=${layer.name} value=${layer.name} disabled=${layer.refused !== null}>
          ${layer.name} · ${layer.type}${shape(layer)}
        </option>`,
      )}
    </select>
  `;
}

function BaselineField({ id, value, card, onChange }) {
  const { t } = useWords();
  return html`
    <select
      id=${id}
      value=${value ?? ""}
      aria-describedby=${`${id}-hint`}
      onChange=${(event) => onChange(event.target.value || undefined)}
    >
      <option value="">${t("default.card")}</option>
      ${card.baselines.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
    </select>
  `;
}

/** Anything else, such as a list of numbers, as JSON. */
function JsonField({ id, value, onChange }) {
  const { t } = useWords();
  const [wrong, setWrong] = useState(false);
  const change = (event) => {
    const text = event.target.value.trim();
    try {
      onChange(text === "" ? undefined : JSON.parse(text));
      setWrong(false);
    } catch {
      setWrong(true);
    }
  };
  return html`
    <input
      id=${id}
      type="text"
      value=${value === undefined ? "" : JSON.stringify(value)}
      placeholder="JSON: 3, [3, 15, 15]"
      aria-describedby=${`${id}-hint`}
      aria-invalid=${wrong}
      onChange=${change}
    />
    ${wrong && html`<span class="warning" role="alert">${t("json.wrong")}</span>`}
  `;
}
