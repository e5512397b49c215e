/** How a map is drawn: style, sign, colours, percentile, smoothing, opacity. Nothing is computed again. */

import { percent, number } from "../lib/format.js";
import { html } from "../lib/html.js";
import { useWords } from "../lib/i18n.js";
import { ALPHA, DIVERGING, PERCENTILE, SEQUENTIAL, SIGNS, SMOOTH, STYLES } from "../lib/overlay_options.js";
import { Segments } from "./Segments.js";

/**
 * @param {{value: object, onChange: (value: object) => void, styles?: string[]}} props
 *   value: query parameters of `overlay.png`; absent ones are the service's defaults; styles: those that are offered
 */
export function OverlayControls({ value, onChange, styles = STYLES }) {
  const { t, lang } = useWords();
  const set = (name, chosen) => onChange({ ...value, [name]: chosen });
  const options = (names, words) => names.map((name) => ({ value: name, label: t(`${words}.${name}`) }));
  const style = value.style ?? STYLES[0];
  return html`
    <div class="overlay-controls" role="group" aria-label=${t("overlay.controls")}>
      <${Segments}
        label=${t("overlay.style")}
        value=${style}
        options=${options(styles, "style")}
        onChange=${(chosen) => set("style", chosen)}
      />
      <${Segments}
        label=${t("overlay.sign")}
        value=${value.sign ?? SIGNS[0]}
        options=${options(SIGNS, "sign")}
        onChange=${(chosen) => onChange({ ...value, sign: chosen, colormap: undefined })}
      />
      <div class="overlay-numbers">
        <${Slider}
          label=${t("overlay.percentile")}
          bounds=${PERCENTILE}
          value=${value.percentile ?? PERCENTILE.initial}
          shown=${number(value.percentile ?? PERCENTILE.initial, lang)}
          onChange=${(chosen) => set("percentile", chosen)}
        />
        <${Slider}
          label=${t("overlay.smooth")}
          bounds=${SMOOTH}
          value=${value.smooth ?? 0}
          shown=${value.smooth === undefined ? t("overlay.by_method") : percent(value.smooth, lang, 2)}
          onChange=${(chosen) => set("smooth", chosen)}
        />
        ${style !== "heatmap" &&
        style !== "masked" &&
        html`<${Slider}
          label=${t("overlay.alpha")}
          bounds=${ALPHA}
          value=${value.alpha ?? ALPHA.initial}
          shown=${percent(value.alpha ?? ALPHA.initial, lang, 0)}
          onChange=${(chosen) => set("alpha", chosen)}
        />`}
        ${style !== "masked" && html`<${Colors} value=${value} onChange=${(chosen) => set("colormap", chosen)} />`}
      </div>
    </div>
  `;
}

function Slider({ label, bounds, value, shown, onChange }) {
  return html`
    <label class="slider">
      <span>${label} <output>${shown}</output></span>
      <input
        type="range"
        aria-label=${label}
        min=${bounds.min}
        max=${bounds.max}
        step=${bounds.step}
        value=${value}
        aria-valuetext=${shown}
        onInput=${(event) => onChange(event.target.valueAsNumber)}
      />
    </label>
  `;
}

function Colors({ value, onChange }) {
  const { t } = useWords();
  const names = value.sign === "all" ? DIVERGING : SEQUENTIAL;
  return html`
    <label class="field">
      <span>${t("overlay.colors")}</span>
      <select value=${value.colormap ?? ""} onChange=${(event) => onChange(event.target.value || undefined)}>
        <option value="">${t("overlay.by_sign")}</option>
        ${names.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
      </select>
    </label>
  `;
}
