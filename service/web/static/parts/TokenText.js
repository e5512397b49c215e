/** A text whose words are coloured by their attribution: what raises the output is red, what lowers it blue. */

import { signed } from "../lib/format.js";
import { html } from "../lib/html.js";
import { useWords } from "../lib/i18n.js";

const NAMED = 3; // words that are told to readers who do not see the colours

/**
 * @param {{scores: {text: string, start: number, end: number, score: number}[], text?: string | null,
 *   limit?: number}} props
 *   text: the whole text, if it is known; limit: the score of the strongest colour, so that several texts share a scale
 */
export function TokenText({ scores, text = null, limit }) {
  const { t, lang } = useWords();
  const largest = limit ?? Math.max(...scores.map((one) => Math.abs(one.score)), 1e-30);
  const strongest = [...scores].sort((a, b) => Math.abs(b.score) - Math.abs(a.score)).slice(0, NAMED);
  const told = strongest.map((one) => `${one.text} ${signed(one.score, lang)}`).join(", ");
  return html`
    <p class="token-text">
      ${pieces(scores, text).map((piece) =>
        piece.score === null
          ? piece.text
          : html`<span
              class=${piece.score >= 0 ? "token raises" : "token lowers"}
              style=${{ "--strength": Math.min(1, Math.abs(piece.score) / largest) }}
              title=${signed(piece.score, lang, 3)}
              >${piece.text}</span
            >`,
      )}
    </p>
    <p class="visually-hidden">${t("text.strongest", { words: told })}</p>
  `;
}

/** The words with what stands between them; `score` is null there. */
function pieces(scores, text) {
  const found = [];
  let at = 0;
  for (const one of [...scores].sort((a, b) => a.start - b.start)) {
    if (one.start < at || one.end <= one.start) continue;
    if (one.start > at) found.push({ text: text === null ? " " : text.slice(at, one.start), score: null });
    found.push({ text: text === null ? one.text : text.slice(one.start, one.end), score: one.score });
    at = one.end;
  }
  if (text !== null && at < text.length) found.push({ text: text.slice(at), score: null });
  return found;
}
