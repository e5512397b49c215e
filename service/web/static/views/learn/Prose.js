/** The paragraphs of a step, and what to look at. */

import { html } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";

/** @param {{step: string, paragraphs?: number}} props paragraphs: how many the words have, `learn.<step>.text1`… */
export function StepText({ step, paragraphs = 1 }) {
  const { t } = useWords();
  const numbers = Array.from({ length: paragraphs }, (_, index) => index + 1);
  return html`
    <div class="learn-prose">
      ${numbers.map((one) => html`<p key=${one}>${t(`learn.${step}.text${one}`)}</p>`)}
      <p class="look"><strong>${t("learn.look")}</strong> ${t(`learn.${step}.look`)}</p>
    </div>
  `;
}
