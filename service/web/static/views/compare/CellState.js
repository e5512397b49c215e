/** A cell that has no result, yet or at all: what it waits for, or why. */

import { html } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";

/** @param {{cell: object, isRead?: boolean}} props isRead: the cell's result, if it has one, has been read */
export function CellState({ cell, isRead = true }) {
  const { t } = useWords();
  const { status, error } = cell;
  if (status === "queued" || status === "running") {
    return html`<p class="cell-state faint" role="status">${t(`compare.cell.${status}`)}</p>`;
  }
  if (status === "succeeded" && !isRead) {
    return html`<p class="cell-state faint" role="status">${t("compare.cell.reading")}</p>`;
  }
  return html`
    <div class="cell-state">
      <p class="warning">${t(`compare.cell.${status}`)}</p>
      ${error && html`<p class="hint">${error.detail ?? error.title}</p>`}
    </div>
  `;
}
