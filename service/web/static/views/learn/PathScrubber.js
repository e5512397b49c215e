/** A slider along the path: the picture lights up, the score moves, the map fills, the account closes. */

import { html, useEffect, useState } from "../../lib/html.js";
import { number, percent, signedTo } from "../../lib/format.js";
import { useWords } from "../../lib/i18n.js";
import { Curve } from "../../parts/Curve.js";
import { ServerPicture } from "../../parts/ServerPicture.js";
import { Account } from "./Account.js";
import { LitPicture } from "./LitPicture.js";
import { ratioOf } from "./MapPicture.js";
import { curvesOf } from "./path_curves.js";

const FRAME_MS = 350; // a map is drawn and fetched within that

/** @param {{result: object, points: object}} props points: of one example, as `/jobs/{id}/path` gives them */
export function PathScrubber({ result, points }) {
  const { t, lang } = useWords();
  const last = points.alphas.length - 1;
  const [at, setAt] = useState(0);
  const alpha = points.alphas[at];
  const words = {
    alpha: percent(alpha, lang, 0),
    score: number(points.outputs[at], lang),
    sum: signedTo(points.sums[at], lang),
  };
  return html`
    <div class="scrubber">
      <div class="pair even">
        <figure>
          <${LitPicture} result=${result} alpha=${alpha} alt=${t("learn.path.lit", words)} />
          <figcaption>${t("learn.path.lit", words)}</figcaption>
        </figure>
        <figure>
          <${ServerPicture}
            path=${`jobs/${result.id}/overlay.png`}
            params=${{ frame: at, style: "heatmap", sign: "all", caption: false, size: 480 }}
            ratio=${ratioOf(result)}
            alt=${t("learn.path.map", words)}
          />
          <figcaption>${t("learn.path.map", words)}</figcaption>
        </figure>
      </div>
      <${Controls} at=${at} last=${last} setAt=${setAt} text=${`${t("learn.path.lit", words)}. ${t("learn.path.score", words)}`} />
      <div class="pair even">
        <${Scores} points=${points} alpha=${alpha} />
        <${Account} points=${points} at=${at} />
      </div>
    </div>
  `;
}

function Controls({ at, last, setAt, text }) {
  const { t } = useWords();
  const [playing, setPlaying] = useState(false);
  useEffect(() => {
    if (!playing) return undefined;
    const timer = setInterval(() => setAt((before) => Math.min(last, before + 1)), FRAME_MS);
    return () => clearInterval(timer);
  }, [playing, last]);
  useEffect(() => {
    if (at === last) setPlaying(false);
  }, [at, last]);
  const play = () => {
    if (!playing && at === last) setAt(0);
    setPlaying(!playing);
  };
  return html`
    <div class="scrub-row">
      ${!prefersStillness() && html`<button type="button" onClick=${play}>${t(playing ? "learn.path.pause" : "learn.path.play")}</button>`}
      <label class="slider">
        <span>${t("learn.path.slider")}</span>
        <input
          type="range"
          min="0"
          max=${last}
          step="1"
          value=${at}
          aria-valuetext=${text}
          onInput=${(event) => {
            setPlaying(false);
            setAt(Number(event.target.value));
          }}
        />
      </label>
    </div>
  `;
}

function Scores({ points, alpha }) {
  const { t } = useWords();
  const { x, scores, kept } = curvesOf(points);
  const series = [
    { label: t("learn.path.curve.score"), values: scores },
    { label: t("learn.path.curve.sum"), values: kept, dash: [6, 4] },
  ];
  return html`
    <div>
      <h2>${t("learn.path.curves")}</h2>
      <${Curve}
        x=${x}
        series=${series}
        marker=${alpha}
        xLabel=${t("learn.path.light")}
        yLabel=${t("learn.score")}
        alt=${t("learn.path.curves.alt")}
      />
    </div>
  `;
}

const prefersStillness = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
