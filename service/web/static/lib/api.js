/** The public API of the service, one function a route. */

import { whileLost } from "./again.js";
import { sendFor, sendForJson } from "./http.js";

export { ApiProblem } from "./http.js";
export { setKey } from "./key.js";
export { watchJob } from "./watch.js";

const POST_REPEATS = 3; // within some seconds: then somebody who waits is told

const of = (id) => encodeURIComponent(id);

/** The cards of all models. @returns {Promise<object[]>} */
export const getModels = async () => (await sendForJson("models")).models;

/** One model's card. @param {string} name */
export const getModel = (name) => sendForJson(`models/${of(name)}`);

/** The catalogue of methods in the page's language. */
export const getMethods = () => sendForJson("methods");

/**
 * Queue an explanation.
 * @param {object} body as `POST /explain` takes it
 * @param {{wait?: number, signal?: AbortSignal}} [options] wait: seconds for which to wait for its end
 * @returns {Promise<object>} the job
 */
export const postExplain = (body, { wait, signal } = {}) =>
  post("explain", { json: body, params: { wait }, signal });

/**
 * Queue a comparison.
 * @param {object} body as `POST /compare` takes it
 * @param {{wait?: number, signal?: AbortSignal}} [options]
 * @returns {Promise<object>} the comparison
 */
export const postCompare = (body, { wait, signal } = {}) =>
  post("compare", { json: body, params: { wait }, signal });

/** @param {string} id */
export const getComparison = (id, { signal } = {}) => sendForJson(`comparisons/${of(id)}`, { signal });

/** @param {string} id */
export const getJob = (id, { signal } = {}) => sendForJson(`jobs/${of(id)}`, { signal });

/** The whole result with its numbers, which may be megabytes. @param {string} id */
export const getResult = (id, { signal } = {}) => sendForJson(`jobs/${of(id)}/result`, { signal });

/** The result without the numbers of its attributions. @param {string} id */
export const getSummary = (id, { signal } = {}) =>
  sendForJson(`jobs/${of(id)}/result`, { params: { numbers: false }, signal });

/** The points of the path of Integrated Gradients. @param {string} id */
export const getPath = (id, { signal } = {}) => sendForJson(`jobs/${of(id)}/path`, { signal });

/** @param {string} id */
export const cancelJob = (id) => sendForJson(`jobs/${of(id)}`, { method: "DELETE" });

/** @param {string} id */
export const cancelComparison = (id) => sendForJson(`comparisons/${of(id)}`, { method: "DELETE" });

/**
 * A picture as an object URL, because an API key needs a header. Call `release` when it is no longer shown.
 * @param {string} path such as `jobs/<id>/overlay.png`
 * @param {object} [params]
 * @param {AbortSignal} [signal]
 * @returns {Promise<{url: string, release: () => void}>}
 */
export async function fetchPicture(path, params = {}, signal = undefined) {
  const url = URL.createObjectURL(await sendFor("blob", path, { params, headers: { Accept: "image/*" }, signal }));
  return { url, release: () => URL.revokeObjectURL(url) };
}

/** Queue work once: an answer that is lost is asked for again by the same key, for which the service queues no other. */
function post(path, options) {
  const headers = { "Idempotency-Key": newKey() };
  const ask = () => sendForJson(path, { ...options, method: "POST", headers });
  return whileLost(ask, { signal: options.signal, repeats: POST_REPEATS });
}

/** 128 random bits; `crypto.randomUUID` is absent where the page comes by plain HTTP. */
const newKey = () => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
