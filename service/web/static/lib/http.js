/** Requests to the service: its address, the API key, the language, and problems as exceptions. */

import { currentLanguage, translate } from "./i18n.js";
import { askForKey, currentKey } from "./key.js";

const UNAUTHORIZED = 401;

/** The service's own address, also behind a proxy's prefix. */
export const SERVICE = new URL(".", document.baseURI);

/** What went wrong, as the service says it; or, with the status 0, that its answer is lost. */
export class ApiProblem extends Error {
  /** @param {{status: number, title: string, detail: string, errors?: object[], type?: string}} problem */
  constructor(problem, retryAfterS = null) {
    super(problem.detail || problem.title);
    this.status = problem.status;
    this.type = problem.type ?? "about:blank";
    this.title = problem.title;
    this.detail = problem.detail;
    this.errors = problem.errors ?? [];
    this.retryAfterS = retryAfterS;
  }

  /** Whether no answer has arrived, or only a part of one. */
  get isLost() {
    return this.status === 0;
  }

  /** Whether the same request may succeed later. */
  get passes() {
    return this.isLost || this.status === 429 || this.status >= 500;
  }
}

/** The problem of an answer that is lost, in the page's words: a browser tells it in English. */
export const lostAnswer = () =>
  new ApiProblem({ status: 0, title: translate("problem.lost"), detail: translate("problem.lost.detail") });

/**
 * The URL of a path of the API.
 * @param {string} path without a leading slash
 * @param {Record<string, string | number | boolean | null | undefined>} [params] null and undefined are left out
 */
export function urlOf(path, params = {}) {
  const url = new URL(path.replace(/^\//, ""), SERVICE);
  for (const [name, value] of Object.entries(params)) {
    if (value !== null && value !== undefined) url.searchParams.set(name, String(value));
  }
  return url;
}

/**
 * Send a request. A key is asked for where the service wants one.
 * @param {string} path
 * @param {{method?: string, params?: object, json?: object, headers?: object, signal?: AbortSignal}} [options]
 * @returns {Promise<Response>} a successful one
 * @throws {ApiProblem}
 */
export async function send(path, options = {}) {
  const key = currentKey();
  const response = await attempt(path, options, key);
  if (response.ok) return response;
  if (response.status === UNAUTHORIZED && (await askForKey(key)) !== null) return send(path, options);
  throw await problemOf(response);
}

/**
 * As `send`, and read the whole body, which may be lost after the headers have arrived.
 * @param {"json" | "blob" | "arrayBuffer"} form
 */
export async function sendFor(form, path, options = {}) {
  const response = await send(path, options);
  return arrived(response[form](), options.signal);
}

/** As `sendFor`, JSON. */
export const sendForJson = (path, options) => sendFor("json", path, options);

async function attempt(path, { method = "GET", params, json, headers = {}, signal }, key) {
  const sent = { "Accept-Language": currentLanguage(), Accept: "application/json", ...headers };
  if (key !== null) sent.Authorization = `Bearer ${key}`;
  if (json !== undefined) sent["Content-Type"] = "application/json";
  const body = json === undefined ? undefined : JSON.stringify(json);
  return arrived(fetch(urlOf(path, params), { method, headers: sent, body, signal }), signal);
}

/** What an answer or a part of it resolves to. */
async function arrived(part, signal) {
  try {
    return await part;
  } catch (error) {
    throw signal?.aborted ? error : lostAnswer();
  }
}

async function problemOf(response) {
  const retryAfter = response.headers.get("Retry-After");
  const given = await response.json().catch(() => null);
  const fallback = { title: `HTTP ${response.status}`, detail: response.statusText };
  const problem = { ...fallback, ...given, status: response.status };
  return new ApiProblem(problem, retryAfter === null ? null : Number(retryAfter));
}
