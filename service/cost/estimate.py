"""The cost of a job in model rows, forward or gradient, estimated before it is accepted. Pure.

The formulas for people are the field `cost` of `service/catalogue/facts.toml`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from math import prod
from operator import add

import numpy as np

from schemas.errors import InvalidRequest
from schemas.limits import MAX_NOISE_BYTES, MAX_ROWS_PER_JOB, MAX_TENSOR_ELEMENTS
from schemas.methods import AnyMethod
from schemas.methods.cost import Cost
from schemas.metric_requests import AnyQuality, Infidelity, SensitivityMax
from schemas.sentences import Sentence
from schemas.tensors import NUMPY_DTYPES
from service.cost.by_metric import metric_cost
from service.cost.sizes import RequestSizes
from service.validation.inputs import CheckedInput
from service.validation.model import ReadyModel
from service.validation.tensors import Array, Location


@dataclass(frozen=True, slots=True)
class JobCost:
    """The cost of a whole job, and of its explanation alone, both for all examples."""

    job: Cost
    explanation: Cost

    @property
    def rows(self) -> int:
        """Model rows of the job."""
        return self.job.rows


def estimate(
    method: AnyMethod,
    model: ReadyModel,
    given: CheckedInput,
    arrays: dict[str, Array],
    quality: Sequence[AnyQuality] = (),
) -> JobCost:
    """The rows of the method, of the prediction (one per example), of the baseline's output where the method promises
    completeness, and of the quality metrics.

    An upper bound for texts, whose tokens are counted by the worker.

    Raises:
        InvalidRequest: a size that the cost depends on is unknown, or larger than any job may have.
    """
    sizes = RequestSizes(method, model, given, arrays)
    own = method.cost(sizes)
    explanation = own + Cost(_end_rows(sizes))
    metrics = (metric_cost(metric, sizes, own.rows, explanation.rows) for metric in quality)
    examples = Cost.of(given.examples, "examples")
    return JobCost(examples * reduce(add, metrics, explanation), examples * explanation)


def _end_rows(sizes: RequestSizes) -> int:
    """Rows of the prediction, and of the baseline's output."""
    method = sizes.method
    if method.promises_completeness:
        return 1 + (sizes.baselines if method.completeness == "on_average" else 1)
    if method.single_gradient and len(sizes.model.output.shape) < 2:
        return 0  # the gradient's pass yields the prediction
    return 1


def check_cost(cost: JobCost) -> None:
    """Checks that the job is not larger than any may be.

    Raises:
        InvalidRequest: it is; the message gives the sum.
    """
    if cost.rows > MAX_ROWS_PER_JOB:
        field = "method" if cost.explanation.rows > MAX_ROWS_PER_JOB else "quality"
        message = Sentence(
            "{cost} = {rows} model rows; at most {most} in one job",
            cost=cost.job,
            rows=cost.rows,
            most=MAX_ROWS_PER_JOB,
        )
        raise InvalidRequest.at([field], message)


def check_noise(method: AnyMethod, model: ReadyModel, examples: int, quality: Sequence[AnyQuality] = ()) -> None:
    """Checks the bytes of noisy copies, which a worker holds all at once.

    For texts the worker checks them, because the width of the embeddings is not in the model card.

    Raises:
        InvalidRequest: they are more than any job may hold.
    """
    if model.input.kind == "text":
        return
    input_bytes = examples * sum(map(prod, model.input.shapes)) * np.dtype(NUMPY_DTYPES[model.input.datatype]).itemsize
    if method.noisy_samples is not None:
        _check_copies(method.noisy_copies, input_bytes, examples, ["method", method.noisy_samples])
    for index, metric in enumerate(quality):
        loc: Location = ["quality", index, "n_perturb_samples"]
        if isinstance(metric, Infidelity):
            _check_copies(metric.n_perturb_samples, input_bytes, examples, loc)
        elif isinstance(metric, SensitivityMax):  # the method makes its noisy copies of each perturbed one
            _check_copies(metric.n_perturb_samples, input_bytes * max(1, method.noisy_copies), examples, loc)


def check_frames(method: AnyMethod, model: ReadyModel, examples: int) -> None:
    """Checks the elements of the attributions at all points of a path; texts have fewer than any bound.

    Raises:
        InvalidRequest: they are more than a tensor may have.
    """
    if model.input.kind == "text" or not method.path_frames:
        return
    most = MAX_TENSOR_ELEMENTS // (examples * sum(map(prod, model.input.shapes)))
    if method.path_frames > most:
        raise InvalidRequest.at(
            ["method", "frames"],
            Sentence("at most {most} for {examples} examples of this model's input", most=most, examples=examples),
        )


def _check_copies(copies: int, input_bytes: int, examples: int, loc: Location) -> None:
    most = max(1, MAX_NOISE_BYTES // input_bytes)
    if copies > most:
        raise InvalidRequest.at(
            loc, Sentence("at most {most} for {examples} examples of this model's input", most=most, examples=examples)
        )
