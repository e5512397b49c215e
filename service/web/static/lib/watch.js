/** Follows a job by server-sent events, through outages of the service and proxies that hold events back. */

import { paused } from "./again.js";
import { ApiProblem, send, sendForJson } from "./http.js";

const ENDED = ["succeeded", "failed", "cancelled"];
const FIRST_PAUSE_MS = 500; // after a lost connection, doubled each time
const LAST_PAUSE_MS = 5_000;

/** @param {{status: string}} job */
export const hasEnded = (job) => ENDED.includes(job.status);

/**
 * Follow a job until it has ended.
 * @param {string} id
 * @param {(update: object) => void} onUpdate receives the job after each change, or `{lost: true}` while the service
 *   cannot be reached
 * @param {AbortSignal} [signal]
 * @returns {Promise<object>} the ended job
 * @throws {ApiProblem} the job is not kept any more, or the request is refused
 */
export async function watchJob(id, onUpdate, signal) {
  let pause = FIRST_PAUSE_MS;
  for (;;) {
    try {
      const job = await followed(id, (update) => {
        pause = FIRST_PAUSE_MS;
        onUpdate(update);
      }, signal);
      if (hasEnded(job)) return job;
    } catch (error) {
      if (signal?.aborted || !isOutage(error)) throw error;
      onUpdate({ lost: true });
    }
    await paused(pause, signal);
    pause = Math.min(pause * 2, LAST_PAUSE_MS);
  }
}

/** The last state of the job that its stream of events has shown; asked for where the stream has shown none. */
async function followed(id, onUpdate, signal) {
  const path = `jobs/${encodeURIComponent(id)}`;
  const response = await send(`${path}/events`, { headers: { Accept: "text/event-stream" }, signal });
  let last = null;
  for await (const event of events(response.body, signal)) {
    if (event.name !== "job") continue;
    last = JSON.parse(event.data);
    onUpdate(last);
    if (hasEnded(last)) return last;
  }
  last = await sendForJson(path, { signal });
  onUpdate(last);
  return last;
}

/** The events of a stream. Lines end in CRLF or LF, and a block of lines is one event. */
async function* events(body, signal) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done || signal?.aborted) return;
      text += value;
      const blocks = text.split(/\r?\n\r?\n/);
      text = blocks.pop();
      yield* blocks.map(readEvent);
    }
  } finally {
    reader.cancel().catch(() => {}); // the stream may have failed already
  }
}

function readEvent(block) {
  const lines = block.split(/\r?\n/);
  const field = (name) =>
    lines.filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).replace(/^ /, ""));
  return { name: field("event")[0] ?? "message", data: field("data").join("\n") };
}

function isOutage(error) {
  return error instanceof ApiProblem ? error.passes : error instanceof TypeError; // a broken stream is a TypeError
}
