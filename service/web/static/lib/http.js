/** Requests to the service: its address, the API key, the language, and problems as exceptions. */

import { currentLanguage, translate } from "./i18n.js";
import { askForKey, currentKey } from "./key.js";

const UNAUTHORIZED = 401;

/** The service's own address, also behind a proxy's prefix. */
export const SERVICE = new URL(".", document.baseURI);

/** What went wrong, as the service says it. `status` 0: the service cannot be reached. */
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

  /** Whether the same request may succeed later. */
  get passes() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

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

/** As `send`, and read the JSON of the response. */
export async function sendForJson(path, options = {}) {
  return (await send(path, options)).json();
}

async function attempt(path, { method = "GET", params, json, headers = {}, signal }, key) {
  const sent = { "Accept-Language": currentLanguage(), Accept: "application/json", ...headers };
  if (key !== null) sent.Authorization = `Bearer ${key}`;
  if (json !== undefined) sent["Content-Type"] = "application/json";
  try {
    const body = json === undefined ? undefined : JSON.stringify(json);
    return await fetch(urlOf(path, params), { method, headers: sent, body, signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiProblem({ status: 0, title: translate("problem.gone"), detail: translate("problem.gone.detail") });
  }
}

async function problemOf(response) {
  const retryAfter = response.headers.get("Retry-After");
  const given = await response.json().catch(() => null);
  const fallback = { title: `HTTP ${response.status}`, detail: response.statusText };
  const problem = { ...fallback, ...given, status: response.status };
  return new ApiProblem(problem, retryAfter === null ? null : Number(retryAfter));
}
