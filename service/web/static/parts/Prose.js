/** A sentence of the service, whose `code` between backticks is set as such. */

import { html } from "../lib/html.js";

/** @param {{text: string}} props */
export function Prose({ text }) {
  const parts = text.split("`");
  return parts.map((part, index) => (index % 2 && index < parts.length - 1 ? html`<code>${part}</code>` : part));
}
