"""Means and standard errors of what is drawn. Pure."""

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workers.methods.explain_inputs import Tensors

SPARE_PAIRS = 2  # distinct pairs beyond the unknowns; with 1 the error of games of 4 or 6 players was told 8 times low


@dataclass(slots=True)
class Moments:
    """Running mean and spread of samples, (examples, …) each, kept in float64 (Welford 1962)."""

    count: int = 0
    _means: list[Tensor] = field(default_factory=list)
    _squares: list[Tensor] = field(default_factory=list)  # sums of squared distances from the mean
    _like: Tensors = ()

    def add(self, sample: Tensors) -> None:
        if not self.count:
            self._like = sample
            self._means = [torch.zeros_like(part, dtype=torch.float64) for part in sample]
            self._squares = [torch.zeros_like(part, dtype=torch.float64) for part in sample]
        self.count += 1
        for index, part in enumerate(sample):
            step = part.double() - self._means[index]
            self._means[index] += step / self.count
            self._squares[index] += step * (part.double() - self._means[index])

    def mean(self) -> Tensors:
        """Of the samples' own type."""
        return tuple(mean.to(part.dtype) for mean, part in zip(self._means, self._like, strict=True))

    def largest_error(self) -> list[float]:
        """Per example, the largest standard error of an element, relative to the largest mean."""
        return self._relative(self._errors().amax(dim=1))

    def mean_error(self) -> list[float]:
        """Per example, the root mean square of the elements' standard errors, relative to the largest mean."""
        return self._relative(self._errors().square().mean(dim=1).sqrt())

    def _errors(self) -> Tensor:
        """(examples, elements); infinite where one sample says nothing of its spread."""
        squares = torch.cat([part.flatten(1) for part in self._squares], dim=1)
        if self.count < 2:
            return torch.full_like(squares, torch.inf)
        return (squares / (self.count - 1) / self.count).sqrt()

    def _relative(self, errors: Tensor) -> list[float]:
        largest = torch.cat([part.flatten(1) for part in self._means], dim=1).abs().amax(dim=1)
        return [relative(error, size) for error, size in zip(errors.tolist(), largest.tolist(), strict=True)]


def relative(error: float, size: float) -> float:
    """A share of what is there; of nothing, no error is a share of zero and any other is beyond measure."""
    if error == 0:
        return 0.0
    return error / size if size > 0 else float("inf")


def regression_errors(coalitions: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    """The largest standard error of KernelSHAP's coefficients, relative to the largest of them.

    Args:
        coalitions: (samples, features) of 0 and 1; the first holds all features, the second none, as Captum draws them,
            and each of the others is followed by its complement.
        values: (samples,) the model's outputs for them.

    The values of the first two are known, so the last feature is what the others leave of their difference: a plain
    regression remains. In it the complement has the coalition's row with the other sign, so that a pair is one sample:
    half the difference of its values. The standard errors are the jackknife's, which leaves out a pair at a time
    (MacKinnon and White 1985, HC3), and holds for models that are no sum over features. Infinite while distinct pairs
    are hardly more than the unknowns, unless there are no others: a fit through all of its points has no residuals,
    however wrong it is.
    """
    whole, nothing = values[0], values[1]
    rows = coalitions[2::2]
    design = rows[:, :-1] - rows[:, -1:]
    answers = (values[2::2] - values[3::2]) / 2 - (rows[:, -1] - 0.5) * (whole - nothing)
    samples, unknown = design.shape
    signs = design[np.arange(samples), np.abs(design).argmax(axis=1), None]  # of a pair's first member: chance
    distinct = len(np.unique(design * signs, axis=0))
    if distinct < min(unknown + SPARE_PAIRS, 2**unknown - 1) or np.linalg.matrix_rank(design) < unknown:
        return float("inf")
    bread = np.linalg.inv(design.T @ design)
    fitted = bread @ design.T @ answers
    leverage = np.einsum("ij,jk,ik->i", design, bread, design)
    residuals = (answers - design @ fitted) / np.maximum(1.0 - leverage, 1e-9)
    covariance = bread @ (design.T * residuals**2) @ design @ bread
    variances = np.append(np.diag(covariance), covariance.sum())
    coefficients = np.append(fitted, whole - nothing - fitted.sum())
    return relative(float(np.sqrt(np.maximum(variances, 0.0).max())), float(np.abs(coefficients).max()))
