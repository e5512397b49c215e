/** What is to be compared: the input, the model, and the lists of methods, classes and models. */

import { postCompare } from "../../lib/api.js";
import { inputKind } from "../../lib/catalogue.js";
import { inputOf } from "../../lib/curl.js";
import { useState } from "../../lib/html.js";
import { usePredictions } from "../../lib/predictions.js";
import { go } from "../../lib/router.js";
import { parametersOf } from "../../lib/schema.js";
import { rememberRequest, useInput, useModelName } from "../../lib/store.js";

export const MOST = 12; // cells of the page; the API takes more
const FIRST_METHODS = ["saliency", "integrated_gradients", "deep_lift", "gradient_shap", "layer_grad_cam"];
const FIRST_TARGETS = 2;
const NOTHING = { methods: null, targets: null, models: null }; // chosen yet: what is likely is proposed

/** What may be compared, with the list of the request that holds it. */
export const AXES = ["methods", "targets", "models"];

/**
 * @param {object[]} models cards
 * @param {object | null} catalogue
 */
export function useSetup(models, catalogue) {
  const [input, setInput] = useInput();
  const [modelName, setModelName] = useModelName();
  const [kind, setKind] = useState(input?.kind ?? firstKind(models));
  const [axis, setAxis] = useState("methods");
  const [chosen, setChosen] = useState(NOTHING);
  const [sending, setSending] = useState({ busy: false, problem: null });
  const cards = models.filter((one) => inputKind(one) === kind);
  const card = cards.find((one) => one.name === modelName) ?? cards[0];
  const own = input?.kind === kind ? input : null;
  const predicted = usePredictions(own, card);
  const methods = chosen.methods ?? firstMethods(card, catalogue);
  const target = chosen.targets?.[0] ?? null;
  const targets = chosen.targets ?? firstTargets(predicted.predictions);
  const compared = chosen.models ?? cards.slice(0, MOST).map((one) => one.name);
  const request = requestFor({ axis, card, methods, targets, compared, target });
  const count = countOf(request);

  const compare = async () => {
    setSending({ busy: true, problem: null });
    try {
      const comparison = await postCompare({ ...request, input: inputOf(own) });
      rememberRequest(comparison.id, { input: own, request });
      setSending({ busy: false, problem: null });
      go("compare", comparison.id);
    } catch (problem) {
      setSending({ busy: false, problem });
    }
  };
  const restart = (next) => {
    setChosen({ ...NOTHING, ...next });
    setSending({ busy: false, problem: null });
    go("compare");
  };
  const choose = (list) => (values) => setChosen({ ...chosen, [list]: values });

  return {
    kind, cards, card, input: own, axis, methods, targets, models: compared, target, predicted,
    request, count, sending, compare,
    ready: own !== null && count > 0 && count <= MOST,
    chooseKind(next) {
      setKind(next);
      restart();
    },
    chooseInput(next) {
      setInput(next);
      restart({ methods: chosen.methods });
    },
    chooseModel(name) {
      setModelName(name);
      restart();
    },
    chooseAxis: setAxis,
    chooseMethods: choose("methods"),
    chooseTargets: choose("targets"),
    chooseModels: choose("models"),
  }; // prettier-ignore
}

/** Whether a method can be compared without a parameter that only its user knows, such as the number of a unit. */
export const isComparable = (guide) => parametersOf(guide).every((one) => !one.required || one.kind === "layer");

function firstKind(models) {
  const kinds = models.map(inputKind).filter(Boolean);
  return kinds.includes("image") ? "image" : kinds[0];
}

function firstMethods(card, catalogue) {
  if (!card || !catalogue) return [];
  const supported = new Set(card.methods.filter((one) => one.supported).map((one) => one.name));
  const overInput = inputKind(card) === "image" ? FIRST_METHODS : FIRST_METHODS.filter((name) => !name.startsWith("layer_"));
  return overInput.filter((name) => supported.has(name));
}

/** The two classes that the model finds most likely, as a beginning. */
function firstTargets(predictions) {
  return (predictions ?? []).slice(0, FIRST_TARGETS).map((one) => one.index);
}

function requestFor({ axis, card, methods, targets, compared, target }) {
  if (!card) return null;
  if (axis === "targets") return { models: [card.name], methods: methods.slice(0, 1), targets };
  const names = axis === "models" ? compared : [card.name];
  const request = { models: names, methods: axis === "models" ? methods.slice(0, 1) : methods };
  return target === null || axis === "models" ? request : { ...request, targets: [target] };
}

function countOf(request) {
  if (!request) return 0;
  return request.models.length * request.methods.length * (request.targets?.length ?? 1);
}
