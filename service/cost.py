"""What a job costs: model rows, forward or gradient, estimated before it is accepted. Pure.

The formulas for people are the field `cost` of `service/catalogue/facts.toml`.
"""

from dataclasses import dataclass
from math import prod

import numpy as np

from schemas.errors import InvalidRequest
from schemas.limits import MAX_NOISE_BYTES, MAX_ROWS_PER_JOB, NOISE_ROUND
from schemas.methods import AnyMethod
from schemas.tensors import NUMPY_DTYPES
from schemas.traits import AT_THE_INPUT, COMPLETE, NOISY, stops_by_itself
from service.factors import FACTORS, Asked
from service.validation.inputs import CheckedInput
from service.validation.model import ReadyModel
from service.validation.tensors import Array

FROM_THE_BASELINE = frozenset({"shapley_value_sampling", "shapley_values"})  # each order of features starts there


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
    """Rows of the method, of the prediction (one per example), and of the baseline's output where it is needed.

    An upper bound for texts, whose tokens are counted by the worker.

    Raises:
        InvalidRequest: the rows of one example cannot be counted, or are more than any job may have.
    """
    complete = method.name in COMPLETE and getattr(method, "multiply_by_inputs", True)
    at_once = method.name in AT_THE_INPUT and len(model.output.shape) < 2
    ends = 2 if complete or method.name in FROM_THE_BASELINE else 0 if at_once else 1
    factors = FACTORS.get(method.name)
    asked = Asked(method, model, given, arrays)
    return Work(given.examples, factors(asked) if factors else {}, ends)


def check_work(work: Work) -> None:
    """Raises `InvalidRequest` when the job is larger than any may be."""
    if work.rows > MAX_ROWS_PER_JOB:
        raise InvalidRequest.at(["method"], f"{work.explain()}; at most {MAX_ROWS_PER_JOB} in one job")


def check_noise(method: AnyMethod, model: ReadyModel, examples: int) -> None:
    """Raises `InvalidRequest` when the noisy copies, which a worker holds all at once, are larger than they may be.

    For texts the worker says so, which knows how wide their embeddings are.
    """
    if method.name not in NOISY or model.input.kind == "text":
        return
    field = "nt_samples" if method.name == "smooth_grad" else "n_samples"
    each = examples * sum(map(prod, model.input.shapes)) * np.dtype(NUMPY_DTYPES[model.input.datatype]).itemsize
    most = max(1, MAX_NOISE_BYTES // each)
    samples = getattr(method, field)
    if (min(samples, NOISE_ROUND) if stops_by_itself(method) else samples) > most:
        raise InvalidRequest.at(["method", field], f"at most {most} for {examples} examples of this model's input")
