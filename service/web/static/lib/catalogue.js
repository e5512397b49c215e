/** What the service offers: its models and methods, loaded once and shared by the views. */

import { getMethods, getModels } from "./api.js";
import { useEffect, useState } from "./html.js";
import { useWords } from "./i18n.js";
import { createStore, useStore } from "./store.js";

const AGAIN_MS = 2_000; // models are loading, or the service is gone
const ASLEEP_MS = 10_000; // a model sleeps: whether it is awake by now
const models = createStore({ models: null, problem: null });
const methods = createStore({ en: null, es: null });
const wanted = { models: null, en: null, es: null };

/**
 * The cards of the models that take jobs, null until they are known; and the problem, if they cannot be had.
 * Asked for again until at least one model takes jobs, and while one sleeps.
 * @returns {{models: object[] | null, problem: Error | null}}
 */
export function useModels() {
  const [state] = useStore(models);
  useEffect(() => {
    let timer = null;
    let isGone = false;
    const load = async () => {
      let pause = AGAIN_MS;
      wanted.models ??= getModels();
      try {
        const cards = (await wanted.models).filter((card) => card.input && card.output);
        models.set({ models: unchanged(models.get().models, cards), problem: null });
        if (cards.length && !cards.some((card) => card.status === "asleep")) return;
        pause = cards.length ? ASLEEP_MS : AGAIN_MS;
      } catch (problem) {
        models.set({ models: models.get().models, problem });
      }
      wanted.models = null;
      if (!isGone) timer = setTimeout(load, pause);
    };
    load();
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, []);
  return state;
}

/** The cards, each as it was before where nothing has changed: what is made of it is then not made again. */
function unchanged(before, cards) {
  if (!before) return cards;
  const known = new Map(before.map((card) => [`${card.name}@${card.version}`, card]));
  const next = cards.map((card) => {
    const earlier = known.get(`${card.name}@${card.version}`);
    return earlier && earlier.status === card.status && earlier.digest === card.digest ? earlier : card;
  });
  return next.length === before.length && next.every((card, index) => card === before[index]) ? before : next;
}

/**
 * The catalogue of methods in the page's language; null until it is known.
 * @returns {object | null}
 */
export function useMethods() {
  const { lang } = useWords();
  const [state] = useStore(methods);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    if (methods.get()[lang]) return undefined;
    wanted[lang] ??= getMethods();
    let timer = null;
    wanted[lang].then(
      (catalogue) => methods.set({ ...methods.get(), [lang]: catalogue }),
      () => {
        wanted[lang] = null;
        timer = setTimeout(() => setAttempt(attempt + 1), AGAIN_MS);
      },
    );
    return () => clearTimeout(timer);
  }, [lang, attempt]);
  return state[lang];
}

/** Begin to load both, before a component asks for them. */
export function beginLoading(lang) {
  wanted.models ??= getModels();
  wanted[lang] ??= getMethods();
  for (const promise of [wanted.models, wanted[lang]]) promise.catch(() => {}); // said where they are used
}

const KINDS = { image: "image", text: "text", tabular: "features" };

/**
 * The kind of input that a model takes, as the page names it; undefined for tensors, which the page cannot make.
 * @param {object} card
 * @returns {"image" | "text" | "features" | undefined}
 */
export const inputKind = (card) => KINDS[card.input?.kind];

/**
 * The methods that a model supports, with their guides.
 * @param {object} card
 * @param {object} catalogue
 */
export function supportedMethods(card, catalogue) {
  const names = new Set(card.methods.filter((method) => method.supported).map((method) => method.name));
  return catalogue.methods.filter((guide) => names.has(guide.name));
}
