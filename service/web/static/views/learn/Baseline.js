/** Step 4: the same method and picture from four baselines. */

import { html } from "../../lib/html.js";
import { signedTo } from "../../lib/format.js";
import { useWords } from "../../lib/i18n.js";
import { Explained } from "./Explained.js";
import { Guess } from "./Guess.js";
import { MapPicture } from "./MapPicture.js";
import { StepText } from "./Prose.js";
import { useExplanation } from "./useExplanation.js";

const STEP = "baseline";
const BASELINES = ["black", "white", "mean", "blur"];

/** @param {{lesson: object}} props */
export function Baseline({ lesson }) {
  return html`
    <${StepText} step=${STEP} paragraphs=${2} />
    <${Guess} step=${STEP} right="b">
      <div class="gallery">
        ${BASELINES.map((name) => html`<${One} key=${name} lesson=${lesson} name=${name} />`)}
      </div>
    <//>
  `;
}

function One({ lesson, name }) {
  const { t, lang } = useWords();
  const offered = lesson.card.baselines.includes(name);
  const method = offered ? { name: "integrated_gradients", baseline: name, n_steps: "auto" } : null;
  const explanation = useExplanation(lesson, STEP, name, method);
  const title = `${t(`learn.baseline.${name}`)}.`;
  if (!offered) return html`<p class="note"><strong>${title}</strong> ${t("learn.baseline.none")}</p>`;
  const draw = (result) => {
    const account = result.quality?.completeness?.[0];
    const note = account && t("learn.baseline.rise", { rise: signedTo(account.outputs_difference, lang) });
    return html`<${MapPicture} result=${result} title=${title} params=${{ style: "heatmap", sign: "absolute" }} note=${note} hideWhere />`;
  };
  return html`
    <div>
      ${!explanation.result && html`<p><strong>${title}</strong></p>`}
      <${Explained} of=${explanation} draw=${draw} />
    </div>
  `;
}
