/** Learn: a walk in eight steps through five families of methods, on the learner's own picture. */

import { inputKind, useMethods, useModels } from "../../lib/catalogue.js";
import { html, useEffect, useRef } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";
import { PictureChooser } from "../../parts/PictureChooser.js";
import { ProblemNote } from "../../parts/ProblemNote.js";
import { Steps, Turn } from "./Steps.js";
import { STEPS } from "./steps.js";
import { useLesson } from "./useLesson.js";

/** @param {{route: {id: string | null, query: Record<string, string>}}} props */
export default function Learn({ route }) {
  const { t } = useWords();
  const { models, problem } = useModels();
  const cards = models?.filter((card) => inputKind(card) === "image") ?? [];
  return html`
    <div class="learn">
      ${problem && html`<${ProblemNote} problem=${problem} />`}
      ${!models?.length && !problem && html`<h1>${t("learn.title")}</h1><p role="status">${t("models.loading")}</p>`}
      ${models?.length > 0 && cards.length === 0 && html`<h1>${t("learn.title")}</h1><p>${t("learn.nomodel")}</p>`}
      ${cards.length > 0 && html`<${Walk} cards=${cards} route=${route} />`}
    </div>
  `;
}

function Walk({ cards, route }) {
  const { t } = useWords();
  const catalogue = useMethods();
  const lesson = useLesson(cards, catalogue, route);
  const index = Math.max(0, STEPS.findIndex((step) => step.id === route.id));
  const { id, view: View } = STEPS[index];
  const heading = useRef(null);
  const first = useRef(true);
  useEffect(() => {
    if (!first.current) {
      scrollTo(0, 0);
      heading.current.focus({ preventScroll: true });
    }
    first.current = false;
  }, [id]);
  return html`
    <${Steps} index=${index} lesson=${lesson} />
    <p class="learn-count faint">${t("learn.count", { step: index + 1, all: STEPS.length })}</p>
    <h1 ref=${heading} tabindex="-1">${t(`learn.${id}.title`)}</h1>
    ${index === 0 && html`<p class="lead">${t("learn.lead")}</p>`}
    ${index > 0 && id !== "choose" && html`<p class="analogy">${t(`learn.${id}.analogy`)}</p>`}
    ${(index === 0 || (lesson.input === null && id !== "choose")) && html`<${Picture} lesson=${lesson} first=${index === 0} />`}
    <${View} key=${id} lesson=${lesson} />
    <${Turn} index=${index} lesson=${lesson} />
  `;
}

function Picture({ lesson, first }) {
  const { t } = useWords();
  return html`
    ${!first && html`<p class="hint">${t(lesson.hasStored ? "learn.restored" : "learn.needs")}</p>`}
    <${PictureChooser} value=${lesson.input} onChange=${lesson.chooseInput} />
  `;
}
