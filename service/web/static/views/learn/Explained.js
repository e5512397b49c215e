/** What an explanation has come to: its result, its progress, or why there is none and what can be done. */

import { html } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";
import { ProblemNote } from "../../parts/ProblemNote.js";
import { Progress } from "../../parts/Progress.js";

/**
 * @param {{of: object, draw: (result: object) => unknown}} props of: as `useExplanation` gives it; draw: draws a result
 */
export function Explained({ of, draw }) {
  const { t } = useWords();
  if (of.refused !== null) {
    return html`<p class="note">${t("learn.refused")} ${of.refused}</p>`;
  }
  if (of.result) return draw(of.result);
  if (of.problem) return html`<${ProblemNote} problem=${of.problem} onRetry=${of.again} />`;
  if (of.job?.status === "failed") {
    return html`<${ProblemNote} problem=${of.job.error ?? { title: t("learn.failed") }} onRetry=${of.again} />`;
  }
  if (of.job?.status === "cancelled") {
    return html`<p class="note" role="status">${t("learn.cancelled")}</p>
      <button type="button" onClick=${of.again}>${t("again")}</button>`;
  }
  if (!of.wanted) return html`<p class="note">${t("learn.needs")}</p>`;
  return html`<${Progress} job=${of.job} lost=${of.lost} onCancel=${of.id ? of.cancel : undefined} />`;
}
