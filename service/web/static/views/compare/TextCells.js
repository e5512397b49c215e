/** One text, coloured by each cell, and the words about which two cells differ most. */

import { html } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";
import { TokenText } from "../../parts/TokenText.js";
import { BarTable, byDifference, limitOf } from "./BarTable.js";
import { CellState } from "./CellState.js";

const SHOWN = 6; // words

const wordsOf = (result) => result?.words?.[0];
const scoresOf = (words) => words.map((word) => word.score);

export function TextCells({ comparison, results, names, scale, made }) {
  const words = (cell) => wordsOf(results[cell.job]);
  const scores = comparison.cells.flatMap((cell) => scoresOf(words(cell) ?? []));
  const limit = scale === "shared" && scores.length ? limitOf(scores) : undefined;
  return html`
    <div class="text-cells">
      ${comparison.cells.map(
        (cell, index) => html`
          <section key=${index} aria-label=${names[index]}>
            <h3>${names[index]}</h3>
            ${words(cell)
              ? html`<${TokenText} scores=${words(cell)} text=${made?.input?.text ?? null} limit=${limit} />`
              : html`<${CellState} cell=${cell} isRead=${results[cell.job] !== undefined} />`}
          </section>
        `,
      )}
    </div>
  `;
}

/** The words about which two cells differ most. */
export function WordDifference({ comparison, results, names }) {
  const { t } = useWords();
  const both = comparison.cells.map((cell) => wordsOf(results[cell.job]));
  if (!both.every(Boolean)) return null;
  const limits = both.map((words) => limitOf(scoresOf(words)));
  const second = new Map(both[1].map((word) => [word.start, word.score]));
  const rows = both[0].map((word) => ({
    key: String(word.start), name: word.text, scores: [word.score, second.get(word.start)],
  })); // prettier-ignore
  return html`
    <h3>${t("difference.words")}</h3>
    <${BarTable}
      label=${t("difference.words")}
      head=${t("difference.word")}
      rows=${byDifference(rows, limits)}
      names=${names}
      limits=${limits}
      shown=${SHOWN}
    />
  `;
}
