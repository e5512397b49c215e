/** Says what went wrong, in the service's own words, and offers to try again where that may help. */

import { html } from "../lib/html.js";
import { useWords } from "../lib/i18n.js";

/**
 * @param {{problem: {title?: string, detail?: string, message?: string, errors?: object[], retryAfterS?: number},
 *   onRetry?: () => void}} props problem: an `ApiProblem`, the `error` of a job, or any exception
 */
export function ProblemNote({ problem, onRetry }) {
  const { t } = useWords();
  const title = problem.title ?? t("problem.unexpected");
  const detail = problem.detail ?? problem.message;
  const fields = (problem.errors ?? []).filter((error) => !detail?.includes(error.msg));
  return html`
    <div class="problem" role="alert">
      <p><strong>${title}</strong></p>
      ${detail && detail !== title && html`<p>${detail}</p>`}
      ${fields.length > 0 &&
      html`<ul>${fields.map((error) => html`<li><code>${error.loc.join(".")}</code>: ${error.msg}</li>`)}</ul>`}
      ${problem.retryAfterS > 0 && html`<p>${t("problem.after", { seconds: problem.retryAfterS })}</p>`}
      ${onRetry && html`<button type="button" onClick=${onRetry}>${t("again")}</button>`}
    </div>
  `;
}
