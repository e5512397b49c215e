/** The words of the page in English and Spanish, each view's loaded with the view. */

import { createStore, useStore } from "./store.js";

export const LANGUAGES = ["en", "es"];
const REMEMBERED = "attribution.language";

const tables = { en: {}, es: {} };
const loaded = new Set();
const language = createStore(firstLanguage());
document.documentElement.lang = language.get();

/** The language that the page speaks, `en` or `es`. */
export const currentLanguage = () => language.get();

/**
 * Add words to a language; of equal keys the later one counts.
 * @param {"en" | "es"} lang
 * @param {Record<string, string>} table key: text with {parameters} in braces
 */
export function addWords(lang, table) {
  Object.assign(tables[lang], table);
}

/**
 * Load `words/<name>.<lang>.js` in the current language, and again whenever the language changes.
 * @param {string} name
 */
export async function loadWords(name) {
  loaded.add(name);
  await load(name, language.get());
}

/**
 * Speak another language from now on.
 * @param {"en" | "es"} lang
 */
export async function setLanguage(lang) {
  await Promise.all([...loaded].map((name) => load(name, lang)));
  remember(lang);
  document.documentElement.lang = lang;
  language.set(lang);
}

/**
 * The text of a key. Its parameters stand in braces.
 * @param {string} key
 * @param {Record<string, string | number>} [params]
 */
export function translate(key, params = {}) {
  const text = tables[language.get()][key] ?? tables.en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in params ? String(params[name]) : whole));
}

/** `{t, lang, setLang}`; the component is drawn again when the language changes. */
export function useWords() {
  const [lang] = useStore(language);
  return { t: translate, lang, setLang: setLanguage };
}

async function load(name, lang) {
  const words = await import(`../words/${name}.${lang}.js`);
  addWords(lang, words.default);
}

function firstLanguage() {
  const wanted = [remembered(), ...(navigator.languages ?? [])].map((tag) => (tag ?? "").slice(0, 2).toLowerCase());
  return wanted.find((tag) => LANGUAGES.includes(tag)) ?? "en";
}

function remembered() {
  try {
    return localStorage.getItem(REMEMBERED);
  } catch {
    return null;
  }
}

function remember(lang) {
  try {
    localStorage.setItem(REMEMBERED, lang);
  } catch {
    // storage is switched off: the language holds for this page
  }
}
