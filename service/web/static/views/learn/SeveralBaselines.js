/** Gradient SHAP over a set of baselines: the map from each of them, and their average, which is what the method gives. */

import { html, useEffect, useMemo, useRef, useState } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";
import { getNumbers } from "../../lib/npy.js";
import { Explained } from "./Explained.js";
import { MapPicture, ratioOf } from "./MapPicture.js";
import { drawMap, meanMap } from "./mean_map.js";
import { useExplanation } from "./useExplanation.js";

const CANVAS_PIXELS = 640;
const SEED = 1;
const LOOK = { style: "heatmap", sign: "absolute" };

/** @param {{lesson: object, step: string, baselines: string[], samples: number}} props samples: points for each baseline */
export function SeveralBaselines({ lesson, step, baselines, samples }) {
  const { t } = useWords();
  const [results, setResults] = useState({}); // by baseline
  const keep = (name) => (result) => setResults((before) => ({ ...before, [name]: result }));
  const ended = baselines.map((name) => results[name]);
  return html`
    <h2>${t("learn.shap.several")}</h2>
    <p class="learn-prose">${t("learn.shap.several.text", { count: baselines.length, samples })}</p>
    <div class="gallery">
      ${baselines.map((name) => html`<${One} key=${name} ...${{ lesson, step, name, samples }} onResult=${keep(name)} />`)}
      ${ended.every(Boolean) && html`<${Mean} results=${ended} />`}
    </div>
  `;
}

function One({ lesson, step, name, samples, onResult }) {
  const { t } = useWords();
  const method = { name: "gradient_shap", baseline: name, n_samples: samples };
  const explanation = useExplanation(lesson, step, `set-${name}`, method, SEED);
  const { result } = explanation;
  useEffect(() => onResult(result), [result]);
  const title = `${t(`learn.baseline.${name}`)}.`;
  return html`
    <div>
      ${!result && html`<p><strong>${title}</strong></p>`}
      <${Explained}
        of=${explanation}
        draw=${(one) => html`<${MapPicture} result=${one} title=${title} params=${LOOK} note=${t("learn.shap.several.alone")} hideWhere />`}
      />
    </div>
  `;
}

/** The average of the maps, by the browser: of equally many points from each baseline it is the method's own answer. */
function Mean({ results }) {
  const { t } = useWords();
  const canvas = useRef(null);
  const [problem, setProblem] = useState(false);
  const ids = results.map((result) => result.id).join(" ");
  const ratio = useMemo(() => ratioOf(results[0]), [ids]);
  useEffect(() => {
    const stop = new AbortController();
    Promise.all(results.map((result) => getNumbers(result.id, { signal: stop.signal })))
      .then((tensors) => drawMap(canvas.current, meanMap(tensors)))
      .catch(() => stop.signal.aborted || setProblem(true));
    return () => stop.abort();
  }, [ids]);
  const title = t("learn.shap.several.mean", { count: results.length });
  return html`
    <figure class="map">
      <canvas
        ref=${canvas}
        class="plain"
        width=${CANVAS_PIXELS}
        height=${Math.round(CANVAS_PIXELS / ratio)}
        role="img"
        aria-label=${title}
      ></canvas>
      <figcaption><strong>${title}</strong> ${problem ? t("learn.failed") : t("learn.shap.several.note")}</figcaption>
    </figure>
  `;
}
