/** What is known about a result beside its picture: how far it can be trusted, what it cost, and how to get it again. */

import { curlOf, pythonOf } from "../../lib/curl.js";
import { number, percent, seconds, signed, whole } from "../../lib/format.js";
import { html } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";
import { methodOf } from "../../lib/schema.js";
import { CopyAs } from "../../parts/CopyAs.js";
import { QualityFacts } from "./QualityFacts.js";

export default function Result({ trial }) {
  const { t } = useWords();
  const { result, job } = trial.follow;
  const input = trial.made?.input ?? placeholder(trial.kind);
  const request = trial.made?.request ?? requestOf(result, trial.guide);
  return html`
    <section class="facts" aria-labelledby="facts-title">
      <h2 id="facts-title">${t("facts.title")}</h2>
      ${result.warnings.map((warning) => html`<p class="warning" key=${warning}>${warning}</p>`)}
      <${Completeness} result=${result} />
      <${QualityFacts} quality=${result.quality} />
      <${Timing} result=${result} job=${job} />
      <h2>${t("copy.title")}</h2>
      <p class="hint">${t("copy.why")}</p>
      <${CopyAs} curl=${() => curlOf(request, input)} python=${() => pythonOf(request, input)} />
    </section>
  `;
}

function Completeness({ result }) {
  const { t, lang } = useWords();
  const [one] = result.quality?.completeness ?? [];
  if (!one) return null;
  const relative = one.relative_error === null ? null : share(Math.abs(one.relative_error), lang);
  return html`
    <p>
      <strong>${t("completeness.title")}</strong>${" "}
      ${t("completeness.sum", {
        sum: signed(one.attributions_sum, lang, 4),
        difference: signed(one.outputs_difference, lang, 4),
      })}${" "}
      ${relative !== null && t("completeness.error", { error: relative })}
    </p>
  `;
}

const SMALLEST = 0.0001; // below it a share is said to be smaller

const share = (error, lang) => (error < SMALLEST ? `< ${percent(SMALLEST, lang, 2)}` : percent(error, lang, 2));

function Timing({ result, job }) {
  const { t, lang } = useWords();
  const { timing, provenance } = result;
  const total = job?.finished_at ? (Date.parse(job.finished_at) - Date.parse(job.created_at)) / 1000 : timing.run_ms / 1000;
  const rows = [
    [t("timing.total"), seconds(total, lang)],
    ...(result.cache ? [] : work()),
    [t("timing.device"), provenance.device],
    [t("timing.seed"), number(provenance.seed, lang, 10)],
  ];
  function work() {
    return [
      [t("timing.queued"), seconds(timing.queued_ms / 1000, lang)],
      [t("timing.run"), seconds(timing.run_ms / 1000, lang)],
      [t("timing.rows"), whole(timing.rows, lang)],
      [t("timing.passes"), whole(timing.passes, lang)],
    ];
  }
  return html`
    <dl class="timing">
      ${rows.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}
    </dl>
    ${result.cache && html`<p class="hint">${t(`timing.cache.${result.cache}`)}</p>`}
  `;
}

/** The request of a job of another visit. */
function requestOf(result, guide) {
  const known = guide?.name === result.method.name;
  const request = { model: result.model.name, method: known ? methodOf(guide, result.method) : result.method };
  if (result.target?.length === 1) request.target = result.target[0].index;
  return request;
}

const PLACEHOLDERS = {
  image: { kind: "image", name: "picture.jpg" },
  text: { kind: "text", text: "…" },
  features: { kind: "features", features: {} },
};
const placeholder = (kind) => PLACEHOLDERS[kind];
