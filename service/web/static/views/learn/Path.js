/** Step 3: the path of Integrated Gradients, point by point. */

import { getPath } from "../../lib/api.js";
import { html, useEffect, useState } from "../../lib/html.js";
import { useWords } from "../../lib/i18n.js";
import { ProblemNote } from "../../parts/ProblemNote.js";
import { Segments } from "../../parts/Segments.js";
import { Explained } from "./Explained.js";
import { Guess } from "./Guess.js";
import { PathScrubber } from "./PathScrubber.js";
import { StepText } from "./Prose.js";
import { useExplanation } from "./useExplanation.js";

const STEP = "path";
const FRAMES = 24;
const SPACINGS = { even: 50, auto: "auto" }; // points of the quadrature

/** @param {{lesson: object}} props */
export function Path({ lesson }) {
  const { t } = useWords();
  const [spacing, setSpacing] = useState("even");
  const method = { name: "integrated_gradients", baseline: "black", frames: FRAMES, n_steps: SPACINGS[spacing] };
  const explanation = useExplanation(lesson, STEP, spacing === "even" ? "job" : "auto", method);
  const options = Object.keys(SPACINGS).map((value) => ({ value, label: t(`learn.path.${value}`) }));
  return html`
    <${StepText} step=${STEP} paragraphs=${2} />
    <${Guess} step=${STEP} right="a">
      <${Segments} label=${t("learn.path.spacing")} value=${spacing} options=${options} onChange=${setSpacing} />
      <${Explained} of=${explanation} draw=${(result) => html`<${WithPath} key=${result.id} result=${result} />`} />
    <//>
  `;
}

function WithPath({ result }) {
  const { t } = useWords();
  const [state, setState] = useState({ path: null, problem: null });
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    getPath(result.id, { signal: stop.signal }).then(
      (path) => setState({ path, problem: null }),
      (problem) => !stop.signal.aborted && setState({ path: null, problem }),
    );
    return () => stop.abort();
  }, [result.id, attempt]);
  if (state.problem) return html`<${ProblemNote} problem=${state.problem} onRetry=${() => setAttempt(attempt + 1)} />`;
  if (state.path === null) return html`<p class="hint" role="status">${t("progress.running")}</p>`;
  return html`<${PathScrubber} result=${result} points=${state.path.examples[0]} />`;
}
