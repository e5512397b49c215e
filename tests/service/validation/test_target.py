"""Targets: indices, labels and places, one per example."""

from typing import Any

import pytest

from schemas.errors import InvalidRequest
from schemas.jobs import PREDICTED
from schemas.models import OutputCard
from service.validation.target import resolve_target

CLASSES = OutputCard(kind="classification", size=3, shape=[3], labels=["cat", "dog", "Dog"])
UNLABELLED = OutputCard(kind="classification", size=3, shape=[3])
SCALAR = OutputCard(kind="regression", size=1, shape=[])
SEVERAL = OutputCard(kind="regression", size=3, shape=[3])
MAPS = OutputCard(kind="classification", size=2, shape=[2, 4, 6], labels=["road", "sky"])


@pytest.mark.parametrize(
    ("target", "output", "resolved"),
    [
        (None, CLASSES, None),
        (2, CLASSES, [2, 2]),
        ("cat", CLASSES, [0, 0]),
        ("CAT", CLASSES, [0, 0]),
        ([1, "Dog"], CLASSES, [1, 2]),
        (None, SCALAR, None),
        (1, SEVERAL, [1, 1]),
        (["sky", 3, 5], MAPS, [[1, 3, 5], [1, 3, 5]]),
        ([[0, 0, 0], [None, 1, 2]], MAPS, [[0, 0, 0], [PREDICTED, 1, 2]]),
    ],
)
def test_resolved(target: Any, output: OutputCard, resolved: Any) -> None:
    assert resolve_target(target, output, 2) == resolved


@pytest.mark.parametrize(
    ("target", "output", "message"),
    [
        (3, CLASSES, "target: the model's outputs are 0 to 2"),
        ("horse", CLASSES, "target: the model has no such label"),
        ("DOG", CLASSES, "no such label"),  # two labels differ only in case
        ("cat", UNLABELLED, "give an index, 0 to 2"),
        ([1], CLASSES, "1 targets for 2 examples"),
        ([1, [1]], CLASSES, r"target\.1: the model's output has one dimension"),
        (0, SCALAR, "takes no target"),
        (None, SEVERAL, "give the index of one"),
        (1, MAPS, "give a list of 3 indices"),
        ([0, 4, 0], MAPS, r"target\.1: this dimension of the output has indices 0 to 3"),
        ([[0, 0], [0, 0, 0]], MAPS, r"target\.0: .* give 3 indices"),
    ],
)
def test_refused(target: Any, output: OutputCard, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        resolve_target(target, output, 2)
