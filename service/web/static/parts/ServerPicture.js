/** A picture that the service draws. The previous one stays while the next is loading, so that nothing jumps. */

import { fetchPicture } from "../lib/api.js";
import { html, useEffect, useRef, useState } from "../lib/html.js";
import { useWords } from "../lib/i18n.js";
import { ProblemNote } from "./ProblemNote.js";

const SETTLE_MS = 60; // a control that moves asks for its last place only

/**
 * @param {{path: string, params?: object, alt: string, ratio?: number, onLoad?: (url: string) => void}} props
 *   ratio: width over height, kept free until the first picture is there
 */
export function ServerPicture({ path, params = {}, alt, ratio = 1.33, onLoad }) {
  const { lang } = useWords();
  const wanted = JSON.stringify([path, params, lang]);
  const [state, setState] = useState({ url: null, busy: true, problem: null });
  const [attempt, setAttempt] = useState(0);
  const held = useRef(null);
  useEffect(() => {
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
    <div class=${`server-picture${state.busy ? " is-busy" : ""}`} aria-busy=${state.busy}>
      ${state.url
        ? html`<img src=${state.url} alt=${alt} />`
        : html`<div class="placeholder" style=${{ aspectRatio: String(ratio) }} role="img" aria-label=${alt}></div>`}
      ${state.problem && html`<${ProblemNote} problem=${state.problem} onRetry=${() => setAttempt(attempt + 1)} />`}
    </div>
  `;
}
