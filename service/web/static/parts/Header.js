/** The name of the page, its views, the language and the light. */

import { html } from "../lib/html.js";
import { LANGUAGES, useWords } from "../lib/i18n.js";
import { routeHash } from "../lib/router.js";
import { useStore } from "../lib/store.js";
import { setTheme, theme, THEMES } from "../lib/theme.js";

/** @param {{views: string[], current: string}} props */
export function Header({ views, current }) {
  const { t } = useWords();
  return html`
    <header class="page-header">
      <a class="brand" href=${routeHash("try")}>${t("title")}</a>
      <nav aria-label=${t("nav.label")}>
        ${views.map(
          (view) => html`
            <a key=${view} href=${routeHash(view)} aria-current=${view === current ? "page" : undefined}>
              ${t(`nav.${view}`)}
            </a>
          `,
        )}
      </nav>
      <div class="page-settings">
        <${LanguageSwitch} />
        <${ThemeSwitch} />
      </div>
    </header>
  `;
}

function LanguageSwitch() {
  const { t, lang, setLang } = useWords();
  return html`
    <div class="language" role="group" aria-label=${t("language")}>
      ${LANGUAGES.map(
        (one) => html`
          <button
            key=${one}
            type="button"
            lang=${one}
            class="quiet"
            aria-pressed=${one === lang}
            title=${t(`language.${one}`)}
            onClick=${() => setLang(one)}
          >
            ${one.toUpperCase()}
          </button>
        `,
      )}
    </div>
  `;
}

function ThemeSwitch() {
  const { t } = useWords();
  const [chosen] = useStore(theme);
  const next = THEMES[(THEMES.indexOf(chosen) + 1) % THEMES.length];
  const words = `${t("theme")}: ${t(`theme.${chosen}`)}`;
  return html`
    <button type="button" class="quiet theme" title=${words} aria-label=${words} onClick=${() => setTheme(next)}>
      <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
        <circle cx="10" cy="10" r="7.5" fill="none" stroke="currentColor" stroke-width="1.5" />
        ${chosen !== "light" && html`<path d="M10 2.5a7.5 7.5 0 0 1 0 15z" fill="currentColor" />`}
        ${chosen === "dark" && html`<path d="M10 2.5a7.5 7.5 0 0 0 0 15z" fill="currentColor" />`}
      </svg>
    </button>
  `;
}
