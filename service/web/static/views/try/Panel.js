/** What is asked: the model, its predictions with the class to explain, the method, and the button. */

import { html } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";
import { hasEnded } from "../../lib/watch.js";
import { MethodForm } from "../../parts/MethodForm.js";
import { ModelChooser } from "../../parts/ModelChooser.js";
import { Predictions } from "../../parts/Predictions.js";
import { ProblemNote } from "../../parts/ProblemNote.js";
import { Progress } from "../../parts/Progress.js";
import { QualityChoice } from "./QualityChoice.js";

export default function Panel({ trial, cards, catalogue }) {
  const { t } = useWords();
  const { card, input, guide } = trial;
  return html`
    <div class="panel">
      <${ModelChooser} cards=${cards} card=${card} onChange=${trial.chooseModel} />
      <${Says} trial=${trial} />
      ${guide &&
      html`
        <h2>${t("try.how")}</h2>
        <${MethodForm}
          card=${card}
          catalogue=${catalogue}
          name=${guide.name}
          values=${trial.form.values}
          onChange=${trial.chooseMethod}
        />
        <${QualityChoice} value=${trial.quality} onChange=${trial.chooseQuality} />
        <div class="action"><${Action} trial=${trial} /></div>
        ${input === null && html`<p class="hint">${t(`try.restored.${trial.kind}`)}</p>`}
      `}
    </div>
  `;
}

function Says({ trial }) {
  const { t } = useWords();
  const { predicted, follow, card, input } = trial;
  const predictions = input === null ? follow.result?.predictions[0] : predicted.predictions;
  return html`
    <h2>${t("try.says")}</h2>
    ${predicted.problem && html`<${ProblemNote} problem=${predicted.problem} />`}
    ${predicted.busy && html`<p class="faint" role="status">${t("try.predicting")}</p>`}
    ${predictions &&
    html`
      <${Predictions}
        predictions=${predictions}
        target=${trial.target}
        onChoose=${input === null ? undefined : trial.chooseTarget}
        output=${card.output}
      />
    `}
  `;
}

function Action({ trial }) {
  const { t } = useWords();
  const { follow, sending, id } = trial;
  const { job, problem, lost } = follow;
  const running = id !== null && !problem && (job === null || !hasEnded(job));
  if (sending.busy || running) {
    return html`<${Progress} job=${job} lost=${lost} onCancel=${running ? trial.cancel : undefined} />`;
  }
  const failure = sending.problem ?? problem ?? job?.error;
  return html`
    <p class="actions">
      <button type="button" class="primary" disabled=${trial.input === null} onClick=${trial.explain}>
        ${t("try.explain")}
      </button>
    </p>
    ${job?.status === "cancelled" && html`<p role="status">${t("try.cancelled")}</p>`}
    ${failure && job?.status !== "cancelled" && html`<${ProblemNote} problem=${failure} />`}
  `;
}
