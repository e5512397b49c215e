/** Step 5: Grad-CAM from an early layer to the last. */

import { html, useState } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";
import { Explained } from "./Explained.js";
import { Guess } from "./Guess.js";
import { handful } from "./layers.js";
import { MapPicture } from "./MapPicture.js";
import { StepText } from "./Prose.js";
import { useExplanation } from "./useExplanation.js";

const STEP = "layers";

/** @param {{lesson: object}} props */
export function GradCam({ lesson }) {
  const { t } = useWords();
  const layers = handful(lesson.card);
  return html`
    <${StepText} step=${STEP} paragraphs=${2} />
    <${Guess} step=${STEP} right="a">
      ${layers.length > 0
        ? html`<${ByLayer} lesson=${lesson} layers=${layers} />`
        : html`<p class="note">${t("learn.layers.none")}</p>`}
    <//>
  `;
}

function ByLayer({ lesson, layers }) {
  const { t } = useWords();
  const [at, setAt] = useState(layers.length - 1);
  const layer = layers[at];
  const slot = at === layers.length - 1 ? "job" : `layer${at}`;
  const explanation = useExplanation(lesson, STEP, slot, { name: "layer_grad_cam", layer: layer.name });
  const [channels, rows, columns] = layer.output_shape;
  const words = { layer: layer.name, at: at + 1, all: layers.length, channels, rows, columns };
  return html`
    <label class="slider narrow">
      <span>${t("learn.layers.slider")} <strong>${t("learn.layers.at", words)}</strong></span>
      <input
        type="range"
        min="0"
        max=${layers.length - 1}
        step="1"
        value=${at}
        aria-label=${t("learn.layers.slider")}
        aria-valuetext=${t("learn.layers.at", words)}
        onInput=${(event) => setAt(Number(event.target.value))}
      />
      <span class="ends hint"><span>${t("learn.layers.early")}</span><span>${t("learn.layers.late")}</span></span>
    </label>
    <div class="narrow stays">
      <${Explained}
        of=${explanation}
        draw=${(result) => html`<${MapPicture}
          result=${result}
          title=${t("learn.layers.map", words)}
          params=${{ style: "blend", sign: "positive" }}
          note=${t("learn.layers.grid", words)}
        />`}
      />
    </div>
  `;
}
