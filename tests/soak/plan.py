"""What the clients of one seed do: a list of jobs, drawn from the seed alone. Pure."""

import base64
import io
import json
import random
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from PIL import Image

from tests.soak.model_folders import COLUMNS, KILLS, PICTURE_SIDE, WORDS

Waiting = Literal["poll", "events", "wait_job", "wait_result"]
GRID = {"feature_mask": {"grid": [2, 2]}}
LAYER = {"table": "1", "picture": "1"}
# Cheap parameters of every method that a model here supports. A method without an entry takes none.
SAMPLED: dict[str, Any] = {"n_samples": 8}
PATH: dict[str, Any] = {"n_steps": 12}
AT_INPUT: dict[str, dict[str, Any]] = {
    "saliency": {},
    "input_x_gradient": {},
    "integrated_gradients": PATH,
    "gradient_shap": {"n_samples": 4, "stdevs": 0.1},
    "smooth_grad": {"nt_samples": 4, "stdevs": 0.2},
    "feature_ablation": {},
    "shapley_value_sampling": {"n_samples": 3},
    "kernel_shap": SAMPLED,
    "lime": SAMPLED,
}
PERTURBING = ("feature_ablation", "shapley_value_sampling", "kernel_shap", "lime")
HOOKED: dict[str, dict[str, Any]] = {
    "deep_lift": {},
    "deep_lift_shap": {},
    "guided_backprop": {},
    "deconvolution": {},
    "layer_activation": {},
    "layer_gradient_x_activation": {},
    "layer_integrated_gradients": PATH,
    "layer_conductance": PATH,
    "internal_influence": PATH,
    "layer_deep_lift": {},
    "neuron_gradient": {"neuron_selector": 3},
    "neuron_integrated_gradients": {"neuron_selector": 3, **PATH},
    "neuron_feature_ablation": {"neuron_selector": 3},
}
METHODS: dict[str, dict[str, dict[str, Any]]] = {
    "table": {**AT_INPUT, "occlusion": {"sliding_window_shapes": [2]}, "lrp": {}, **HOOKED},
    "picture": {
        **{name: {**given, **GRID} if "ablation" in name or ("shap" in name and "gradient" not in name) else given
           for name, given in AT_INPUT.items()},
        "lime": {**SAMPLED, **GRID},
        "occlusion": {"sliding_window_shapes": [3, 8, 8], "strides": [3, 8, 8]},
        "deep_lift": {},
        "guided_backprop": {},
        "guided_grad_cam": {"layer": "1"},
        "layer_grad_cam": {"layer": "1"},
    },
    "text": {name: AT_INPUT[name] for name in ("saliency", "integrated_gradients", "feature_ablation", "kernel_shap")},
}  # fmt: skip
LONG_STEPS = 2_000
MODEL_SHARES = {"table": 60, "picture": 20, "text": 20}
WAITING_SHARES: dict[Waiting, int] = {"poll": 40, "events": 10, "wait_job": 25, "wait_result": 25}
ACCEPTED = ("application/json", "application/vnd.safetensors", "application/x-npy", "image/png")


@dataclass(frozen=True)
class JobPlan:
    """One job of a client. `key`: its Idempotency-Key. `kills`: the input that kills workers."""

    index: int
    body: dict[str, Any]
    form: bool
    waiting: Waiting
    accept: str
    key: str | None
    cancelled: bool
    computed_anew: bool
    kills: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def method(self) -> str:
        return str(self.body["method"]["name"])


def plan_jobs(seed: int, count: int, kills: int = 1) -> list[JobPlan]:
    """The jobs of one seed, in the order in which they are submitted; `kills` of them kill their workers."""
    chance = random.Random(seed)
    plans: list[JobPlan] = []
    for index in range(count):
        repeated = plans[chance.randrange(len(plans))].body if plans and chance.random() < 0.08 else None
        plans.append(_job(chance, seed, index, repeated or _body(chance)))
    for number in range(kills):  # spread over the run, not at its very end
        at = int(count * (number + 0.5) / (kills + 1))
        plans[at] = _killer(seed, at)
    return plans


