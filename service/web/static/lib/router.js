/** Addresses of views, kept behind the `#`: `#/try/<job>`, `#/compare/<comparison>`, `#/learn/<step>?job=…`. */

import { useEffect, useState } from "./html.js";

export const VIEWS = ["try", "compare", "learn"];

/**
 * @param {string} hash
 * @returns {{view: string, id: string | null, query: Record<string, string>}}
 */
export function readRoute(hash) {
  const [path, search = ""] = hash.replace(/^#\/?/, "").split("?");
  const [view, id] = path.split("/");
  return {
    view: VIEWS.includes(view) ? view : "try",
    id: id ? decoded(id) : null,
    query: Object.fromEntries(new URLSearchParams(search)),
  };
}

/**
 * The address of a view.
 * @param {string} view
 * @param {string | null} [id]
 * @param {Record<string, string | number | null | undefined>} [query] values that are null or undefined are left out
 */
export function routeHash(view, id = null, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return `#/${view}${id === null ? "" : `/${encodeURIComponent(id)}`}${search ? `?${search}` : ""}`;
}

/** The route of the current address; the component is drawn again when it changes. */
export function useRoute() {
  const [route, setRoute] = useState(readRoute(location.hash));
  useEffect(() => {
    const follow = () => setRoute(readRoute(location.hash));
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return route;
}

/**
 * Go to a view.
 * @param {string} view
 * @param {string | null} [id]
 * @param {object} [query]
 * @param {{replace?: boolean}} [options] replace: the back button skips the present address
 */
export function go(view, id = null, query = {}, { replace = false } = {}) {
  const hash = routeHash(view, id, query);
  if (hash === location.hash) return;
  if (!replace) {
    location.hash = hash;
    return;
  }
  history.replaceState(null, "", hash);
  dispatchEvent(new HashChangeEvent("hashchange"));
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
