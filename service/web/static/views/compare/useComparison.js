/** Follows the comparison of an address, and reads the results of its cells as they end. */

import { getComparison, getSummary } from "../../lib/api.js";
import { useEffect, useState } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";
import { getNumbers } from "../../lib/npy.js";
import { useFollowed } from "../../lib/useFollowed.js";
import { hasEnded } from "../../lib/watch.js";
import { summedMap } from "./maps.js";

const POLL_MS = 500;
const LOST_MS = 2_000;

/**
 * @param {string | null} id
 * @returns {{comparison: object | null, problem: Error | null, lost: boolean, results: Record<string, object>}}
 *   lost: the service cannot be reached, and the page goes on asking; results: by job, without their numbers
 */
export function useComparison(id) {
  const followed = useFollowed(id, follow, { comparison: null });
  const { results, unread } = useResults(followed.comparison);
  return { ...followed, comparison: withUnread(followed.comparison, unread), results };
}

async function follow(id, show, signal) {
  while (!signal.aborted) {
    let pause = POLL_MS;
    try {
      const comparison = await getComparison(id, { signal });
      show({ comparison, problem: null, lost: false });
      if (hasEnded(comparison)) return;
    } catch (problem) {
      if (!problem.passes) throw problem;
      show({ lost: true });
      pause = LOST_MS;
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** The jobs of a comparison that have succeeded. */
export const endedJobs = (comparison) =>
  (comparison?.cells ?? []).filter((cell) => cell.status === "succeeded").map((cell) => cell.job);

/** The comparison in which a cell whose result cannot be read any more says why. */
function withUnread(comparison, unread) {
  if (!comparison || !Object.keys(unread).length) return comparison;
  const told = (cell, { status, detail }) => ({ ...cell, status: status === 404 ? "expired" : "failed", error: { detail } });
  return { ...comparison, cells: comparison.cells.map((cell) => (unread[cell.job] ? told(cell, unread[cell.job]) : cell)) };
}

function useResults(comparison) {
  const { lang } = useWords();
  const [results, setResults] = useState({});
  const [unread, setUnread] = useState({}); // problems, by job
  const jobs = endedJobs(comparison);
  useEffect(() => {
    const stop = new AbortController();
    for (const job of jobs.filter((one) => results[one]?.lang !== lang)) {
      const keep = (result) => setResults((before) => ({ ...before, [job]: { ...result, lang } }));
      const miss = (problem) => stop.signal.aborted || setUnread((before) => ({ ...before, [job]: problem }));
      readResult(job, stop.signal).then(keep, miss);
    }
    return () => stop.abort();
  }, [jobs.join(), lang]);
  return { results, unread };
}

async function readResult(job, signal) {
  for (;;) {
    try {
      return await getSummary(job, { signal });
    } catch (problem) {
      if (signal.aborted || !problem.passes) throw problem;
    }
    await new Promise((resolve) => setTimeout(resolve, LOST_MS));
    if (signal.aborted) throw signal.reason;
  }
}

/**
 * The maps of all cells over a picture, once the comparison has ended.
 * @param {object | null} comparison
 * @returns {Record<string, {height: number, width: number, values: Float64Array}>} by job
 */
export function useMaps(comparison) {
  const [maps, setMaps] = useState({});
  const jobs = comparison && hasEnded(comparison) ? endedJobs(comparison) : [];
  useEffect(() => {
    const stop = new AbortController();
    const read = async () => {
      for (const job of jobs) {
        const map = summedMap(await getNumbers(job, { signal: stop.signal }));
        if (map) setMaps((before) => ({ ...before, [job]: map }));
      }
    };
    read().catch(() => {}); // the pictures are there without them
    return () => stop.abort();
  }, [jobs.join()]);
  return maps;
}
