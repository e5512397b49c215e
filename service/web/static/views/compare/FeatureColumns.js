/** One row of a table: its variables with a bar for each cell. */

import { html } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";
import { BarTable, byDifference, byStrength, limitOf } from "./BarTable.js";
import { CellState } from "./CellState.js";

const SHOWN = 10;

/** @param {{isPair?: boolean}} props as `Comparison` passes them; isPair: begin with what two cells differ about most */
export function FeatureColumns({ comparison, results, names, scale, isPair = false }) {
  const { t } = useWords();
  const cells = comparison.cells.map((cell, index) => ({ cell, name: names[index], result: results[cell.job] }));
  const there = cells.filter((one) => one.result?.features);
  const scores = there.map(({ result }) => new Map(result.features[0].map((one) => [one.name, one.score])));
  const own = scores.map((one) => limitOf(one.values()));
  const limits = scale === "shared" ? own.map(() => limitOf(own)) : own;
  const rows = (there[0]?.result.features[0] ?? []).map(({ name, value }) => ({
    key: name, name, value, scores: scores.map((one) => one.get(name)),
  })); // prettier-ignore
  const label = t(isPair ? "difference.variables" : "compare.table");
  return html`
    ${isPair && html`<h3>${label}</h3>`}
    ${there.length > 0 &&
    html`<${BarTable}
      label=${label}
      head=${t("features.name")}
      rows=${(isPair ? byDifference : byStrength)(rows, limits)}
      names=${there.map((one) => one.name)}
      limits=${limits}
      shown=${SHOWN}
    />`}
    ${cells
      .filter((one) => !one.result?.features)
      .map(
        ({ cell, name, result }) => html`
          <section key=${name}>
            <h3>${name}</h3>
            <${CellState} cell=${cell} isRead=${result !== undefined} />
          </section>
        `,
      )}
  `;
}
