/** The picture as the model sees it, on its way from a black baseline: alpha times each pixel. */

import { fetchPicture } from "../../lib/api.js";
import { html, useEffect, useRef, useState } from "../../lib/html.js";
import { ProblemNote } from "../../parts/ProblemNote.js";
import { ratioOf } from "./MapPicture.js";

/** @param {{result: object, alpha: number, alt: string}} props alpha: 0 the baseline, 1 the picture */
export function LitPicture({ result, alpha, alt }) {
  const canvas = useRef(null);
  const { image, problem } = useSeenPicture(result.id);
  useEffect(() => {
    if (image === null) return;
    const { current } = canvas;
    Object.assign(current, { width: image.naturalWidth, height: image.naturalHeight });
    const context = current.getContext("2d");
    context.fillRect(0, 0, current.width, current.height);
    context.globalAlpha = alpha;
    context.drawImage(image, 0, 0);
  }, [image, alpha]);
  if (problem) return html`<${ProblemNote} problem=${problem} />`;
  return html`<canvas ref=${canvas} class="lit" role="img" aria-label=${alt} style=${{ aspectRatio: String(ratioOf(result)) }}></canvas>`;
}

/** The part of the picture that the model sees, without a map. */
function useSeenPicture(id) {
  const [state, setState] = useState({ image: null, problem: null });
  useEffect(() => {
    const stop = new AbortController();
    const load = async () => {
      const look = { style: "blend", alpha: 0, caption: false, size: 480 };
      const picture = await fetchPicture(`jobs/${id}/overlay.png`, look, stop.signal);
      const image = new Image();
      image.src = picture.url;
      await image.decode();
      picture.release();
      if (!stop.signal.aborted) setState({ image, problem: null });
    };
    load().catch((problem) => !stop.signal.aborted && setState({ image: null, problem }));
    return () => stop.abort();
  }, [id]);
  return state;
}
