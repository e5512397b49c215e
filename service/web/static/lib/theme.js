/** Light or dark: the system's choice, or the reader's own, which is remembered. */

import { createStore } from "./store.js";

export const THEMES = ["auto", "light", "dark"];
const REMEMBERED = "attribution.theme";

const system = matchMedia("(prefers-color-scheme: dark)");

/** `auto`, `light` or `dark`. */
export const theme = createStore("auto");

/** `light` or `dark`, as the page is shown: for what is drawn on a canvas, which the stylesheet does not reach. */
export const look = createStore("light");

/** Show the page as the reader chose it earlier, else as the system does, also when that changes. */
export function startTheme() {
  let before = null;
  try {
    before = localStorage.getItem(REMEMBERED);
  } catch {
    // storage is switched off: the system's choice holds
  }
  apply(THEMES.includes(before) ? before : "auto");
  system.addEventListener("change", () => apply(theme.get()));
}

/**
 * Choose light or dark from now on.
 * @param {"auto" | "light" | "dark"} chosen
 */
export function setTheme(chosen) {
  apply(chosen);
  try {
    localStorage.setItem(REMEMBERED, chosen);
  } catch {
    // storage is switched off: the choice holds for this page
  }
}

/** The stylesheet knows light and dark only. */
function apply(chosen) {
  const shown = chosen === "auto" ? (system.matches ? "dark" : "light") : chosen;
  document.documentElement.dataset.theme = shown;
  theme.set(chosen);
  look.set(shown);
}
