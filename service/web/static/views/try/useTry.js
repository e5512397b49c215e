/** What the view Try holds: the input, the model, the target, the method, and the job of the address. */

import { cancelJob, postExplain } from "../../lib/api.js";
import { inputKind } from "../../lib/catalogue.js";
import { inputOf } from "../../lib/curl.js";
import { useEffect, useMemo, useState } from "../../lib/html.js";
import { usePredictions } from "../../lib/predictions.js";
import { go } from "../../lib/router.js";
import { methodOf } from "../../lib/schema.js";
import { rememberRequest, rememberedRequest, useInput, useModelName } from "../../lib/store.js";
import { useJob } from "../../lib/useJob.js";

const FIRST_KIND = "image";

/**
 * @param {object[]} models cards; none while they are not known
 * @param {object | null} catalogue of methods
 * @param {string | null} id of the job that the address names
 */
export function useTry(models, catalogue, id) {
  const [input, setInput] = useInput();
  const [modelName, setModelName] = useModelName();
  const follow = useJob(id);
  const [wantedKind, setKind] = useState(input?.kind ?? FIRST_KIND);
  const kind = kindAmong(models, wantedKind);
  const card = cardFor(models, modelName, kind);
  const [form, setForm] = useState({ name: null, values: {} });
  const [target, setTarget] = useState(null);
  const [quality, setQuality] = useState([]);
  const [overlay, setOverlay] = useState({});
  const [sending, setSending] = useState({ busy: false, problem: null });
  const own = input?.kind === kind ? input : null;
  const predicted = usePredictions(own, card);
  const guide = guideFor(card, catalogue, form.name);

  const restart = () => {
    setTarget(null);
    setSending({ busy: false, problem: null });
    go("try");
  };
  useRestored({ id, follow, models, own, setKind, setModelName, setForm, setTarget, setInput });

  const request = useMemo(() => {
    if (!card || !guide) return null;
    const made = { model: card.name, method: methodOf(guide, form.values) };
    if (target !== null) made.target = target;
    if (quality.length) made.quality = quality;
    return made;
  }, [card, guide, form, target, quality]);

  const explain = async () => {
    setSending({ busy: true, problem: null });
    try {
      const job = await postExplain({ ...request, input: inputOf(own) });
      rememberRequest(job.id, { input: own, request });
      setSending({ busy: false, problem: null });
      go("try", job.id);
    } catch (problem) {
      setSending({ busy: false, problem });
    }
  };

  return {
    kind,
    input: own,
    card,
    guide,
    form,
    target,
    quality,
    overlay,
    request,
    follow,
    id,
    predicted,
    sending,
    made: id === null ? null : rememberedRequest(id),
    chooseKind(next) {
      setKind(next);
      setForm({ name: null, values: {} });
      restart();
    },
    chooseInput(next) {
      setInput(next);
      restart();
    },
    chooseModel(name) {
      setModelName(name);
      if (own?.kind === "features" && !fits(own, models.find((one) => one.name === name))) setInput(null);
      restart();
    },
    chooseTarget: setTarget,
    chooseMethod: (name, values) => setForm({ name, values }),
    chooseQuality: setQuality,
    chooseOverlay: setOverlay,
    explain,
    cancel: () => cancelJob(id).catch(() => {}), // the job's own events say how it ended
  };
}

/** A view that an address restores takes model, method and target from the job, and a table's row from its result. */
function useRestored({ id, follow, models, own, setKind, setModelName, setForm, setTarget, setInput }) {
  const { job, result } = follow;
  useEffect(() => {
    if (id === null || job === null || rememberedRequest(id)) return;
    const card = models.find((one) => one.name === job.model);
    if (!card) return;
    const { name, ...values } = job.method;
    setKind(inputKind(card) ?? FIRST_KIND);
    setModelName(job.model);
    setForm({ name, values });
    if (job.target?.length === 1) setTarget(job.target[0].index);
  }, [id, job?.id, models.length > 0]);
  useEffect(() => {
    if (!result?.features || own !== null || result.features.length !== 1) return;
    const features = Object.fromEntries(result.features[0].map((column) => [column.name, column.value]));
    const input = { kind: "features", features };
    rememberRequest(id, { input, request: null });
    setInput(input);
  }, [result?.id]);
}

/** Whether a row has the columns of a model. */
function fits(input, card) {
  const columns = card.input.features ?? [];
  return columns.length === Object.keys(input.features).length && columns.every((one) => one.name in input.features);
}

/** The kind that is wanted where a model takes it, or while none is known; else one that a model takes. */
function kindAmong(models, wanted) {
  const kinds = models.map(inputKind).filter(Boolean);
  return kinds.length === 0 || kinds.includes(wanted) ? wanted : kinds.includes(FIRST_KIND) ? FIRST_KIND : kinds[0];
}

function cardFor(models, name, kind) {
  const fitting = models.filter((one) => inputKind(one) === kind);
  return fitting.find((one) => one.name === name) ?? fitting[0] ?? null;
}

function guideFor(card, catalogue, name) {
  if (!card || !catalogue) return null;
  const wanted = name ?? card.defaults?.method;
  return catalogue.methods.find((guide) => guide.name === wanted) ?? null;
}
