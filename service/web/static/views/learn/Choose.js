/** Step 8: three questions that lead to a method, and the table that compares the families. */

import { html, useState } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";
import { Segments } from "../../parts/Segments.js";
import { recommend } from "./recommend.js";

const ROWS = ["saliency", "integrated_gradients", "deep_lift", "gradient_shap"];
const COLUMNS = ["idea", "uses_gradients", "uses_baseline", "typical_results", "analogy", "cost"];
const QUESTIONS = { detail: ["pixels", "regions"], sum: ["yes", "no"], budget: ["little", "more"] };

/** @param {{lesson: object}} props */
export function Choose({ lesson }) {
  const { t } = useWords();
  const [answers, setAnswers] = useState({ detail: "pixels", sum: "yes", budget: "more" });
  const { catalogue } = lesson;
  const advice = recommend(answers);
  const guide = catalogue?.methods.find((one) => one.name === advice.method);
  return html`
    <p class="learn-prose">${t("learn.choose.text1")}</p>
    <div class="questions">
      ${Object.entries(QUESTIONS).map(
        ([name, values]) => html`<${Segments}
          key=${name}
          label=${t(`learn.choose.${name}`)}
          value=${answers[name]}
          options=${values.map((value) => ({ value, label: t(`learn.choose.${name}.${value}`) }))}
          onChange=${(value) => setAnswers({ ...answers, [name]: value })}
        />`,
      )}
    </div>
    <div class="advice" aria-live="polite">
      <h2>${guide?.title ?? advice.method}</h2>
      <p>${t(`learn.choose.why.${advice.why}`)}</p>
    </div>
    <h2>${t("learn.choose.table")}</h2>
    ${catalogue && html`<${Table} catalogue=${catalogue} advised=${advice.method} />`}
    <p class="learn-prose">${t("learn.choose.end")}</p>
    <p class="actions"><a class="button primary" href="#/try">${t("learn.choose.try")}</a><a class="button" href="#/compare">${t("learn.choose.compare")}</a></p>
  `;
}

function Table({ catalogue, advised }) {
  const { t } = useWords();
  const guides = ROWS.map((name) => catalogue.methods.find((one) => one.name === name)).filter(Boolean);
  const rows = [...guides, catalogue.layer_attribution];
  const cell = (value) => (typeof value === "boolean" ? t(value ? "learn.yes" : "learn.no") : value);
  return html`
    <table class="method-table">
      <thead>
        <tr><th scope="col">${catalogue.columns.title}</th>${COLUMNS.map((one) => html`<th key=${one} scope="col">${catalogue.columns[one]}</th>`)}</tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) => html`<tr key=${row.title} class=${row.name === advised ? "is-advised" : ""}>
            <th scope="row">${row.title}</th>
            ${COLUMNS.map((one) => html`<td key=${one}><span class="cell-name" aria-hidden="true">${catalogue.columns[one]}</span>${cell(row[one])}</td>`)}
          </tr>`,
        )}
      </tbody>
    </table>
  `;
}