def sweep(seed: int) -> list[JobPlan]:
    """One job of every model and method, to warm up the processes and to end a run."""
    chance = random.Random(seed)
    bodies = [_body(chance, model, method) for model, methods in METHODS.items() for method in methods]
    return [JobPlan(index, body, False, "poll", ACCEPTED[0], None, False, True) for index, body in enumerate(bodies)]


def _job(chance: random.Random, seed: int, index: int, body: dict[str, Any]) -> JobPlan:
    cancelled = chance.random() < 0.05
    if cancelled:  # long enough that the cancellation comes before the end
        body = _body(chance, "table", "integrated_gradients")
        body["method"] = {"name": "integrated_gradients", "n_steps": LONG_STEPS}
    drawable = not body["method"]["name"].startswith(("layer", "neuron", "internal"))
    return JobPlan(
        index,
        {**body, "priority": "batch" if chance.random() < 0.4 else "interactive"},
        form=chance.random() < 0.3,
        waiting="poll" if cancelled else chance.choices(list(WAITING_SHARES), list(WAITING_SHARES.values()))[0],
        accept=chance.choice(ACCEPTED) if drawable else ACCEPTED[1],
        key=f"soak-{seed}-{index}" if chance.random() < 0.35 else None,
        cancelled=cancelled,
        computed_anew=chance.random() < 0.5,
    )


def _killer(seed: int, index: int) -> JobPlan:
    tensor = {"datatype": "FP32", "shape": [1, 4], "data": [KILLS, 1.0, 0.5, float(seed)]}
    body = {"model": "poison", "input": {"tensor": tensor}, "method": {"name": "saliency"}, "target": 0}
    return JobPlan(index, body, False, "poll", ACCEPTED[0], None, False, True, kills=True)


def _body(chance: random.Random, model: str | None = None, method: str | None = None) -> dict[str, Any]:
    model = model or chance.choices(list(MODEL_SHARES), list(MODEL_SHARES.values()))[0]
    method = method or chance.choice(list(METHODS[model]))
    fields = {"name": method, **deepcopy(METHODS[model][method])}
    if method.startswith(("layer_", "neuron_", "internal_")):
        fields.setdefault("layer", LAYER[model])
    return {
        "model": model,
        "input": _input(chance, model),
        "method": fields,
        "target": chance.randrange(2),
        "seed": chance.randrange(1000),
    }


def _input(chance: random.Random, model: str) -> dict[str, Any]:
    if model == "table":
        return {"features": {name: round(chance.gauss(0.5, 2.0), 4) for name in COLUMNS}}
    if model == "text":
        return {"text": " ".join(chance.choices(WORDS, k=chance.randint(3, 10)))}
    return {"image": base64.b64encode(picture(chance.randrange(2**31))).decode()}


def picture(seed: int) -> bytes:
    """A PNG of random colours, of the model's size, so that nothing is resampled."""
    pixels = np.random.default_rng(seed).integers(0, 256, (PICTURE_SIDE, PICTURE_SIDE, 3), dtype=np.uint8)
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "PNG")
    return encoded.getvalue()


def form_parts(body: dict[str, Any]) -> dict[str, tuple[str | None, bytes]]:
    """The body as the parts of a form: (file name or None, content) by field."""
    parts: dict[str, tuple[str | None, bytes]] = {}
    for name, value in body.items():
        if name == "input":
            ((kind, content),) = value.items()
            if kind == "image":
                parts[kind] = ("picture.png", base64.b64decode(content))
            else:
                parts[kind] = (None, (content if kind == "text" else json.dumps(content)).encode())
        else:
            parts[name] = (None, (json.dumps(value) if isinstance(value, dict) else str(value)).encode())
    return parts
