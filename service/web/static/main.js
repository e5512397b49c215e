/** The page: its header, its views by address, language and light. */

import { beginLoading } from "./lib/catalogue.js";
import { html, render, useEffect, useErrorBoundary, useRef, useState } from "./lib/html.js";
import { currentLanguage, loadWords, useWords } from "./lib/i18n.js";
import { loadProblem } from "./lib/lazy.js";
import { routeHash, useRoute, VIEWS } from "./lib/router.js";
import { startTheme } from "./lib/theme.js";
import { Header } from "./parts/Header.js";
import { KeyDialog } from "./parts/KeyDialog.js";
import { ProblemNote } from "./parts/ProblemNote.js";

const MODULES = {
  try: () => import("./views/try/Try.js"),
  compare: () => import("./views/compare/Compare.js"),
  learn: () => import("./views/learn/Learn.js"),
};
const STYLED = new Set(["try"]); // views whose stylesheet the document loads itself

/** A view with its words and its stylesheet. */
async function loadView(name) {
  const [module] = await Promise.all([MODULES[name](), loadWords(name), loadStyle(name)]);
  return module.default;
}

function loadStyle(name) {
  if (STYLED.has(name)) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const link = document.createElement("link");
    const href = new URL(`css/${name}.css`, import.meta.url).href;
    const fail = (event) => {
      STYLED.delete(name); // so that the next who tries loads it
      link.remove();
      reject(event);
    };
    Object.assign(link, { rel: "stylesheet", href, onload: resolve, onerror: fail });
    document.head.append(link);
    STYLED.add(name);
  });
}

function App() {
  const route = useRoute();
  const { t, lang } = useWords();
  const main = useRef(null);
  const first = useRef(true);
  useEffect(() => {
    document.title = `${t(`nav.${route.view}`)} · ${t("title")}`;
  }, [route.view, lang]);
  useEffect(() => {
    if (!first.current) main.current.focus(); // so that the keyboard goes on in the view, not in the header
    first.current = false;
  }, [route.view]);
  const skip = (event) => {
    event.preventDefault(); // the part behind the # is the view's address
    main.current.focus();
  };
  return html`
    <a class="skip" href=${routeHash(route.view, route.id, route.query)} onClick=${skip}>${t("skip")}</a>
    <${Header} views=${VIEWS} current=${route.view} />
    <main id="main" ref=${main} tabindex="-1">
      <${View} key=${route.view} route=${route} />
    </main>
    <${Footer} />
    <${KeyDialog} />
  `;
}

function View({ route }) {
  const [Loaded, setLoaded] = useState(null);
  const [problem, setProblem] = useState(null);
  const [broken, reset] = useErrorBoundary((error) => console.error(error));
  const load = () => {
    setProblem(null);
    loadView(route.view).then((view) => setLoaded(() => view), (error) => setProblem(loadProblem(error)));
  };
  useEffect(load, [route.view]);
  if (broken) return html`<${ProblemNote} problem=${broken} onRetry=${reset} />`;
  if (problem) return html`<${ProblemNote} problem=${problem} onRetry=${load} />`;
  return Loaded && html`<${Loaded} route=${route} />`;
}

function Footer() {
  const { t, lang } = useWords();
  return html`
    <footer>
      <a href=${`methods?lang=${lang}`}>${t("footer.methods")}</a>
      <a href="docs">${t("footer.docs")}</a>
    </footer>
  `;
}

startTheme();
beginLoading(currentLanguage());
const place = document.getElementById("app");
await loadWords("base");
render(html`<${App} />`, place);
