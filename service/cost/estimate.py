"""What a job costs: model rows, forward or gradient, estimated before it is accepted. Pure.

The formulas for people are the field `cost` of `service/catalogue/facts.toml`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import prod

import numpy as np

from schemas.errors import InvalidRequest
from schemas.limits import MAX_NOISE_BYTES, MAX_ROWS_PER_JOB, NOISE_ROUND
from schemas.methods import AnyMethod
from schemas.metric_requests import AnyQuality, Infidelity, SensitivityMax
from schemas.tensors import NUMPY_DTYPES
from schemas.traits import AT_THE_INPUT, COMPLETE_ON_AVERAGE, NOISY, promises_completeness, stops_by_itself
from service.cost import counts
from service.cost.by_method import FACTORS, Asked
from service.cost.by_metric import quality_rows
from service.validation.inputs import CheckedInput
from service.validation.model import ReadyModel
from service.validation.tensors import Array, Location


@dataclass(frozen=True, slots=True)
class Work:
    """Rows per example by factor, such as `{"n_steps": 50}`; `ends` are forwards beside the method's own rows,
    `quality` are rows by metric."""

    examples: int
    factors: dict[str, int]
    ends: int
    quality: dict[str, int] = field(default_factory=dict)

    @property
    def each(self) -> int:
        """Rows of the explanation of one example."""
        return prod(self.factors.values()) + self.ends

    @property
    def rows(self) -> int:
        return self.examples * (self.each + sum(self.quality.values()))

    def explain(self) -> str:
        """The sum in words, for whoever is refused."""
        factors = " x ".join(f"{count} {name}" for name, count in self.factors.items()) or "1"
        metrics = "".join(f" + {rows} {name}" for name, rows in self.quality.items())
        return f"{self.examples} examples x ({factors} + {self.ends}{metrics}) = {self.rows} model rows"


def estimate(
    method: AnyMethod,
    model: ReadyModel,
    given: CheckedInput,
    arrays: dict[str, Array],
    quality: Sequence[AnyQuality] = (),
) -> Work:
    """Rows of the method, of the prediction (one per example), of the baseline's output where it is needed, and of the
    quality metrics.

    An upper bound for texts, whose tokens are counted by the worker.

    Raises:
        InvalidRequest: the rows of one example cannot be counted, or are more than any job may have.
    """
    asked = Asked(method, model, given, arrays)
    at_once = method.name in AT_THE_INPUT and len(model.output.shape) < 2
    ends = 2 if promises_completeness(method) else 0 if at_once else 1
    if ends > 1 and method.name in COMPLETE_ON_AVERAGE:
        ends = 1 + counts.baselines(asked.method, model, given, arrays)
    factors = FACTORS.get(method.name)
    work = Work(given.examples, factors(asked) if factors else {}, ends)
    return replace(work, quality=quality_rows(quality, asked, prod(work.factors.values()), work.each))


def check_work(work: Work) -> None:
    """Raises `InvalidRequest` when the job is larger than any may be."""
    if work.rows > MAX_ROWS_PER_JOB:
        field = "method" if work.examples * work.each > MAX_ROWS_PER_JOB else "quality"
        raise InvalidRequest.at([field], f"{work.explain()}; at most {MAX_ROWS_PER_JOB} in one job")


def check_noise(method: AnyMethod, model: ReadyModel, examples: int, quality: Sequence[AnyQuality] = ()) -> None:
    """Raises `InvalidRequest` when noisy copies, which a worker holds all at once, are larger than they may be.

    For texts the worker says so, which knows how wide their embeddings are.
    """
    if model.input.kind == "text":
        return
    each = examples * sum(map(prod, model.input.shapes)) * np.dtype(NUMPY_DTYPES[model.input.datatype]).itemsize
    samples = 1
    if method.name in NOISY:
        field = "nt_samples" if method.name == "smooth_grad" else "n_samples"
        samples = getattr(method, field)
        samples = min(samples, NOISE_ROUND) if stops_by_itself(method) else samples
        _check_copies(samples, each, examples, ["method", field])
    for index, metric in enumerate(quality):
        if isinstance(metric, Infidelity):
            _check_copies(metric.n_perturb_samples, each, examples, ["quality", index, "n_perturb_samples"])
        elif isinstance(metric, SensitivityMax):  # of each copy the method makes its noisy ones
            _check_copies(metric.n_perturb_samples, each * samples, examples, ["quality", index, "n_perturb_samples"])


def _check_copies(asked: int, each: int, examples: int, loc: Location) -> None:
    most = MAX_NOISE_BYTES // each
    if asked > max(1, most):
        raise InvalidRequest.at(loc, f"at most {max(1, most)} for {examples} examples of this model's input")
