/** Try: choose an input, see the predictions, choose a class and a method, and see what the class rests on. */

import { inputKind, useMethods, useModels } from "../../lib/catalogue.js";
import { html } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";
import { InputChooser } from "../../parts/InputChooser.js";
import { ProblemNote } from "../../parts/ProblemNote.js";
import { Panel } from "./Panel.js";
import { Result } from "./Result.js";
import { Stage } from "./Stage.js";
import { useTry } from "./useTry.js";

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
    ${models?.length > 0 && html`<${Trial} models=${models} catalogue=${catalogue} id=${route.id} />`}
  `;
}

function Trial({ models, catalogue, id }) {
  const trial = useTry(models, catalogue, id);
  const { kind, input, card, follow } = trial;
  const cards = models.filter((one) => inputKind(one) === kind);
  const begun = input !== null || id !== null;
  return html`
    <${InputChooser}
      cards=${models}
      kind=${kind}
      onKind=${trial.chooseKind}
      value=${input}
      onChange=${trial.chooseInput}
      card=${card}
    />
    ${begun &&
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
