/** One text, coloured by each method. */

import { html } from "../../lib/html.js";
import { TokenText } from "../../parts/TokenText.js";
import { CellState } from "./CellState.js";

export function TextCells({ comparison, results, names, scale, made }) {
  const words = (cell) => results[cell.job]?.words?.[0];
  const scores = comparison.cells.flatMap((cell) => words(cell) ?? []).map((word) => Math.abs(word.score));
  const limit = scale === "shared" && scores.length ? Math.max(...scores, 1e-30) : undefined;
  return html`
    <div class="text-cells">
      ${comparison.cells.map(
        (cell, index) => html`
          <section key=${index} aria-label=${names[index]}>
            <h3>${names[index]}</h3>
            ${words(cell)
              ? html`<${TokenText} scores=${words(cell)} text=${made?.input?.text ?? null} limit=${limit} />`
              : html`<${CellState} cell=${cell} />`}
          </section>
        `,
      )}
    </div>
  `;
}
