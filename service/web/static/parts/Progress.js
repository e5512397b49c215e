/** How far a job is: rows done, time left, and cancel. */

import { seconds, whole } from "../lib/format.js";
import { html, useEffect, useRef } from "../lib/html.js";
import { useWords } from "../lib/i18n.js";

/**
 * @param {{job: object | null, lost?: boolean, onCancel?: () => void}} props
 *   job: a job or a comparison, null while it is being sent; lost: the service cannot be reached
 */
export function Progress({ job, lost = false, onCancel }) {
  const { t, lang } = useWords();
  const progress = job?.progress ?? { done: 0, total: 0, fraction: 0 };
  const left = useTimeLeft(job);
  const words = lost ? t("progress.lost") : !job || job.status === "queued" ? t("progress.queued") : t("progress.running");
  const rows =
    progress.total > 0 &&
    t("progress.rows", { done: whole(progress.done, lang), total: whole(progress.total, lang) });
  return html`
    <div class="progress" role="group" aria-label=${t("progress.label")}>
      <progress max="1" value=${progress.total > 0 ? progress.fraction : undefined} aria-label=${t("progress.label")} />
      <p>
        <span aria-live="polite">${words}</span>
        ${rows && html`<span class="faint"> · ${rows}</span>`}
        ${left !== null && html`<span class="faint"> · ${t("progress.left", { time: seconds(left, lang) })}</span>`}
      </p>
      ${onCancel && html`<button type="button" onClick=${onCancel}>${t("cancel")}</button>`}
    </div>
  `;
}

/** Seconds left by the rate so far; null until that says something. */
function useTimeLeft(job) {
  const began = useRef(null);
  const running = job?.status === "running" ? job.id : null;
  useEffect(() => {
    began.current = running === null ? null : { at: performance.now(), fraction: job.progress.fraction };
  }, [running]);
  if (running === null || began.current === null) return null;
  const spent = (performance.now() - began.current.at) / 1000;
  const gained = job.progress.fraction - began.current.fraction;
  if (spent < 0.5 || gained <= 0) return null;
  const left = (spent / gained) * (1 - job.progress.fraction);
  return left < 1 ? null : left;
}
