/** The metrics of an explanation's quality, with their curves. */

import { number, percent } from "../../lib/format.js";
import { html } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";
import { Curve } from "../../parts/Curve.js";

/** @param {{quality: object | null}} props of a result */
export function QualityFacts({ quality }) {
  const { t, lang } = useWords();
  if (!quality) return null;
  return html`
    ${quality.deletion_insertion && html`<${Curves} metric=${quality.deletion_insertion} />`}
    ${quality.infidelity &&
    html`<p>
      <strong>${t("quality.infidelity")}</strong> ${number(quality.infidelity.values[0], lang)}${" "}
      <span class="hint">${t("quality.infidelity.read")}</span>
    </p>`}
    ${quality.sensitivity_max &&
    html`<p>
      <strong>${t("quality.sensitivity_max")}</strong> ${number(quality.sensitivity_max.values[0], lang)}${" "}
      <span class="hint">${t("quality.sensitivity_max.read")}</span>
    </p>`}
  `;
}

function Curves({ metric }) {
  const { t, lang } = useWords();
  const [{ deletion, insertion }] = metric.examples;
  const area = (curve) => number(curve.auc, lang);
  const share = metric.value === "probability" ? "quality.probability" : "quality.output";
  const alt = t("quality.curves.alt", { deletion: area(deletion), insertion: area(insertion) });
  return html`
    <figure class="quality-curves">
      <${Curve}
        x=${metric.fractions}
        series=${[
          { label: t("quality.deletion", { area: area(deletion) }), values: deletion.values, color: "--curve-2" },
          { label: t("quality.insertion", { area: area(insertion) }), values: insertion.values, color: "--curve-1" },
        ]}
        xLabel=${t("quality.fraction")}
        yLabel=${t(share)}
        alt=${alt}
        xRange=${[0, 1]}
      />
      <figcaption>
        ${t("quality.curves.read", { units: t(`unit.${metric.unit}`), half: percent(0.5, lang, 0) })}
      </figcaption>
    </figure>
  `;
}
