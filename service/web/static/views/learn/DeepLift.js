/** Step 6: DeepLIFT's before and after. */

import { html } from "../../lib/html.js";
import { signedTo } from "../../lib/format.js";
import { useWords } from "../../lib/i18n.js";
import { Explained } from "./Explained.js";
import { Guess } from "./Guess.js";
import { LitPicture } from "./LitPicture.js";
import { MapPicture } from "./MapPicture.js";
import { StepText } from "./Prose.js";
import { useExplanation } from "./useExplanation.js";

const STEP = "deeplift";
const METHOD = { name: "deep_lift", baseline: "black" };

/** @param {{lesson: object}} props */
export function DeepLift({ lesson }) {
  const explanation = useExplanation(lesson, STEP, "job", METHOD);
  return html`
    <${StepText} step=${STEP} paragraphs=${2} />
    <${Saturation} />
    <${Guess} step=${STEP} right="c">
      <${Explained} of=${explanation} draw=${(result) => html`<${BeforeAfter} result=${result} />`} />
    <//>
  `;
}

/** A unit that gives min(1, x), at x = 3: the smallest case in which a gradient says nothing. */
function Saturation() {
  const { t } = useWords();
  return html`
    <table class="small-table">
      <caption>${t("learn.deeplift.unit")}</caption>
      <thead>
        <tr><th scope="col">${t("learn.deeplift.method")}</th><th scope="col">${t("learn.deeplift.asks")}</th><th scope="col">${t("learn.deeplift.gives")}</th></tr>
      </thead>
      <tbody>
        <tr><th scope="row">Saliency</th><td>${t("learn.deeplift.slope")}</td><td>0</td></tr>
        <tr><th scope="row">DeepLIFT</th><td>${t("learn.deeplift.difference")}</td><td>1</td></tr>
      </tbody>
    </table>
  `;
}

function BeforeAfter({ result }) {
  const { t, lang } = useWords();
  const account = result.quality?.completeness?.[0];
  const words = account && {
    difference: signedTo(account.outputs_difference, lang),
    sum: signedTo(account.attributions_sum, lang),
  };
  return html`
    <div class="gallery three">
      <figure><${LitPicture} result=${result} alpha=${0} alt=${t("learn.deeplift.before")} /><figcaption>${t("learn.deeplift.before")}</figcaption></figure>
      <figure><${LitPicture} result=${result} alpha=${1} alt=${t("learn.deeplift.after")} /><figcaption>${t("learn.deeplift.after")}</figcaption></figure>
      <${MapPicture} result=${result} title=${t("learn.deeplift.map")} params=${{ style: "heatmap", sign: "all" }} />
    </div>
    ${words && html`<p>${t("learn.deeplift.account", words)}</p>`}
  `;
}
