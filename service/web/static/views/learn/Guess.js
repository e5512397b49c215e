/** A question before the result is shown: who has guessed looks more closely. */

import { html, useEffect, useRef, useState } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";

const OPTIONS = ["a", "b", "c"];
const answered = new Map(); // by step, so that a step that comes back shows its result

/**
 * @param {{step: string, right: "a" | "b" | "c", children: unknown}} props
 *   right: what theory expects; children: the result, drawn after the answer
 */
export function Guess({ step, right, children }) {
  const { t } = useWords();
  const [answer, setAnswer] = useState(answered.get(step) ?? null);
  const [chosen, setChosen] = useState(null);
  const verdictBox = useRef(null);
  const given = useRef(false);
  useEffect(() => {
    if (given.current) verdictBox.current.focus(); // the button that had the focus is gone
  }, [answer]);
  const give = (value) => {
    answered.set(step, value);
    given.current = true;
    setAnswer(value);
  };
  if (answer === null) return html`<${Ask} ...${{ step, chosen, setChosen, give }} />`;
  const verdict = answer === "skip" ? null : answer === right ? "learn.guess.right" : "learn.guess.other";
  return html`
    <div ref=${verdictBox} class="guess is-answered" role="status" tabindex="-1">
      <p>
        ${answer !== "skip" && html`<span class="faint">${t("learn.guess.yours")}</span> ${t(`learn.${step}.${answer}`)}${" "}`}
        ${verdict && html`<strong>${t(verdict)}</strong>`}
      </p>
    </div>
    ${children}
    <div class="happened">
      <h2>${t("learn.happened")}</h2>
      <p>${t(`learn.${step}.happened`)}</p>
    </div>
  `;
}

function Ask({ step, chosen, setChosen, give }) {
  const { t } = useWords();
  const submit = (event) => {
    event.preventDefault();
    if (chosen !== null) give(chosen);
  };
  return html`
    <form class="guess" onSubmit=${submit}>
      <fieldset>
        <legend>${t(`learn.${step}.guess`)}</legend>
        ${OPTIONS.map(
          (one) => html`<label class="check" key=${one}>
            <input type="radio" name=${`guess-${step}`} value=${one} checked=${chosen === one} onChange=${() => setChosen(one)} />
            <span>${t(`learn.${step}.${one}`)}</span>
          </label>`,
        )}
      </fieldset>
      <div class="actions">
        <button type="submit" class="primary" disabled=${chosen === null}>${t("learn.guess.show")}</button>
        <button type="button" class="quiet" onClick=${() => give("skip")}>${t("learn.guess.skip")}</button>
      </div>
    </form>
  `;
}
