"""Completeness and quality of explanations as MLflow's metrics."""

from __future__ import annotations

import math
from collections.abc import Iterator

from attribution_client.explained import Explained
from attribution_client.wire.answers import QualityReport

LARGEST = ("completeness_error", "sensitivity_max")  # of these the worst example matters too


class Measures:
    """Collects the numbers of each example, and gives their means; of some the largest too."""

    def __init__(self) -> None:
        self._values: dict[str, list[float]] = {}

    def add(self, result: Explained, example: int = 0) -> None:
        """Adds one example. What is undefined for it is left out."""
        for name, value in measures_of(result.explanation.quality, example):
            if value is not None and math.isfinite(value):
                self._values.setdefault(name, []).append(value)

    def summary(self) -> dict[str, float]:
        """`<name>_mean` of each, and `<name>_largest` of those in `LARGEST`."""
        means = {f"{name}_mean": sum(values) / len(values) for name, values in self._values.items()}
        largest = {f"{name}_largest": max(self._values[name]) for name in LARGEST if name in self._values}
        return {**means, **largest}


def measures_of(quality: QualityReport | None, example: int) -> Iterator[tuple[str, float | None]]:
    """The names and values of one example. `docs/quality.md` says what each means."""
    if quality is None:
        return
    if quality.completeness is not None:
        yield "completeness_error", quality.completeness[example].relative_error
    if quality.infidelity is not None:
        yield "infidelity", quality.infidelity.values[example]
    if quality.sensitivity_max is not None:
        yield "sensitivity_max", quality.sensitivity_max.values[example]
    if quality.deletion_insertion is not None:
        curves = quality.deletion_insertion.examples[example]
        yield "deletion_auc", curves.deletion.auc
        yield "insertion_auc", curves.insertion.auc
    if quality.randomization is not None:
        stages = [stage.examples[example].spearman_abs for stage in quality.randomization.stages]
        known = [value for value in stages if value is not None]
        yield "randomization_similarity", sum(known) / len(known) if known else None
