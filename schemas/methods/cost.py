"""The cost of an explanation in model rows, as a value that can be read as a sum. Pure."""

from dataclasses import dataclass
from typing import Protocol

TYPICAL_AUTO_STEPS = 24  # path points that `"n_steps": "auto"` takes on most inputs
TYPICAL_DOUBLED_STEPS = 120  # of methods at a layer: 8, 16, 32 and 64, until the last two agree


@dataclass(frozen=True, slots=True)
class Cost:
    """A number of model rows, forward or gradient, and the sum that leads to it in words.

    >>> str(Cost.of(2, "examples") * (Cost.of(50, "n_steps") + Cost(1)))
    '2 examples x (50 n_steps + 1)'
    """

    rows: int
    words: str = ""
    is_sum: bool = False

    @classmethod
    def of(cls, count: int, unit: str) -> "Cost":
        """`count` rows, or factors of rows, named for people: `Cost.of(50, "n_steps")`."""
        return cls(count, f"{count} {unit}")

    def __str__(self) -> str:
        return self.words or str(self.rows)

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.rows + other.rows, f"{self} + {other}", is_sum=True)

    def __mul__(self, other: "Cost") -> "Cost":
        return Cost(self.rows * other.rows, f"{self._as_factor()} x {other._as_factor()}")

    def _as_factor(self) -> str:
        return f"({self})" if self.is_sum else str(self)


class Sizes(Protocol):
    """Sizes of one example of a request on which the cost of a method depends. Each is counted when it is read.

    Raises:
        InvalidRequest: the size is unknown, or larger than any job may have.
    """

    @property
    def windows(self) -> int:
        """Positions of the occlusion window."""

    @property
    def features(self) -> int:
        """Features of the example that has most."""

    @property
    def coalitions(self) -> int:
        """Sets of features, without that of none and that of all."""

    @property
    def units(self) -> int:
        """Units of the layer, or groups of them."""

    @property
    def baselines(self) -> int:
        """Rows of the baseline distribution."""
