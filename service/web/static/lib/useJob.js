/** Follows the job of an address, and reads its result when it has ended. */

import { getJob, getSummary, watchJob } from "./api.js";
import { useEffect, useState } from "./html.js";
import { useWords } from "./i18n.js";
import { hasEnded } from "./watch.js";

const NOTHING = { job: null, result: null, problem: null, lost: false };

/**
 * @param {string | null} id
 * @returns {{job: object | null, result: object | null, problem: Error | null, lost: boolean, again: () => void}}
 *   result: without the numbers of its attributions; problem: the job cannot be read; lost: the service cannot be
 *   reached, and the page goes on asking
 */
export function useJob(id) {
  const { lang } = useWords();
  const [state, setState] = useState({ id: null, ...NOTHING });
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    if (id === null) return undefined;
    const stop = new AbortController();
    const show = (more) => {
      if (!stop.signal.aborted) setState((before) => ({ ...(before.id === id ? before : { id, ...NOTHING }), ...more }));
    };
    follow(id, show, stop.signal).catch((problem) => show({ problem }));
    return () => stop.abort();
  }, [id, attempt, lang]);
  const current = state.id === id ? state : NOTHING;
  return { ...current, again: () => setAttempt(attempt + 1) };
}

async function follow(id, show, signal) {
  let job = await getJob(id, { signal });
  show({ job, problem: null, lost: false });
  if (!hasEnded(job)) {
    job = await watchJob(id, (update) => show(update.lost ? { lost: true } : { job: update, lost: false }), signal);
  }
  if (job.status === "succeeded") show({ result: await getSummary(id, { signal }) });
}
