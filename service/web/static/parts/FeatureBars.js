/** The columns of a row as bars from zero, the strongest first: what raises the output goes right, what lowers it left. */

import { number, signed } from "../lib/format.js";
import { html, useState } from "../lib/html.js";
import { useWords } from "../lib/i18n.js";

const SHOWN = 10; // columns, before the others are asked for

/** @param {{scores: {name: string, value: number, score: number}[], limit?: number}} props limit: of a shared scale */
export function FeatureBars({ scores, limit }) {
  const { t, lang } = useWords();
  const [all, setAll] = useState(false);
  const sorted = [...scores].sort((a, b) => Math.abs(b.score) - Math.abs(a.score));
  const largest = limit ?? Math.max(...sorted.map((one) => Math.abs(one.score)), 1e-30);
  return html`
    <table class="feature-bars">
      <thead>
        <tr>
          <th scope="col">${t("features.name")}</th>
          <th scope="col">${t("features.value")}</th>
          <th scope="col" class="feature-bar-head">${t("features.score")}</th>
        </tr>
      </thead>
      <tbody>
        ${sorted.slice(0, all ? undefined : SHOWN).map(
          (one) => html`
            <tr key=${one.name}>
              <th scope="row">${one.name}</th>
              <td class="feature-value">${number(one.value, lang, 4)}</td>
              <td class="feature-bar">
                <span
                  class=${one.score >= 0 ? "bar raises" : "bar lowers"}
                  style=${{ width: `${(Math.min(1, Math.abs(one.score) / largest) * 50).toFixed(2)}%` }}
                ></span>
                <span class="feature-score">${signed(one.score, lang)}</span>
              </td>
            </tr>
          `,
        )}
      </tbody>
    </table>
    ${sorted.length > SHOWN &&
    html`<button type="button" class="quiet" aria-expanded=${all} onClick=${() => setAll(!all)}>
      ${t(all ? "row.fewer" : "row.all", { count: sorted.length })}
    </button>`}
  `;
}
