/** Step 1: the question that an attribution answers. The learner chooses the class to be explained. */

import { html } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";
import { usePredictions } from "../../lib/predictions.js";
import { ModelChooser } from "../../parts/ModelChooser.js";
import { Predictions } from "../../parts/Predictions.js";
import { ProblemNote } from "../../parts/ProblemNote.js";
import { Guess } from "./Guess.js";
import { StepText } from "./Prose.js";

/** @param {{lesson: object}} props */
export function Question({ lesson }) {
  const { t } = useWords();
  const { input, card } = lesson;
  const { predictions, problem, busy } = usePredictions(input, card);
  return html`
    <${StepText} step="question" paragraphs=${2} />
    ${input &&
    html`<div class="pair">
      <figure>
        <img class="plain" src=${input.url} width=${input.width} height=${input.height} alt=${t("learn.picture", { name: input.name })} />
      </figure>
      <div>
        <${ModelChooser} cards=${lesson.cards} card=${card} onChange=${lesson.chooseModel} />
        <h2>${t("learn.question.says")}</h2>
        <div aria-live="polite">${busy && html`<p class="hint">${t("progress.running")}</p>`}</div>
        ${problem && html`<${ProblemNote} problem=${problem} />`}
        ${predictions &&
        html`<${Predictions}
          predictions=${predictions}
          target=${lesson.target}
          onChoose=${lesson.chooseTarget}
          output=${card.output}
        />`}
        <p class="hint">${t("learn.question.class")}</p>
      </div>
    </div>`}
    <${Guess} step="question" right="b" />
  `;
}
