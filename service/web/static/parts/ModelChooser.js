/** Chooses the model, and says what it does. */

import { html } from "../lib/html.js";
import { useWords } from "../lib/i18n.js";

/** @param {{cards: object[], card: object, onChange: (name: string) => void}} props cards: those that may be chosen */
export function ModelChooser({ cards, card, onChange }) {
  const { t, lang } = useWords();
  const description = card.description?.[lang] ?? card.description?.en;
  return html`
    <div class="model-chooser">
      ${cards.length > 1
        ? html`
            <label class="field">
              <span>${t("model")}</span>
              <select value=${card.name} onChange=${(event) => onChange(event.target.value)}>
                ${cards.map((one) => html`<option key=${one.name} value=${one.name}>${one.name}</option>`)}
              </select>
            </label>
          `
        : html`<p><span class="faint">${t("model")}</span> <strong>${card.name}</strong></p>`}
      ${description && html`<p class="hint">${description}</p>`}
    </div>
  `;
}
