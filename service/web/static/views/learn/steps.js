/** The steps of the walk, in their order, as their addresses name them. */

import { Baseline } from "./Baseline.js";
import { Choose } from "./Choose.js";
import { DeepLift } from "./DeepLift.js";
import { GradCam } from "./GradCam.js";
import { GradientShap } from "./GradientShap.js";
import { Path } from "./Path.js";
import { Question } from "./Question.js";
import { Saliency } from "./Saliency.js";

/** `id` is part of the address and of the keys of the step's words. */
export const STEPS = [
  { id: "question", view: Question },
  { id: "saliency", view: Saliency },
  { id: "path", view: Path },
  { id: "baseline", view: Baseline },
  { id: "layers", view: GradCam },
  { id: "deeplift", view: DeepLift },
  { id: "shap", view: GradientShap },
  { id: "choose", view: Choose },
];
