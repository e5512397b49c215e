/** Try: choose an input, see the predictions, choose a class and a method, and see what the class rests on. */

import { inputKind, useMethods, useModels } from "../../lib/catalogue.js";
import { html, useEffect } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";
import { lazy } from "../../lib/lazy.js";
import { InputChooser } from "../../parts/InputChooser.js";
import { ModelChooser } from "../../parts/ModelChooser.js";
import { ProblemNote } from "../../parts/ProblemNote.js";
import { useTry } from "./useTry.js";

const NOT_KNOWN_YET = []; // an input can be chosen before the models are known
const Panel = lazy(() => import("./Panel.js"));
const Stage = lazy(() => import("./Stage.js"));
const Result = lazy(() => import("./Result.js"));

/** @param {{route: {id: string | null}}} props */
export default function Try({ route }) {
  const { t } = useWords();
  const { models, problem } = useModels();
  const catalogue = useMethods();
  return html`
    <h1>${t("try.title")}</h1>
    <p class="lead">${t("try.lead")}</p>
    ${problem && html`<${ProblemNote} problem=${problem} />`}
    ${models?.length === 0 && !problem && html`<p role="status">${t("models.loading")}</p>`}
    ${(models === null ? !problem : models.length > 0) &&
    html`<${Trial} models=${models ?? NOT_KNOWN_YET} catalogue=${catalogue} id=${route.id} />`}
  `;
}

function Trial({ models, catalogue, id }) {
  const trial = useTry(models, catalogue, id);
  const { kind, input, card, follow } = trial;
  const cards = models.filter((one) => inputKind(one) === kind);
  useEffect(() => {
    if (!models.length) return; // what is shown first comes first
    for (const part of [Panel, Stage, Result]) part.load().catch(() => {}); // said where it is shown
  }, [models.length > 0]);
  const begun = input !== null || id !== null;
  return html`
    <${InputChooser}
      cards=${models}
      kind=${kind}
      onKind=${trial.chooseKind}
      value=${input}
      onChange=${trial.chooseInput}
      card=${card}
      small=${begun}
    />
    ${!begun &&
    (cards.length > 1 || card?.status === "asleep") &&
    html`<${ModelChooser} cards=${cards} card=${card} onChange=${trial.chooseModel} />`}
    ${begun &&
    card &&
    html`
      <div class="stage">
        <div class="shown">
          <${Stage} trial=${trial} />
          ${follow.result && html`<${Result} trial=${trial} />`}
        </div>
        <${Panel} trial=${trial} cards=${cards} catalogue=${catalogue} />
      </div>
    `}
  `;
}
