/** Compare: one input explained several times, side by side, with how far the explanations agree. */

import { inputKind, useMethods, useModels } from "../../lib/catalogue.js";
import { html } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";
import { rememberedRequest } from "../../lib/store.js";
import { InputChooser } from "../../parts/InputChooser.js";
import { ProblemNote } from "../../parts/ProblemNote.js";
import { Comparison } from "./Comparison.js";
import { Setup } from "./Setup.js";
import { useComparison } from "./useComparison.js";
import { useSetup } from "./useSetup.js";

/** @param {{route: {id: string | null}}} props */
export default function Compare({ route }) {
  const { t } = useWords();
  const { models, problem } = useModels();
  const catalogue = useMethods();
  return html`
    <h1>${t("compare.title")}</h1>
    <p class="lead">${t("compare.lead")}</p>
    ${problem && html`<${ProblemNote} problem=${problem} />`}
    ${models?.length === 0 && !problem && html`<p role="status">${t("models.loading")}</p>`}
    ${models?.length > 0 && catalogue && html`<${Page} models=${models} catalogue=${catalogue} id=${route.id} />`}
  `;
}

function Page({ models, catalogue, id }) {
  const { t } = useWords();
  const setup = useSetup(models, catalogue);
  const follow = useComparison(id);
  const made = id === null ? null : rememberedRequest(id);
  const gone = follow.problem?.status === 404;
  const isRestored = follow.comparison !== null && setup.input === null; // then what it shows comes first
  const chooser = html`
    <${InputChooser}
      cards=${models}
      kind=${setup.kind}
      onKind=${setup.chooseKind}
      value=${setup.input}
      onChange=${setup.chooseInput}
      card=${setup.card}
    />
  `;
  return html`
    ${!isRestored && chooser}
    ${setup.input && html`<${Setup} setup=${setup} catalogue=${catalogue} isShown=${id === null} />`}
    ${gone && html`<p class="problem" role="alert">${t("compare.gone")}</p>`}
    ${follow.problem && !gone && html`<${ProblemNote} problem=${follow.problem} />`}
    ${follow.comparison &&
    html`<${Comparison}
      follow=${follow}
      made=${made}
      catalogue=${catalogue}
      kind=${kindOf(follow.comparison, models)}
    />`}
    ${isRestored && html`<h2>${t("compare.another")}</h2>${chooser}`}
  `;
}

/** The kind of input that the compared models take. */
function kindOf(comparison, models) {
  const names = new Set(comparison.cells.map((cell) => cell.model));
  const card = models.find((one) => names.has(one.name));
  return card ? inputKind(card) : undefined;
}
