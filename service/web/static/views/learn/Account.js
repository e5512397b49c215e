/** Completeness as an account: what has been added up, beside what there is to be added up. */

import { html } from "../../lib/html.js";
import { percent, signedTo } from "../../lib/format.js";
import { useWords } from "../../lib/i18n.js";

const MARK = 0.8; // of the bar's width: where the account is closed; the rest shows what is too much

/** @param {{points: object, at: number}} props */
export function Account({ points, at }) {
  const { t, lang } = useWords();
  if (points.baseline_output === null || points.baseline_output === undefined) return null;
  const due = points.input_output - points.baseline_output;
  const sum = points.sums[at];
  const share = due === 0 ? 0 : sum / due;
  const width = 100 * MARK * Math.max(0, Math.min(1 / MARK, share));
  return html`
    <div class="account">
      <h2>${t("learn.path.account")}</h2>
      <div class="account-bar" role="img" aria-label=${t("learn.path.account.alt", { share: percent(share, lang, 0) })}>
        <span style=${{ width: `${width}%` }}></span>
        <i style=${{ left: `${100 * MARK}%` }}></i>
      </div>
      <dl class="timing">
        <div><dt>${t("learn.path.sum")}</dt><dd>${signedTo(sum, lang)}</dd></div>
        <div><dt>${t("learn.path.due")}</dt><dd>${signedTo(due, lang)}</dd></div>
        <div><dt>${t("learn.path.gap")}</dt><dd>${signedTo(due - sum, lang)}</dd></div>
      </dl>
      <p class="hint">${t("learn.path.account.read")}</p>
    </div>
  `;
}
