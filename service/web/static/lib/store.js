/** State that several views share, outside of any component. */

import { useEffect, useState } from "./html.js";

/**
 * A value that components can follow.
 * @template T
 * @param {T} initial
 * @returns {{get: () => T, set: (value: T) => void, follow: (listener: (value: T) => void) => () => void}}
 */
export function createStore(initial) {
  let value = initial;
  const listeners = new Set();
  return {
    get: () => value,
    set(next) {
      value = next;
      for (const listener of [...listeners]) listener(value);
    },
    follow(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/**
 * The value of a store; the component is drawn again when it changes.
 * @template T
 * @param {{get: () => T, set: (value: T) => void, follow: Function}} store
 * @returns {[T, (value: T) => void]}
 */
export function useStore(store) {
  const [value, setValue] = useState(store.get());
  useEffect(() => {
    setValue(() => store.get());
    return store.follow((next) => setValue(() => next));
  }, [store]);
  return [value, store.set];
}

const input = createStore(null);
const modelName = createStore(null);

/**
 * What is explained: `{kind: "image", image: base64, url, name, width, height}`, `{kind: "text", text}` or
 * `{kind: "features", features}`; null before something is chosen.
 * @returns {[object | null, (input: object | null) => void]}
 */
export const useInput = () => useStore(input);

/**
 * The name of the chosen model; null: the first that takes the input.
 * @returns {[string | null, (name: string | null) => void]}
 */
export const useModelName = () => useStore(modelName);

const inputs = new Map();
const MAX_INPUTS = 20; // pictures are megabytes

/**
 * Remember what a job or comparison explains, for as long as the page is open.
 * @param {string} id
 * @param {object} made `{input, request}`
 */
export function rememberRequest(id, made) {
  inputs.delete(id);
  inputs.set(id, made);
  if (inputs.size > MAX_INPUTS) inputs.delete(inputs.keys().next().value);
}

/** What `rememberRequest` holds of a job or comparison; null for one of another visit. */
export const rememberedRequest = (id) => inputs.get(id) ?? null;
