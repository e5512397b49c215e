/** How far the cells agree: a matrix of all pairs, and one pair side by side. */

import { fixed } from "../../lib/format.js";
import { html, useState } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";
import { Segments } from "../../parts/Segments.js";
import { Pair } from "./Pair.js";

const FIGURES = ["spearman", "strongest_tenth", "signs"];

export function Agreement(props) {
  const { t } = useWords();
  const { comparison } = props;
  const [figure, setFigure] = useState(FIGURES[0]);
  const [pair, setPair] = useState(null);
  if (!comparison.agreement?.length) return html`<p class="hint">${t("agreement.none")}</p>`;
  return html`
    <h2>${t("agreement.title")}</h2>
    <${Segments}
      label=${t("agreement.figure")}
      value=${figure}
      options=${FIGURES.map((value) => ({ value, label: t(`agreement.${value}`) }))}
      onChange=${setFigure}
    />
    <p class="hint">${t(`agreement.${figure}.read`)}</p>
    <${Matrix} ...${props} figure=${figure} pair=${pair} onPair=${setPair} />
    <p class="hint">${t("agreement.meaning")}</p>
    ${pair && html`<${Pair} ...${props} pair=${pair} onClose=${() => setPair(null)} />`}
  `;
}

function Matrix({ comparison, names, figure, pair, onPair }) {
  const { t } = useWords();
  const entries = new Map(comparison.agreement.map((entry) => [entry.cells.join(), entry]));
  const compared = [...new Set(comparison.agreement.flatMap((entry) => entry.cells))].sort((a, b) => a - b);
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label=${t("agreement.title")}>
      <table class="matrix">
        <thead>
          <tr>
            <td></td>
            ${compared.map((cell, at) => html`<th scope="col" key=${cell}><abbr title=${names[cell]}>${at + 1}</abbr></th>`)}
          </tr>
        </thead>
        <tbody>
          ${compared.map(
            (row, at) => html`
              <tr key=${row}>
                <th scope="row"><span class="faint">${at + 1}</span> ${names[row]}</th>
                ${compared.map((column) => {
                  const cells = [Math.min(row, column), Math.max(row, column)];
                  const entry = entries.get(cells.join());
                  if (row === column) return html`<td key=${column} class="same"></td>`;
                  if (!entry) return html`<td key=${column}>–</td>`;
                  const isShown = pair?.join() === cells.join();
                  const label = t("agreement.pair", { first: names[row], second: names[column] });
                  return html`<td key=${column}>
                    <${Figure} value=${entry[figure]} label=${label} isShown=${isShown} onClick=${() => onPair(cells)} />
                  </td>`;
                })}
              </tr>
            `,
          )}
        </tbody>
      </table>
    </div>
  `;
}

function Figure({ value, label, isShown, onClick }) {
  const { t, lang } = useWords();
  const shown = value === null ? t("agreement.undefined") : fixed(value, lang);
  const strength = value === null ? 0 : Math.max(0, Math.min(1, value));
  return html`
    <button
      type="button"
      class="figure"
      style=${{ "--strength": strength }}
      aria-pressed=${isShown}
      aria-label=${`${label}: ${shown}`}
      onClick=${onClick}
    >
      ${shown}
    </button>
  `;
}
