/** Two cells side by side, with their agreement, and where over the picture they differ. */

import { fetchPicture } from "../../lib/api.js";
import { fixed, percent } from "../../lib/format.js";
import { html, useEffect, useMemo, useRef } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";
import { FeatureColumns } from "./FeatureColumns.js";
import { strongestOfBoth } from "./maps.js";
import { PictureCells } from "./PictureCells.js";
import { TextCells, WordDifference } from "./TextCells.js";

const CANVAS_PIXELS = 480;
const DIMMED = 0.45; // of the picture's light, so that the colours stand out
const COLORS = [null, [232, 89, 12, 215], [28, 110, 205, 215], [255, 255, 255, 235]]; // first, second, both

export function Pair({ comparison, results, names, maps, scale, made, kind, pair, onClose }) {
  const { t, lang } = useWords();
  const place = useRef(null);
  const entry = comparison.agreement.find((one) => one.cells.join() === pair.join());
  const both = { ...comparison, cells: pair.map((index) => comparison.cells[index]) };
  const shown = { comparison: both, results, names: pair.map((index) => names[index]), scale, made };
  const [first, second] = both.cells.map((cell) => maps[cell.job]);
  useEffect(() => {
    place.current.scrollIntoView({ block: "nearest" });
    place.current.focus({ preventScroll: true });
  }, [pair.join()]);
  const figures = ["spearman", "strongest_tenth", "signs"].filter((name) => entry[name] !== null);
  return html`
    <section class="pair" ref=${place} tabindex="-1" aria-label=${t("agreement.pair", { first: shown.names[0], second: shown.names[1] })}>
      <p class="pair-figures">
        ${figures.map((name) => html`<span key=${name}>${t(`agreement.${name}`)} <strong>${fixed(entry[name], lang)}</strong></span>`)}
        <button type="button" class="quiet" onClick=${onClose}>${t("agreement.close")}</button>
      </p>
      ${kind === "text" && html`<${TextCells} ...${shown} /><${WordDifference} ...${shown} />`}
      ${kind === "features" && html`<${FeatureColumns} ...${shown} isPair=${true} />`}
      ${first && second &&
      html`
        <div class="pair-pictures">
          <${PictureCells} ...${shown} maps=${maps} hasHint=${false} />
          <${Difference} first=${first} second=${second} names=${shown.names} job=${both.cells[0].job} />
        </div>
      `}
    </section>
  `;
}

/** The strongest tenth of each over the picture, in two colours. */
function Difference({ first, second, names, job }) {
  const { t, lang } = useWords();
  const canvas = useRef(null);
  const both = useMemo(() => strongestOfBoth(first, second), [first, second]);
  useEffect(() => {
    const stop = new AbortController();
    draw(canvas.current, both, job, stop.signal).catch(() => {}); // the words below say the same
    return () => stop.abort();
  }, [both, job]);
  const share = (name) => percent(both.shares[name], lang, 0);
  const alt = t("difference.alt", { first: names[0], second: names[1], both: share("both") });
  return html`
    <figure class="difference">
      <h3>${t("difference.title")}</h3>
      <canvas ref=${canvas} width=${CANVAS_PIXELS} height=${CANVAS_PIXELS} role="img" aria-label=${alt}></canvas>
      <figcaption>
        <p><span class="key first"></span> ${t("difference.only", { name: names[0], share: share("first") })}</p>
        <p><span class="key second"></span> ${t("difference.only", { name: names[1], share: share("second") })}</p>
        <p><span class="key both"></span> ${t("difference.both", { share: share("both") })}</p>
      </figcaption>
    </figure>
  `;
}

async function draw(canvas, { side, kinds }, job, signal) {
  const context = canvas.getContext("2d");
  context.fillStyle = "#555";
  context.fillRect(0, 0, canvas.width, canvas.height);
  const params = { style: "blend", alpha: 0, caption: false, size: CANVAS_PIXELS };
  const picture = await fetchPicture(`jobs/${job}/overlay.png`, params, signal).catch(() => null);
  if (signal.aborted) return;
  if (picture) {
    const image = new Image();
    image.src = picture.url;
    await image.decode();
    canvas.height = Math.round((canvas.width * image.naturalHeight) / image.naturalWidth);
    context.filter = `grayscale(1) brightness(${DIMMED})`;
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    context.filter = "none";
    picture.release();
  }
  const layer = new OffscreenCanvas(side, side);
  const pixels = new ImageData(side, side);
  kinds.forEach((kind, place) => kind && pixels.data.set(COLORS[kind], 4 * place));
  layer.getContext("2d").putImageData(pixels, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(layer, 0, 0, canvas.width, canvas.height);
}
