/** Follows the job of an address, and reads its result when it has ended. */

import { whileLost } from "./again.js";
import { getJob, getSummary, watchJob } from "./api.js";
import { useFollowed } from "./useFollowed.js";
import { hasEnded } from "./watch.js";

/**
 * @param {string | null} id
 * @returns {{job: object | null, result: object | null, problem: Error | null, lost: boolean, again: () => void}}
 *   result: without the numbers of its attributions; problem: the job cannot be read; lost: the service cannot be
 *   reached, and the page goes on asking
 */
export const useJob = (id) => useFollowed(id, follow, { job: null, result: null });

async function follow(id, show, signal) {
  const asking = { signal, onLost: () => show({ lost: true }) };
  let job = await whileLost(() => getJob(id, { signal }), asking);
  show({ job, problem: null, lost: false });
  if (!hasEnded(job)) {
    job = await watchJob(id, (update) => show(update.lost ? { lost: true } : { job: update, lost: false }), signal);
  }
  if (job.status !== "succeeded") return;
  const result = await whileLost(() => getSummary(id, { signal }), asking);
  show({ result, lost: false });
}
