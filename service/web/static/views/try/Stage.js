/** The large place of the view: the input, and the explanation over it as soon as there is one. */

import { html, useEffect, useRef, useState } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";
import { useWhere } from "../../lib/useWhere.js";
import { FeatureBars } from "../../parts/FeatureBars.js";
import { OverlayControls } from "../../parts/OverlayControls.js";
import { ServerPicture } from "../../parts/ServerPicture.js";
import { TokenText } from "../../parts/TokenText.js";

/** @param {{trial: object}} props as `useTry` gives it */
export default function Stage({ trial }) {
  const place = useRef(null);
  const { result } = trial.follow;
  useEffect(() => {
    const { top, bottom } = place.current.getBoundingClientRect();
    if (result && (top < 0 || top > innerHeight / 2) && bottom !== top) place.current.scrollIntoView(); // on a phone
  }, [result?.id]);
  return html`<div class="hero" ref=${place}><${Shown} trial=${trial} /></div>`;
}

function Shown({ trial }) {
  const { input, follow } = trial;
  const { result } = follow;
  if (result?.words) return html`<${TextResult} result=${result} trial=${trial} />`;
  if (result?.features) return html`<${TableResult} result=${result} />`;
  if (result) return html`<${PictureResult} result=${result} trial=${trial} />`;
  if (input?.kind === "image") return html`<${Chosen} input=${input} />`;
  if (input?.kind === "text") return html`<p class="token-text">${input.text}</p>`;
  return null;
}

function Chosen({ input }) {
  const { t } = useWords();
  return html`
    <figure>
      <img
        class="chosen"
        src=${input.url}
        width=${input.width}
        height=${input.height}
        alt=${t("try.chosen", { name: input.name })}
      />
      <figcaption>${input.name} · ${input.width} × ${input.height}</figcaption>
    </figure>
  `;
}

function PictureResult({ result, trial }) {
  const { t } = useWords();
  const [bare, setBare] = useState(false);
  const where = useWhere(result.id, trial.overlay.sign);
  const target = result.target?.[0];
  const words = { method: trial.guide?.title ?? result.method.name, target: target?.label ?? target?.index ?? "" };
  const alt = where === null ? t("try.map", words) : `${t("try.map", words)} ${t("try.map.where", { where })}`;
  const picture = result.picture;
  const ratio = picture ? (picture.crop[2] - picture.crop[0]) / (picture.crop[3] - picture.crop[1]) : 1;
  const look = bare ? { style: "blend", alpha: 0 } : trial.overlay;
  return html`
    <figure>
      <${ServerPicture}
        path=${`jobs/${result.id}/overlay.png`}
        params=${look}
        fit
        alt=${bare ? t("try.seen") : alt}
        ratio=${ratio}
      />
      <figcaption>
        ${where && html`<p>${t("try.map.where", { where })}</p>`}
        ${picture &&
        html`<label class="check">
          <input type="checkbox" checked=${bare} onChange=${(event) => setBare(event.target.checked)} />
          <span>${t("try.bare")}</span>
        </label>`}
      </figcaption>
      <${OverlayControls} value=${trial.overlay} onChange=${trial.chooseOverlay} />
    </figure>
  `;
}

function TextResult({ result, trial }) {
  const { t } = useWords();
  const [byToken, setByToken] = useState(false);
  const text = trial.made?.input?.text ?? null;
  const scores = (byToken && result.tokens ? result.tokens : result.words)[0];
  return html`
    <figure>
      <${TokenText} scores=${scores} text=${text} />
      <figcaption>
        <${Raises} result=${result} />
        ${result.tokens &&
        html`<label class="check">
          <input type="checkbox" checked=${byToken} onChange=${(event) => setByToken(event.target.checked)} />
          <span>${t("try.tokens")}</span>
        </label>`}
      </figcaption>
    </figure>
  `;
}

function TableResult({ result }) {
  return html`
    <figure>
      <${FeatureBars} scores=${result.features[0]} />
      <figcaption><${Raises} result=${result} /></figcaption>
    </figure>
  `;
}

/** What the two colours mean. */
function Raises({ result }) {
  const { t } = useWords();
  const target = result.target?.[0];
  const name = target?.label ?? target?.index;
  return html`
    <p>
      <span class="key raises"></span> ${name === undefined ? t("raises") : t("raises.target", { target: name })}${" "}
      <span class="key lowers"></span> ${name === undefined ? t("lowers") : t("lowers.target", { target: name })}
    </p>
  `;
}
