/** The API key, on a service that has keys. Kept for this tab alone, and asked for when the service wants one. */

import { createStore } from "./store.js";

const NAME = "attribution.key";
let held = stored();

/** Whether a dialog asks for the key: null, or `{refused: boolean, done: (key | null) => void}`. */
export const keyQuestion = createStore(null);

/** @returns {string | null} */
export const currentKey = () => held;

/**
 * Use this key from now on.
 * @param {string | null} key
 */
export function setKey(key) {
  held = key || null;
  try {
    if (held === null) sessionStorage.removeItem(NAME);
    else sessionStorage.setItem(NAME, held);
  } catch {
    // storage is switched off: the key holds for this page
  }
}

let asked = null;

/**
 * Ask for a key. Requests that are refused at the same time share one question.
 * @param {string | null} refused the key that the service did not accept
 * @returns {Promise<string | null>} null: the question was closed without a key
 */
export function askForKey(refused) {
  if (held !== refused) return Promise.resolve(held); // another request has asked meanwhile
  asked ??= new Promise((resolve) => {
    keyQuestion.set({
      refused: refused !== null,
      done(key) {
        asked = null;
        keyQuestion.set(null);
        if (key) setKey(key);
        resolve(key || null);
      },
    });
  });
  return asked;
}

function stored() {
  try {
    return sessionStorage.getItem(NAME);
  } catch {
    return null;
  }
}
