"""What a job costs: model rows, forward or gradient, estimated before it is accepted. Pure."""

from dataclasses import dataclass
from math import prod

import numpy as np

from schemas.errors import InvalidRequest
from schemas.limits import MAX_ROWS_PER_JOB
from schemas.methods import AnyMethod, FeatureAblation, Grid, Occlusion
from service.validation.inputs import CheckedInput
from service.validation.model import ReadyModel
from service.validation.tensors import Array
from service.validation.windows import count_windows

COMPLETE = frozenset({"integrated_gradients", "deep_lift", "layer_integrated_gradients"})  # a delta is computed
SPECIAL_TOKENS = 2


@dataclass(frozen=True, slots=True)
class Work:
    """Rows per example by factor, such as `{"n_steps": 50}`; `ends` are forwards beside the method's own rows."""

    examples: int
    factors: dict[str, int]
    ends: int

    @property
    def rows(self) -> int:
        return self.examples * (prod(self.factors.values()) + self.ends)

    def explain(self) -> str:
        """The sum in words, for whoever is refused."""
        factors = " x ".join(f"{count} {name}" for name, count in self.factors.items()) or "1"
        return f"{self.examples} examples x ({factors} + {self.ends}) = {self.rows} model rows"


def estimate(method: AnyMethod, model: ReadyModel, given: CheckedInput, arrays: dict[str, Array]) -> Work:
    """Rows of the method, of the prediction (one per example), and of the baseline's output where a delta is computed.

    An upper bound for texts, whose tokens are counted by the worker.
    """
    complete = method.name in COMPLETE and getattr(method, "multiply_by_inputs", True)
    return Work(given.examples, _factors(method, model, given, arrays), 2 if complete else 1)


def check_work(work: Work) -> None:
    """Raises `InvalidRequest` when the job is larger than any may be."""
    if work.rows > MAX_ROWS_PER_JOB:
        raise InvalidRequest.at(["method"], f"{work.explain()}; at most {MAX_ROWS_PER_JOB} in one job")


def _factors(method: AnyMethod, model: ReadyModel, given: CheckedInput, arrays: dict[str, Array]) -> dict[str, int]:
    factors: dict[str, int] = {}
    match method.name:
        case "integrated_gradients" | "layer_integrated_gradients":
            factors["n_steps"] = method.n_steps
        case "gradient_shap":
            factors["n_samples"] = method.n_samples
        case "smooth_grad":
            factors["nt_samples"] = method.nt_samples
            if method.attribution_method == "integrated_gradients":
                factors["n_steps"] = method.n_steps
        case "deep_lift":
            factors["rows for input and baseline"] = 2
        case "occlusion":
            factors["windows and the input itself"] = _windows(method, model, given) + 1
        case "feature_ablation":
            factors["features and the input itself"] = _features(method, model, given, arrays) + 1
    return factors


def _windows(method: Occlusion, model: ReadyModel, given: CheckedInput) -> int:
    window = method.sliding_window_shapes or []
    shapes = [[_tokens(model, given)]] if given.kind == "text" else model.input.shapes
    return sum(count_windows(shape, _clipped(window, shape), method.strides or window) for shape in shapes)


def _clipped(window: list[int], shape: list[int]) -> list[int]:
    return [min(w, extent) for w, extent in zip(window, shape, strict=True)]


def _features(method: FeatureAblation, model: ReadyModel, given: CheckedInput, arrays: dict[str, Array]) -> int:
    mask = arrays.get("feature_mask.0")
    if mask is not None:
        return int(np.unique(mask).size)
    if isinstance(method.feature_mask, Grid):
        return prod(method.feature_mask.grid)
    return _tokens(model, given) if given.kind == "text" else sum(map(prod, model.input.shapes))


def _tokens(model: ReadyModel, given: CheckedInput) -> int:
    """At most one token per character, and never more than the model takes."""
    return min(model.input.max_tokens or given.text_chars, given.text_chars + SPECIAL_TOKENS)
