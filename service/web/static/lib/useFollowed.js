/** Follows what an address names, such as a job, until it has ended. */

import { useEffect, useState } from "./html.js";
import { useWords } from "./i18n.js";

const NOTHING = { problem: null, lost: false };

/**
 * @param {string | null} id
 * @param {(id: string, show: (more: object) => void, signal: AbortSignal) => Promise<void>} follow
 *   shows parts of the state as they become known; what it throws is shown as `problem`
 * @param {object} initial the other parts of the state, before they are known
 * @returns {object} the state with `problem`, `lost` (the service cannot be reached, and the page goes on asking) and
 *   `again`, which begins anew; as it does in another language
 */
export function useFollowed(id, follow, initial) {
  const { lang } = useWords();
  const nothing = { ...NOTHING, ...initial };
  const [state, setState] = useState({ id: null, ...nothing });
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    if (id === null) return undefined;
    const stop = new AbortController();
    const show = (more) => {
      if (!stop.signal.aborted) setState((before) => ({ ...(before.id === id ? before : { id, ...nothing }), ...more }));
    };
    follow(id, show, stop.signal).catch((problem) => show({ problem }));
    return () => stop.abort();
  }, [id, attempt, lang]);
  const current = state.id === id ? state : nothing;
  return { ...current, again: () => setAttempt(attempt + 1) };
}
