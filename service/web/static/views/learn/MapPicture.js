/** The map of a result over the picture, with words for where it is strongest. */

import { html } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";
import { useWhere } from "../../lib/useWhere.js";
import { ServerPicture } from "../../parts/ServerPicture.js";

/** Width over height of the part of the picture that the model sees. */
export function ratioOf(result) {
  const crop = result.picture?.crop;
  return crop ? (crop[2] - crop[0]) / (crop[3] - crop[1]) : 1;
}

/** @param {{result: object, title: string, params?: object, note?: string, hideWhere?: boolean}} props */
export function MapPicture({ result, title, params = {}, note, hideWhere = false }) {
  const { t } = useWords();
  const where = useWhere(result.id, params.sign);
  const place = where === null ? "" : t("learn.where", { where });
  return html`
    <figure class="map">
      <${ServerPicture}
        path=${`jobs/${result.id}/overlay.png`}
        params=${{ caption: false, size: 640, ...params }}
        ratio=${ratioOf(result)}
        alt=${`${title}. ${place}`}
      />
      <figcaption>
        <strong>${title}</strong>
        ${note && html` ${note}`}
        ${!hideWhere && place && html` ${place}`}
      </figcaption>
    </figure>
  `;
}
