/** One row of a table: its variables with a bar for each method. */

import { number, signed } from "../../lib/format.js";
import { html, useState } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";
import { CellState } from "./CellState.js";

const SHOWN = 10;

export function FeatureColumns({ comparison, results, names, scale }) {
  const { t, lang } = useWords();
  const [all, setAll] = useState(false);
  const cells = comparison.cells.map((cell, index) => ({ cell, name: names[index], scores: scoresOf(results[cell.job]) }));
  const there = cells.filter((one) => one.scores);
  const limits = there.map((one) => Math.max(...[...one.scores.values()].map(Math.abs), 1e-30));
  const shared = Math.max(...limits, 1e-30);
  const [first] = Object.values(results).filter((result) => result.features);
  const rows = ranked(first?.features[0] ?? [], there, limits);
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label=${t("compare.table")}>
      <table class="feature-columns">
        <thead>
          <tr>
            <th scope="col">${t("features.name")}</th>
            <th scope="col">${t("features.value")}</th>
            ${there.map((one) => html`<th scope="col" key=${one.name}>${one.name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.slice(0, all ? undefined : SHOWN).map(
            (row) => html`
              <tr key=${row.name}>
                <th scope="row">${row.name}</th>
                <td class="feature-value">${number(row.value, lang, 4)}</td>
                ${there.map((one, at) => {
                  const score = one.scores.get(row.name);
                  return html`<${Bar} key=${one.name} score=${score} limit=${scale === "shared" ? shared : limits[at]} />`;
                })}
              </tr>
            `,
          )}
        </tbody>
      </table>
    </div>
    ${rows.length > SHOWN &&
    html`<button type="button" class="quiet" aria-expanded=${all} onClick=${() => setAll(!all)}>
      ${t(all ? "row.fewer" : "row.all", { count: rows.length })}
    </button>`}
    ${cells
      .filter((one) => !one.scores)
      .map((one) => html`<section key=${one.name}><h3>${one.name}</h3><${CellState} cell=${one.cell} /></section>`)}
  `;
}

function Bar({ score, limit }) {
  const { lang } = useWords();
  const width = `${(Math.min(1, Math.abs(score) / limit) * 50).toFixed(2)}%`;
  return html`<td class="feature-bar" title=${signed(score, lang, 4)}>
    <span class=${score >= 0 ? "bar raises" : "bar lowers"} style=${{ width }}></span>
    <span class="visually-hidden">${signed(score, lang)}</span>
  </td>`;
}

const scoresOf = (result) => (result?.features ? new Map(result.features[0].map((one) => [one.name, one.score])) : null);

/** The variables, those first to which some method gives the largest share of its own scale. */
function ranked(features, columns, limits) {
  const strength = (name) => Math.max(...columns.map((one, at) => Math.abs(one.scores.get(name)) / limits[at]), 0);
  return [...features].sort((a, b) => strength(b.name) - strength(a.name));
}
