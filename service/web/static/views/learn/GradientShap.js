/** Step 7: Gradient SHAP averages over random points and over baselines. Two draws of few points and two of many against
 * one baseline; then several baselines and their average. */

import { html, useState } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";
import { Segments } from "../../parts/Segments.js";
import { Explained } from "./Explained.js";
import { Guess } from "./Guess.js";
import { MapPicture } from "./MapPicture.js";
import { StepText } from "./Prose.js";
import { SeveralBaselines } from "./SeveralBaselines.js";
import { useExplanation } from "./useExplanation.js";

const STEP = "shap";
const BASELINES = ["blur", "black", "white"];
const FEW = 3;
const MANY = 24;
const DRAWS = [1, 2]; // seeds

/** @param {{lesson: object}} props */
export function GradientShap({ lesson }) {
  const { t } = useWords();
  const offered = BASELINES.filter((name) => lesson.card.baselines.includes(name));
  const [baseline, setBaseline] = useState(offered[0]);
  const options = offered.map((value) => ({ value, label: t(`learn.baseline.${value}`) }));
  return html`
    <${StepText} step=${STEP} paragraphs=${2} />
    <${Guess} step=${STEP} right="a">
      <${Segments} label=${t("learn.shap.baseline")} value=${baseline} options=${options} onChange=${setBaseline} />
      <div class="gallery">
        ${[FEW, MANY].map((count) =>
          DRAWS.map((draw) => html`<${Draw} key=${`${count}-${draw}`} ...${{ lesson, baseline, count, draw }} />`),
        )}
      </div>
      ${offered.length > 1 &&
      html`<${SeveralBaselines} lesson=${lesson} step=${STEP} baselines=${offered} samples=${MANY} />`}
    <//>
  `;
}

function Draw({ lesson, baseline, count, draw }) {
  const { t } = useWords();
  const method = { name: "gradient_shap", baseline, n_samples: count };
  const explanation = useExplanation(lesson, STEP, `${baseline}${count}-${draw}`, method, draw);
  const title = t("learn.shap.draw", { count, draw });
  const look = { style: "heatmap", sign: "absolute" };
  return html`
    <div>
      ${!explanation.result && html`<p><strong>${title}</strong></p>`}
      <${Explained}
        of=${explanation}
        draw=${(result) => html`<${MapPicture} result=${result} title=${title} params=${look} hideWhere />`}
      />
    </div>
  `;
}
