"""Operations of autograd, classified by name."""

import pytest

from workers.tracing.trace import Operation
from workers.transform.hookable.operations import moves, why_not_linear


def operation(name: str, *factors: int, batch_statistics: bool = False) -> Operation:
    return Operation(name, "", frozenset(factors), batch_statistics)


@pytest.mark.parametrize("name", ["View", "UnsafeView", "Permute", "Cat", "ReflectionPad2D", "Slice", "Expand"])
def test_moving_operations(name: str) -> None:
    assert moves(operation(name, 0))
    assert why_not_linear(operation(name, 0)) is None


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (operation("Add", 0, 1), None),
        (operation("Addmm", 1), None),
        (operation("Mul", 0), None),
        (operation("Mul", 0, 1), "multiplies values that both depend on the input (Mul)"),
        (operation("Baddbmm", 1, 2), "multiplies values that both depend on the input (Baddbmm)"),
        (operation("Div", 0), None),
        (operation("Div", 1), "divides by a value that depends on the input"),
        (operation("Relu", 0), "computes Relu, which is no module with a rule"),
        (operation("NativeBatchNorm", 0), None),
        (operation("NativeBatchNorm", 0, batch_statistics=True), "normalises with the statistics of its batch"),
    ],
)
def test_linear_operations(found: Operation, reason: str | None) -> None:
    assert not moves(found)
    assert why_not_linear(found) == reason
