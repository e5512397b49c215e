/** A comparison: its progress, its cells, their agreement, and what one may take away. */

import { cancelComparison } from "../../lib/api.js";
import { html, useMemo, useState } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";
import { hasEnded } from "../../lib/watch.js";
import { Progress } from "../../parts/Progress.js";
import { Segments } from "../../parts/Segments.js";
import { Agreement } from "./Agreement.js";
import { cellNames, commonNames } from "./cell_names.js";
import { Export } from "./Export.js";
import { FeatureColumns } from "./FeatureColumns.js";
import { PictureCells } from "./PictureCells.js";
import { TextCells } from "./TextCells.js";
import { useMaps } from "./useComparison.js";

const SCALES = ["own", "shared"];
const VIEWS = { image: PictureCells, text: TextCells, features: FeatureColumns };

/** @param {{follow: object, made: object | null, catalogue: object, kind?: string}} props */
export function Comparison({ follow, made, catalogue, kind }) {
  const { t } = useWords();
  const [scale, setScale] = useState("own");
  const { comparison, results, lost } = follow;
  const names = useMemo(() => cellNames(comparison, catalogue), [comparison, catalogue]);
  const maps = useMaps(kind === "text" || kind === "features" ? null : comparison);
  const Cells = VIEWS[kind] ?? PictureCells;
  const ended = hasEnded(comparison);
  const hasResults = comparison.cells.some((cell) => cell.status === "succeeded");
  const shown = { comparison, results, names, maps, scale, made };
  return html`
    <section class="comparison" aria-labelledby="comparison-title">
      <h2 id="comparison-title">${titleOf(comparison, results, t)}</h2>
      <p class="hint">${commonNames(comparison, catalogue).join(" · ")}</p>
      ${!ended &&
      html`<${Progress}
        job=${comparison}
        lost=${lost}
        onCancel=${() => cancelComparison(comparison.id).catch(() => {})}
      />`}
      <div class="scale-choice">
        <${Segments}
          label=${t("compare.scale")}
          value=${scale}
          options=${SCALES.map((value) => ({ value, label: t(`compare.scale.${value}`) }))}
          onChange=${setScale}
        />
        <p class="hint">${t(`compare.scale.${scale}.read`)}</p>
      </div>
      <${Cells} ...${shown} />
      ${ended && hasResults && html`<${Agreement} ...${shown} kind=${kind} />`}
      ${ended && html`<${Export} ...${shown} catalogue=${catalogue} />`}
    </section>
  `;
}

/** What is explained: the class, if it is one for all cells. */
function titleOf(comparison, results, t) {
  const targets = comparison.cells.map((cell) => cell.target?.[0]).filter(Boolean);
  const labels = new Set(targets.map((target) => target.label ?? `#${target.index}`));
  const models = new Set(comparison.cells.map((cell) => cell.model));
  const isNamed = targets.every((target) => target.label); // numbers of two models' classes mean different things
  if (labels.size !== 1 || (models.size !== 1 && !isNamed)) return t("compare.result");
  const [label] = labels;
  const [result] = Object.values(results);
  const isClass = result && result.predictions[0].length > 1;
  return isClass ? t("compare.why", { target: label }) : t("compare.result");
}
