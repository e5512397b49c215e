"""Numbers that Captum's own tests expect (github.com/pytorch/captum, tests/attr), from `tests/data`."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[2] / "data" / "captum_numbers.json"
Nested = Any  # a number or None, or lists of them; None where Captum's test only says "not zero"


@dataclass(frozen=True)
class Case:
    """One expectation of Captum's tests.

    Attributes:
        source: name of the test, with its file where the name alone is ambiguous.
        model: a key of `tests.e2e.toys.captum_repository.REPOSITORY`.
        inputs: one nested list per input of the model, examples first.
        expected: one nested list per attribution tensor.
        target: of models with several outputs.
        tolerance: the largest absolute difference.
    """

    source: str
    model: str
    method: dict[str, Any]
    inputs: list[Nested]
    expected: list[Nested]
    target: int = 0
    tolerance: float = 1e-3

    def __str__(self) -> str:
        return f"{self.source}-{self.model}"


CASES = [Case(**case) for case in json.loads(DATA.read_text())]


def wire(nested: Nested) -> dict[str, Any]:
    """Nested lists as a tensor of the Open Inference Protocol."""
    shape, data = [], nested
    while isinstance(data, list):
        shape.append(len(data))
        data = data[0]
    return {"shape": shape, "data": flat(nested)}


def flat(nested: Nested) -> list[Any]:
    return [number for part in nested for number in flat(part)] if isinstance(nested, list) else [nested]
