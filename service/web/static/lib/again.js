/** Sends a request again while its answer is lost. */

const PAUSES_MS = [500, 1_000, 2_000]; // before each repeat; the last one before all later ones

/**
 * What `ask` resolves to, once an answer has arrived.
 * @template T
 * @param {() => Promise<T>} ask sends a request that does no more when it is sent twice
 * @param {{signal?: AbortSignal, repeats?: number, onLost?: () => void}} [options] repeats: how often it is sent again at
 *   most; onLost: called for each answer that is lost and asked for again
 * @returns {Promise<T>}
 * @throws {ApiProblem} the service refuses, or the answer to the last repeat is lost too
 */
export async function whileLost(ask, { signal, repeats = Infinity, onLost = () => {} } = {}) {
  for (let sent = 0; ; sent += 1) {
    try {
      return await ask();
    } catch (problem) {
      if (signal?.aborted || !problem.isLost || sent === repeats) throw problem;
    }
    onLost();
    await paused(PAUSES_MS[Math.min(sent, PAUSES_MS.length - 1)], signal);
  }
}

/**
 * Wait.
 * @param {number} ms
 * @param {AbortSignal} [signal] ends the wait by its reason
 */
export function paused(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });
}
