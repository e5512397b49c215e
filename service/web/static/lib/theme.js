/** Light or dark: the system's choice, or the reader's own, which is remembered. */

import { createStore } from "./store.js";

export const THEMES = ["auto", "light", "dark"];
const REMEMBERED = "attribution.theme";

/** `auto`, `light` or `dark`. */
export const theme = createStore("auto");

/** Show the page as the reader chose it earlier. */
export function startTheme() {
  try {
    const before = localStorage.getItem(REMEMBERED);
    if (THEMES.includes(before)) apply(before);
  } catch {
    // storage is switched off: the system's choice holds
  }
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
  dispatchEvent(new Event("themechange"));
}

function apply(chosen) {
  if (chosen === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  theme.set(chosen);
}
