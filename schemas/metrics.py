"""Metrics of an explanation's quality in a result, one entry per example. Each says which direction is better."""

from typing import Literal

from pydantic import Field

from schemas.base import Record

Unit = Literal["pixels", "patches", "tokens", "words", "columns", "elements"]


class CompletenessMetric(Record):
    """The sum of one example's attributions and the value it should have, in units of the model's output.

    `error` is the sum minus the difference f(input) - f(baseline). `relative_error` is its size divided by that of the
    difference; None if the difference is zero. Closer to zero is better.
    """

    attributions_sum: float
    outputs_difference: float
    error: float
    relative_error: float | None
    output: float | None = Field(default=None, description="f(input), the explained output of the model.")


class InfidelityMetric(Record):
    """The mean squared error of the output's change as the attributions predict it, per example.

    In squared units of the model's output. Lower is better, zero is perfect.
    """

    perturbation: Literal["noise", "baseline"]
    n_perturb_samples: int
    normalize: bool
    values: list[float]


class SensitivityMetric(Record):
    """The largest change of the explanation that was found, relative to its norm, per example. Lower is better."""

    perturb_radius: float
    n_perturb_samples: int
    values: list[float]


class Curve(Record):
    """`values[k]` is the output after `fractions[k]` of the features are deleted or inserted; `auc` the area below."""

    values: list[float]
    auc: float


class Curves(Record):
    """The curves of one example. A lower area is better for deletion, a higher one for insertion."""

    deletion: Curve
    insertion: Curve


class DeletionInsertionMetric(Record):
    """Deletion and insertion curves. `value` is what they show: the target's probability or the model's output."""

    unit: Unit
    units: int = Field(description="Features that were ordered by attribution and deleted.")
    value: Literal["probability", "output"]
    deletion_baseline: str
    insertion_baseline: str
    fractions: list[float]
    examples: list[Curves]


class Similarity(Record):
    """The similarity of one example's explanation to that of the randomized model. Closer to zero is better.

    `spearman` is the rank correlation of the attributions, -1 to 1, `spearman_abs` that of their absolute values; None
    if all are equal. `ssim` is the structural similarity of the absolute maps, for pictures.
    """

    spearman: float | None
    spearman_abs: float | None
    ssim: float | None = None


class Stage(Record):
    """The layers whose parameters were randomized in this stage, from `first` to `last` towards the input."""

    first: str
    last: str
    layers: int
    examples: list[Similarity]


class RandomizationMetric(Record):
    """Parameter randomization. Lower is better: an explanation that stays similar does not depend on the parameters."""

    order: Literal["cascading", "independent"]
    stages: list[Stage]


class QualityReport(Record):
    """The metrics of the request, and completeness for every method that guarantees it."""

    completeness: list[CompletenessMetric] | None = None
    infidelity: InfidelityMetric | None = None
    sensitivity_max: SensitivityMetric | None = None
    deletion_insertion: DeletionInsertionMetric | None = None
    randomization: RandomizationMetric | None = None
