"""Metrics of quality as results hold them, one entry per example. Which way is better is said with each."""

from typing import Literal

from pydantic import Field

from schemas.base import Record

Unit = Literal["pixels", "patches", "tokens", "words", "columns", "elements"]


class CompletenessMetric(Record):
    """Of one example, in units of the model's output: what the attributions add up to, and what they should add up to.

    `error` is their sum less the difference f(input) - f(baseline); `relative_error` is its size in parts of that
    difference, None where there is none. Nearer to zero is better.
    """

    attributions_sum: float
    outputs_difference: float
    error: float
    relative_error: float | None


class InfidelityMetric(Record):
    """Per example the mean squared error of the output's change as foretold by the attributions.

    In squared units of the model's output. Lower is better, zero is perfect.
    """

    perturbation: Literal["noise", "baseline"]
    n_perturb_samples: int
    normalize: bool
    values: list[float]


class SensitivityMetric(Record):
    """Per example the largest change of the explanation found, in parts of its own norm. Lower is better."""

    perturb_radius: float
    n_perturb_samples: int
    values: list[float]


class Curve(Record):
    """`values[k]` is the output when `fractions[k]` of the features are gone (or there); `auc` the area below."""

    values: list[float]
    auc: float


class Curves(Record):
    """Of one example. A lower area is better for deletion, a higher one for insertion."""

    deletion: Curve
    insertion: Curve


class DeletionInsertionMetric(Record):
    """`value` says what curves show: the probability of the target, or the model's output itself."""

    unit: Unit
    units: int = Field(description="Features that were ordered by attribution and taken away.")
    value: Literal["probability", "output"]
    deletion_baseline: str
    insertion_baseline: str
    fractions: list[float]
    examples: list[Curves]


class Similarity(Record):
    """Of one example's explanation to that of the randomised model; near zero is as it should be.

    `spearman` is the rank correlation of the attributions, -1 to 1, `spearman_abs` of their sizes; None where all are
    equal. `ssim` is the structural similarity of the maps' sizes, for pictures.
    """

    spearman: float | None
    spearman_abs: float | None
    ssim: float | None = None


class Stage(Record):
    """The layers whose parameters were drawn anew for this stage, from `first` to `last` towards the input."""

    first: str
    last: str
    layers: int
    examples: list[Similarity]


class RandomizationMetric(Record):
    """Lower similarities are better: an explanation that survives does not tell what the model has learned."""

    order: Literal["cascading", "independent"]
    stages: list[Stage]


class QualityReport(Record):
    """The metrics asked for, and completeness wherever the method promises it."""

    completeness: list[CompletenessMetric] | None = None
    infidelity: InfidelityMetric | None = None
    sensitivity_max: SensitivityMetric | None = None
    deletion_insertion: DeletionInsertionMetric | None = None
    randomization: RandomizationMetric | None = None
