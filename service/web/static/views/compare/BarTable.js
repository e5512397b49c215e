/**
 * Named parts of an input, one row each, with a bar for each cell: side by side, or on a phone one below the other. Roles
 * are written out, because browsers drop those of a table that is laid out otherwise.
 */

import { number, signed } from "../../lib/format.js";
import { html, useState } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";

/**
 * @typedef {{key: string, name: string, value?: number, scores: (number | undefined)[]}} Row
 * @param {{label: string, head: string, rows: Row[], names: string[], limits: number[], shown: number}} props
 *   names and limits: of the cells; limit: the score of a bar of full length; shown: rows, before the others are asked for
 */
export function BarTable({ label, head, rows, names, limits, shown }) {
  const { t, lang } = useWords();
  const [all, setAll] = useState(false);
  const hasValues = rows.some((row) => row.value !== undefined);
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label=${label}>
      <table class="bar-table" role="table">
        <thead role="rowgroup">
          <tr role="row">
            <th scope="col" role="columnheader">${head}</th>
            ${hasValues && html`<th scope="col" role="columnheader" class="feature-value">${t("features.value")}</th>`}
            ${names.map((name, at) => html`<th scope="col" role="columnheader" class="bar-head" key=${at}>${name}</th>`)}
          </tr>
        </thead>
        <tbody role="rowgroup">
          ${rows.slice(0, all ? undefined : shown).map(
            (row) => html`
              <tr key=${row.key} role="row">
                <th scope="row" role="rowheader">${row.name}</th>
                ${hasValues && html`<td role="cell" class="feature-value">${number(row.value, lang, 4)}</td>`}
                ${row.scores.map((score, at) => html`<${Bar} key=${at} name=${names[at]} score=${score} limit=${limits[at]} />`)}
              </tr>
            `,
          )}
        </tbody>
      </table>
    </div>
    ${rows.length > shown &&
    html`<button type="button" class="quiet" aria-expanded=${all} onClick=${() => setAll(!all)}>
      ${t(all ? "row.fewer" : "row.all", { count: rows.length })}
    </button>`}
  `;
}

function Bar({ name, score, limit }) {
  const { lang } = useWords();
  if (score === undefined) return html`<td role="cell" class="bar-cell">–</td>`;
  const width = `${(Math.min(1, Math.abs(score) / limit) * 50).toFixed(2)}%`;
  return html`<td role="cell" class="bar-cell" title=${signed(score, lang, 4)}>
    <span class="bar-name" aria-hidden="true">${name}</span>
    <span class="bar-track"><span class=${score >= 0 ? "bar raises" : "bar lowers"} style=${{ width }}></span></span>
    <span class="visually-hidden">${signed(score, lang)}</span>
  </td>`;
}

/** The largest magnitude, above 0. @param {Iterable<number>} scores */
export const limitOf = (scores) => Math.max(...[...scores].map(Math.abs), 1e-30);

/**
 * Those rows first to which some cell gives the largest share of its own scale.
 * @param {Row[]} rows
 * @param {number[]} limits
 */
export function byStrength(rows, limits) {
  return sorted(rows, ({ scores }) => Math.max(...scores.map((score, at) => Math.abs(score ?? 0) / limits[at])));
}

/** Those rows first about which the first two cells differ most, each on its own scale. */
export function byDifference(rows, limits) {
  return sorted(rows, ({ scores }) => Math.abs((scores[0] ?? 0) / limits[0] - (scores[1] ?? 0) / limits[1]));
}

const sorted = (rows, weight) => [...rows].sort((a, b) => weight(b) - weight(a));
