/** Chooses the model, and says what it does. */

import { seconds } from "../lib/format.js";
import { html } from "../lib/html.js";
import { useWords } from "../lib/i18n.js";

/** What to expect of a model that no worker holds now. */
const asleep = (card, t, lang) =>
  card.start_s ? t("models.asleep.about", { time: seconds(card.start_s, lang) }) : t("models.asleep");

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
      ${card.status === "asleep" && html`<p class="hint" role="status">${asleep(card, t, lang)}</p>`}
    </div>
  `;
}
