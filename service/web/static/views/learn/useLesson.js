/** What all steps share: the picture, the model, the class, and the jobs that the address names. */

import { useMemo } from "../../lib/html.js";
import { go, readRoute, routeHash } from "../../lib/router.js";
import { useInput, useModelName } from "../../lib/store.js";

const CLASS = "class";

/**
 * @param {object[]} cards models that take pictures
 * @param {object | null} catalogue of methods
 * @param {{id: string | null, query: Record<string, string>}} route
 */
export function useLesson(cards, catalogue, route) {
  const [given, setInput] = useInput();
  const [modelName, setModelName] = useModelName();
  const input = given?.kind === "image" ? given : null;
  const card = cards.find((one) => one.name === modelName) ?? cards[0];
  const { [CLASS]: chosen, ...stored } = route.query;
  const target = /^\d+$/.test(chosen ?? "") ? Number(chosen) : null;
  return useMemo(() => {
    const kept = target === null ? {} : { [CLASS]: target };
    return {
      cards,
      card,
      catalogue,
      input,
      target,
      stored,
      hasStored: Object.keys(stored).length > 0,
      address: (step) => routeHash("learn", step, kept),
      chooseInput(next) {
        setInput(next);
        go("learn", route.id, {}, { replace: true });
      },
      chooseModel(name) {
        setModelName(name);
        go("learn", route.id, {}, { replace: true });
      },
      chooseTarget: (index) => go("learn", route.id, { [CLASS]: index }, { replace: true }),
      keepJob,
    };
  }, [cards.length, card, catalogue, input, target, route.id, JSON.stringify(stored)]);
}

/** Put a job into the address of the step that has asked for it, so that the address restores it. */
function keepJob(step, slot, id) {
  const now = readRoute(location.hash);
  if (now.view !== "learn" || (now.id ?? "question") !== step) return;
  go("learn", step, { ...now.query, [slot]: id }, { replace: true });
}
