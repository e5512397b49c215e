"""What methods answer that stop by themselves."""

from dataclasses import dataclass
from typing import Literal

from workers.methods.problem import Tensors


@dataclass(frozen=True, slots=True)
class Convergence:
    """When a method stopped, per example.

    Attributes:
        unit: what it counts.
        counts: how many each example took.
        errors: the error reached, as the method defines it, where `tolerance` bounds it.
        map_errors: for a path, the estimated L2 error of the attributions, relative to their norm.
    """

    unit: Literal["steps", "samples"]
    tolerance: float
    counts: list[int]
    errors: list[float]
    map_errors: list[float] | None = None


@dataclass(frozen=True, slots=True)
class Stopped:
    """Attributions (examples, …), and how they were arrived at."""

    attributions: Tensors
    convergence: Convergence
