/** One explanation of a step: asked for when it is wanted, once for each picture, and followed to its end. */

import { cancelJob, postExplain } from "../../lib/api.js";
import { inputOf } from "../../lib/curl.js";
import { useEffect, useState } from "../../lib/html.js";
import { useJob } from "../../lib/useJob.js";

const asked = new WeakMap(); // by picture: jobs by request, so that a step that comes back asks for nothing

/**
 * @param {object} lesson
 * @param {string} step
 * @param {string} slot the name of the job in the address, unique within the step
 * @param {object | null} method null: not wanted yet
 * @param {number | null} [seed] of a method that draws
 * @returns {{id: string | null, job: object | null, result: object | null, problem: Error | null, lost: boolean,
 *   refused: string | null, wanted: boolean, again: () => void, cancel: () => void}}
 */
export function useExplanation(lesson, step, slot, method, seed = null) {
  const { input, card, target, stored } = lesson;
  const refused = method === null ? null : whyNot(card, method.name);
  const request = { model: card.name, method, ...(target === null ? {} : { target }), ...(seed === null ? {} : { seed }) };
  const key = method === null || refused !== null ? null : JSON.stringify(request);
  const [sent, setSent] = useState({ key: null, input: null, id: null, problem: null });
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    if (input === null || key === null) return undefined;
    let gone = false;
    ask(input, key, request).then(
      (id) => {
        if (gone) return;
        setSent({ key, input, id, problem: null });
        lesson.keepJob(step, slot, id);
      },
      (problem) => !gone && setSent({ key, input, id: null, problem }),
    );
    return () => (gone = true);
  }, [input, key, attempt]);
  const current = sent.key === key && sent.input === input ? sent : { id: null, problem: null };
  const id = input === null ? (stored[slot] ?? null) : current.id;
  const followed = useJob(id);
  return {
    ...followed,
    id,
    refused,
    wanted: id !== null || (input !== null && key !== null),
    problem: current.problem ?? followed.problem,
    again() {
      if (input === null) return followed.again();
      asked.get(input)?.delete(key);
      setSent({ key: null, input: null, id: null, problem: null });
      return setAttempt(attempt + 1);
    },
    cancel: () => id && cancelJob(id).catch(() => {}), // the job's own events say how it ended
  };
}

function ask(input, key, request) {
  if (!asked.has(input)) asked.set(input, new Map());
  const jobs = asked.get(input);
  if (!jobs.has(key)) {
    const sending = postExplain({ ...request, input: inputOf(input) }).then((job) => job.id);
    jobs.set(key, sending);
    sending.catch(() => jobs.delete(key));
  }
  return jobs.get(key);
}

function whyNot(card, name) {
  const support = card.methods.find((one) => one.name === name);
  if (support === undefined) return "";
  return support.supported ? null : (support.reason ?? "");
}
