/** What is compared: methods, classes or models. */

import { html } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";
import { ModelChooser } from "../../parts/ModelChooser.js";
import { Predictions } from "../../parts/Predictions.js";
import { ProblemNote } from "../../parts/ProblemNote.js";
import { Segments } from "../../parts/Segments.js";
import { MethodPicker } from "./MethodPicker.js";
import { AXES, MOST } from "./useSetup.js";

/** @param {{setup: object, catalogue: object, isShown: boolean}} props isShown: else folded, because there is a comparison */
export function Setup({ setup, catalogue, isShown }) {
  const { t } = useWords();
  const { axis, card, cards } = setup;
  const axes = AXES.filter((one) => (one === "models" ? cards.length > 1 : one === "methods" || hasClasses(card)));
  return html`
    <details class="setup" open=${isShown}>
      <summary>${t("compare.what")}</summary>
      <div class="setup-grid">
        <div class="setup-subject">
          ${setup.kind === "image" && html`<img class="setup-picture" src=${setup.input.url} alt=${t("compare.chosen")} />`}
          ${setup.kind === "text" && html`<blockquote>${setup.input.text}</blockquote>`}
          ${axis !== "models" && html`<${ModelChooser} cards=${cards} card=${card} onChange=${setup.chooseModel} />`}
          ${axis === "methods" && html`<${Target} setup=${setup} />`}
        </div>
        <div class="setup-lists">
          ${axes.length > 1 &&
          html`<${Segments}
            label=${t("compare.axis")}
            value=${axis}
            options=${axes.map((value) => ({ value, label: t(`compare.axis.${value}`) }))}
            onChange=${setup.chooseAxis}
          />`}
          ${axis === "targets" && html`<${Targets} setup=${setup} />`}
          ${axis === "models" && html`<${Models} setup=${setup} />`}
          <${MethodPicker}
            card=${card}
            catalogue=${catalogue}
            value=${setup.methods}
            single=${axis !== "methods"}
            onChange=${setup.chooseMethods}
          />
        </div>
      </div>
      <${Action} setup=${setup} />
    </details>
  `;
}

const hasClasses = (card) => card.output.kind !== "regression" && card.output.size > 1;

function Action({ setup }) {
  const { t } = useWords();
  const { count, ready, sending } = setup;
  return html`
    <p class="actions">
      <button type="button" class="primary" disabled=${!ready || sending.busy} onClick=${setup.compare}>
        ${t("compare.start", { count })}
      </button>
      ${count > MOST && html`<span class="warning" role="alert">${t("compare.toomany", { most: MOST })}</span>`}
      ${count === 0 && html`<span class="hint">${t("compare.choose")}</span>`}
    </p>
    ${sending.problem && html`<${ProblemNote} problem=${sending.problem} />`}
  `;
}

function Target({ setup }) {
  const { t } = useWords();
  const { predicted, card } = setup;
  return html`
    ${predicted.problem && html`<${ProblemNote} problem=${predicted.problem} />`}
    ${predicted.busy && html`<p class="faint" role="status">${t("compare.predicting")}</p>`}
    ${predicted.predictions &&
    html`<${Predictions}
      predictions=${predicted.predictions}
      target=${setup.target}
      onChoose=${(index) => setup.chooseTargets([index])}
      output=${card.output}
    />`}
  `;
}

/** Several classes, of those that the model finds likely. */
function Targets({ setup }) {
  const { t } = useWords();
  const { predicted, targets } = setup;
  if (!predicted.predictions) return html`<p class="faint" role="status">${t("compare.predicting")}</p>`;
  const toggle = (index) =>
    setup.chooseTargets(targets.includes(index) ? targets.filter((one) => one !== index) : [...targets, index]);
  return html`
    <fieldset class="choices">
      <legend>${t("compare.targets")}</legend>
      ${predicted.predictions.map(
        (one) => html`
          <label class="check" key=${one.index}>
            <input type="checkbox" checked=${targets.includes(one.index)} onChange=${() => toggle(one.index)} />
            <span>${one.label ?? `#${one.index}`}</span>
          </label>
        `,
      )}
    </fieldset>
  `;
}

function Models({ setup }) {
  const { t } = useWords();
  const { cards, models } = setup;
  const toggle = (name) =>
    setup.chooseModels(models.includes(name) ? models.filter((one) => one !== name) : [...models, name]);
  return html`
    <fieldset class="choices">
      <legend>${t("compare.models")}</legend>
      ${cards.map(
        ({ name }) => html`
          <label class="check" key=${name}>
            <input type="checkbox" checked=${models.includes(name)} onChange=${() => toggle(name)} />
            <span>${name}</span>
          </label>
        `,
      )}
    </fieldset>
  `;
}
