/** A picture that the service draws. The previous one stays while the next is loading, so that nothing jumps. */

import { fetchPicture } from "../lib/api.js";
import { html, useEffect, useRef, useState } from "../lib/html.js";
import { useWords } from "../lib/i18n.js";
import { ProblemNote } from "./ProblemNote.js";

const SETTLE_MS = 60; // a control that moves asks for its last place only

/**
 * @param {{path: string, params?: object, alt: string, ratio?: number, fit?: boolean, onLoad?: (url: string) => void}}
 *   props ratio: width over height, kept free until the first picture is there; fit: asks for an overlay with as many
 *   pixels as the screen shows at this place, and letters that are legible there
 */
export function ServerPicture({ path, params: given = {}, alt, ratio = 1.33, fit = false, onLoad }) {
  const { lang } = useWords();
  const place = useRef(null);
  const params = useFit(place, fit, ratio, given);
  const wanted = params === null ? null : JSON.stringify([path, params, lang]);
  const [state, setState] = useState({ url: null, busy: true, problem: null });
  const [attempt, setAttempt] = useState(0);
  const held = useRef(null);
  useEffect(() => {
    if (wanted === null) return undefined;
    const stop = new AbortController();
    setState((before) => ({ ...before, busy: true }));
    const timer = setTimeout(async () => {
      try {
        const picture = await fetchPicture(path, params, stop.signal);
        held.current?.release();
        held.current = picture;
        setState({ url: picture.url, busy: false, problem: null });
        onLoad?.(picture.url);
      } catch (problem) {
        if (!stop.signal.aborted) setState((before) => ({ ...before, busy: false, problem }));
      }
    }, held.current === null ? 0 : SETTLE_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [wanted, attempt]);
  useEffect(() => () => held.current?.release(), []);
  return html`
    <div ref=${place} class=${`server-picture${state.busy ? " is-busy" : ""}`} aria-busy=${state.busy}>
      ${state.url
        ? html`<img src=${state.url} alt=${alt} />`
        : html`<div class="placeholder" style=${{ aspectRatio: String(ratio) }} role="img" aria-label=${alt}></div>`}
      ${state.problem && html`<${ProblemNote} problem=${state.problem} onRetry=${() => setAttempt(attempt + 1)} />`}
    </div>
  `;
}

const LETTER_PIXELS = 14; // of the screen, as the page's own captions
const LARGEST_PIXELS = 1600; // of the longer side: sharp, and drawn within a second
const STEP_PIXELS = 64; // so that a window that is dragged asks rarely

/** The parameters with the size of the place; null before it is known. */
function useFit(place, fit, ratio, params) {
  const [width, setWidth] = useState(null);
  useEffect(() => {
    if (!fit) return undefined;
    const measure = () => {
      const shown = place.current?.clientWidth ?? 0;
      if (shown > 0) setWidth(Math.ceil(shown / STEP_PIXELS) * STEP_PIXELS);
    };
    measure();
    const follow = new ResizeObserver(measure);
    follow.observe(place.current);
    return () => follow.disconnect();
  }, [fit]);
  if (!fit) return params;
  if (width === null) return null;
  const panels = params.style === "side_by_side" ? 3 : 1;
  const longer = (width * Math.min(devicePixelRatio, 2)) / panels / Math.min(1, ratio);
  const size = Math.round(Math.min(LARGEST_PIXELS, longer));
  const letters = Math.round((LETTER_PIXELS * size * Math.min(1, ratio) * panels) / width);
  return { size, text: Math.max(8, Math.min(128, letters)), ...params };
}
