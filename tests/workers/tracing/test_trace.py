"""The operations of one forward."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workers.tracing.trace import observe

X = torch.randn(2, 4, generator=torch.Generator().manual_seed(0))


class Residual(nn.Module):
    """relu(linear(x)) + x, then the linear layer once more."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.act = nn.Linear(4, 4), nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.act(self.linear(x)) + x)


def test_operations_belong_to_the_module_that_runs() -> None:
    seen = observe(Residual().requires_grad_(False), (X,))
    owners = [(operation.name, operation.owner) for operation in seen.operations]
    assert ("Addmm", "linear") in owners
    assert ("Relu", "act") in owners
    assert ("Add", "") in owners
    assert dict(seen.calls) == {"": 1, "linear": 2, "act": 1}
    assert seen.makers["act"] == {"linear"}
    assert seen.takers["act"] == [["act"]]
    assert seen.rows["linear"] == 2
    assert not seen.decisions
    assert not seen.without_gradient


def test_the_inputs_of_a_branch_have_several_takers() -> None:
    class Branching(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.act = nn.Tanh()

        def forward(self, x: Tensor) -> Tensor:
            y = x * 2
            return self.act(y) + y

    assert sorted(observe(Branching(), (X,)).takers["act"][0]) == ["", "act"]


def test_factors_are_the_operands_that_depend_on_the_input() -> None:
    class Products(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(4))

        def forward(self, x: Tensor) -> Tensor:
            return x * x + self.weight * x

    products = [operation.factors for operation in observe(Products(), (X,)).operations if operation.name == "Mul"]
    assert sorted(map(sorted, products)) == [[0, 1], [1]]


@pytest.mark.parametrize(
    ("decision", "name"),
    [
        (lambda x: x * x.sum().tolist(), "tolist"),
        (lambda x: x if x.sum() > 0 else -x, "gt"),
        (lambda x: x * x.detach(), "detach"),
        (lambda x: x + x.argmax(dim=1, keepdim=True), "argmax"),
        (lambda x: x + torch.zeros_like(x), None),
        (lambda x: x.view(x.shape[0], -1), None),
    ],
)
def test_decisions(decision: object, name: str | None) -> None:
    class Deciding(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return decision(x)  # type: ignore[operator,no-any-return]

    found = [function for _, function in observe(nn.Sequential(Deciding()), (X,)).decisions]
    assert found[:1] == ([name] if name else [])


def test_constants_batch_statistics_and_attributed_inputs() -> None:
    class Mixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm, self.act = nn.BatchNorm1d(4), nn.Sigmoid()

        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return self.norm(x) + self.act(y)

    seen = observe(Mixed(), (X, X), 1)
    assert seen.without_gradient == {"", "act"}
    assert [operation.owner for operation in seen.operations if operation.batch_statistics] == ["norm"]
    assert observe(Mixed(), (X, X)).without_gradient == set()


def test_hooks_are_removed_after_an_error() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.Linear(4, 3))
    with pytest.raises(RuntimeError):
        observe(model, (X,))
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in model.modules())
    assert F.relu(X).shape == X.shape  # the function mode has been left
