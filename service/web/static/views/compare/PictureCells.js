/** Maps over one picture, side by side. Pointing at a place of one shows the same place in all, with the value there. */

import { number, percent, whole } from "../../lib/format.js";
import { html, useMemo, useState } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";
import { strongestPlace } from "../../lib/npy.js";
import { ServerPicture } from "../../parts/ServerPicture.js";
import { CellState } from "./CellState.js";
import { strongestOf, valueAt } from "./maps.js";

const DRAWN_PIXELS = 512;
const STEP = 0.04; // of the picture, for one press of an arrow key
const PERCENTILE = 99; // of the service's own scale
const LEAST_ERROR = 0.0001; // of completeness, that is told exactly
const MOVES = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };

/** @param {{hasHint?: boolean}} props as `Comparison` passes them; hasHint: say how to point at a place */
export function PictureCells({ comparison, results, names, maps, scale, hasHint = true }) {
  const { t, lang } = useWords();
  const [place, setPlace] = useState(null); // {x, y, byKey} in shares of the picture
  const ratio = ratioOf(Object.values(results).find((result) => result.picture));
  const hasMaps = comparison.cells.some((cell) => cell.status === "succeeded");
  const limit = useMemo(() => sharedLimit(maps), [maps]);
  return html`
    <div class="cells" onPointerLeave=${() => setPlace(null)}>
      ${comparison.cells.map(
        (cell, index) => html`
          <figure class="cell" key=${index}>
            <h3>${names[index]}</h3>
            ${cell.status === "succeeded"
              ? html`<${Map}
                  cell=${cell}
                  name=${names[index]}
                  result=${results[cell.job]}
                  map=${maps[cell.job]}
                  limit=${scale === "shared" ? limit : null}
                  place=${place}
                  onPlace=${setPlace}
                />`
              : html`<div class="cell-empty" style=${{ aspectRatio: String(ratio) }}><${CellState} cell=${cell} /></div>`}
          </figure>
        `,
      )}
    </div>
    <p class="visually-hidden" role="status">${place?.byKey && valuesAt(place, comparison, names, maps, lang)}</p>
    ${hasHint && hasMaps && html`<p class="hint">${t("compare.point")}${scale === "shared" && limit && ` ${t("compare.scale.limit", { value: number(limit, lang, 2) })}`}</p>`}
  `;
}

/** The value of each cell at a place, for readers who do not see the maps. */
function valuesAt(place, comparison, names, maps, lang) {
  const told = comparison.cells.map(({ job }, index) => maps[job] && `${names[index]}: ${number(valueAt(maps[job], place), lang, 2)}`);
  return told.filter(Boolean).join("; ");
}

/** The largest of the maps' own scales; null before all are there. */
function sharedLimit(maps) {
  const all = Object.values(maps).map((map) => strongestOf(map, PERCENTILE));
  return all.length ? Math.max(...all) || null : null;
}

function Map({ cell, name, result, map, limit, place, onPlace }) {
  const { t, lang } = useWords();
  const params = { size: DRAWN_PIXELS, caption: false, limit };
  const point = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    onPlace({ x: share(event.clientX - box.left, box.width), y: share(event.clientY - box.top, box.height) });
  };
  const press = (event) => {
    const move = MOVES[event.key];
    if (!move) return;
    event.preventDefault();
    const from = place ?? { x: 0.5, y: 0.5 };
    onPlace({ x: share(from.x + move[0], 1), y: share(from.y + move[1], 1), byKey: true });
  };
  const where = useMemo(() => (map ? strongestPlace({ ...map, values: map.values.map(Math.abs) }) : null), [map]);
  const [first, second] = (where?.places ?? []).map((one) => t(`where.${one}`));
  const told = where && t("compare.map.where", { where: t(where.key, { place: first, second }) });
  const value = place && map ? number(valueAt(map, place), lang, 3) : null;
  return html`
    <div
      class="pointed"
      tabindex="0"
      role="application"
      aria-label=${t("compare.map.label", { name })}
      onPointerMove=${point}
      onPointerDown=${point}
      onKeyDown=${press}
    >
      <${ServerPicture} path=${`jobs/${cell.job}/overlay.png`} params=${params} alt=${[t("compare.map", { name }), told].filter(Boolean).join(" ")} ratio=${ratioOf(result)} />
      ${place && html`<span class="pin" style=${{ left: `${place.x * 100}%`, top: `${place.y * 100}%` }}></span>`}
    </div>
    <figcaption>
      <span class="cell-value">${value === null ? "" : t("compare.value", { value })}</span>
      ${value === null && result && html`<${Facts} result=${result} />`}
    </figcaption>
  `;
}

/** The cost, and how far the attributions add up. */
function Facts({ result }) {
  const { t, lang } = useWords();
  const [complete] = result.quality?.completeness ?? [];
  const error = complete?.relative_error ?? null;
  const shown = error === null ? null : Math.abs(error) < LEAST_ERROR ? `< ${percent(LEAST_ERROR, lang, 2)}` : percent(Math.abs(error), lang, 2);
  return html`
    ${result.cache ? t("compare.cached") : t(result.timing.rows === 1 ? "compare.row" : "compare.rows", { rows: whole(result.timing.rows, lang) })}
    ${shown !== null && html`<br />${t("compare.completeness", { error: shown })}`}
  `;
}

const share = (at, whole) => Math.max(0, Math.min(0.9999, at / whole));

export function ratioOf(result) {
  const crop = result?.picture?.crop;
  return crop ? (crop[2] - crop[0]) / (crop[3] - crop[1]) : 1;
}
