/** What a model says about an input, by the cheapest explanation that the model supports. */

import { getSummary, postExplain, watchJob } from "./api.js";
import { inputOf } from "./curl.js";
import { useEffect, useState } from "./html.js";
import { hasEnded } from "./watch.js";

const WAIT_S = 20;
const CHEAPEST = [{ name: "saliency" }, { name: "layer_activation" }, { name: "kernel_shap", n_samples: 1 }];
const known = new WeakMap(); // by input: a map by model, so that a view that comes back asks for nothing

/**
 * @param {object | null} input
 * @param {object | null} card
 * @returns {{predictions: object[] | null, problem: Error | null, busy: boolean}}
 */
export function usePredictions(input, card) {
  const [state, setState] = useState({ predictions: null, problem: null, of: null });
  const name = card?.name ?? null;
  useEffect(() => {
    if (input === null || name === null) return undefined;
    const stop = new AbortController();
    const show = (more) => !stop.signal.aborted && setState({ predictions: null, problem: null, of: input, ...more });
    predict(input, card, stop.signal).then((predictions) => show({ predictions }), (problem) => show({ problem }));
    return () => stop.abort();
  }, [input, name]);
  if (input === null || state.of !== input) return { predictions: null, problem: null, busy: input !== null };
  return { ...state, busy: false };
}

async function predict(input, card, signal) {
  if (!known.has(input)) known.set(input, new Map());
  const byModel = known.get(input);
  if (!byModel.has(card.name)) byModel.set(card.name, await ask(input, card, signal));
  return byModel.get(card.name);
}

async function ask(input, card, signal) {
  const supported = new Set(card.methods.filter((one) => one.supported).map((one) => one.name));
  const method = CHEAPEST.find((one) => supported.has(one.name)) ?? { name: card.defaults.method };
  let job = await postExplain({ model: card.name, input: inputOf(input), method }, { wait: WAIT_S, signal });
  if (!hasEnded(job)) job = await watchJob(job.id, () => {}, signal);
  if (job.status !== "succeeded") throw Object.assign(new Error(job.error?.detail ?? job.status), job.error);
  return (await getSummary(job.id, { signal })).predictions[0];
}
