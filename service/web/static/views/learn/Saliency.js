/** Step 2: Saliency's grain beside its smoothed form. One explanation, drawn twice. */

import { html, useState } from "../../lib/html.js";
import { number } from "../../lib/format.js";
import { useWords } from "../../lib/i18n.js";
import { Explained } from "./Explained.js";
import { Guess } from "./Guess.js";
import { MapPicture } from "./MapPicture.js";
import { StepText } from "./Prose.js";
import { useExplanation } from "./useExplanation.js";

const STEP = "saliency";
const METHOD = { name: "saliency" };
const LARGEST_PERCENT = 4; // of the longer side

/** @param {{lesson: object}} props */
export function Saliency({ lesson }) {
  const explanation = useExplanation(lesson, STEP, "job", METHOD);
  return html`
    <${StepText} step=${STEP} paragraphs=${2} />
    <${Guess} step=${STEP} right="c">
      <${Explained} of=${explanation} draw=${(result) => html`<${Grain} result=${result} />`} />
    <//>
  `;
}

function Grain({ result }) {
  const { t, lang } = useWords();
  const [smooth, setSmooth] = useState(2);
  const look = { style: "heatmap" };
  return html`
    <div class="pair even">
      <${MapPicture} result=${result} title=${t("learn.saliency.grain")} params=${{ ...look, smooth: 0 }} />
      <div>
        <${MapPicture}
          result=${result}
          title=${t("learn.saliency.smoothed", { percent: number(smooth, lang) })}
          params=${{ ...look, smooth: smooth / 100 }}
          hideWhere
        />
        <label class="slider">
          <span>${t("learn.saliency.slider")}</span>
          <input
            type="range"
            min="0"
            max=${LARGEST_PERCENT}
            step="0.5"
            value=${smooth}
            aria-valuetext=${`${number(smooth, lang)} %`}
            onInput=${(event) => setSmooth(Number(event.target.value))}
          />
        </label>
      </div>
    </div>
  `;
}
