/** Where one is in the walk, and the ways to the other steps. */

import { html } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";
import { STEPS } from "./steps.js";

/** @param {{index: number, lesson: object}} props */
export function Steps({ index, lesson }) {
  const { t } = useWords();
  return html`
    <nav class="learn-steps" aria-label=${t("learn.steps")}>
      <ol>
        ${STEPS.map(
          (step, at) => html`<li key=${step.id}>
            <a
              href=${lesson.address(step.id)}
              aria-current=${at === index ? "step" : undefined}
              title=${t(`learn.${step.id}.short`)}
              class=${at < index ? "is-past" : ""}
            >
              <span class="dot" aria-hidden="true"></span>
              <span class="step-name">${t(`learn.${step.id}.short`)}</span>
            </a>
          </li>`,
        )}
      </ol>
    </nav>
  `;
}

/** @param {{index: number, lesson: object}} props */
export function Turn({ index, lesson }) {
  const { t } = useWords();
  const before = STEPS[index - 1];
  const after = STEPS[index + 1];
  return html`
    <nav class="learn-turn" aria-label=${t("learn.turn")}>
      ${before &&
      html`<a href=${lesson.address(before.id)} rel="prev">
        <span class="faint">${t("learn.previous")}</span> ${t(`learn.${before.id}.short`)}
      </a>`}
      ${after &&
      html`<a class="next" href=${lesson.address(after.id)} rel="next">
        <span class="faint">${t("learn.next")}</span> ${t(`learn.${after.id}.short`)}
      </a>`}
    </nav>
  `;
}
