"""What is told about models that hook methods are not right on, and about rewrites that are not equal."""

import pytest
import torch
from torch import Tensor, nn

from tests.workers.transform.hookable.toys import FunctionalBlock, toy
from workers.transform.hookable import hook_defects


class Gated(nn.Module):
    """Squeeze and excitation, on a vector."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Sequential(nn.Linear(6, 6), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gate(x)


class Masked(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * (x > 0).to(x.dtype)


class PreActivation(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.act = nn.ReLU()
        self.layer = nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layer(self.act(x))


class BatchLast(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.act = nn.Tanh()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(x.T).T


class Sine(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(x)


class MyReLU(nn.ReLU):
    pass


def linear(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(6, 6), *layers, nn.Linear(6, 2)).eval()


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (linear(Sine()), "1 (Sine) computes Sin, which is no module with a rule"),
        (linear(nn.LayerNorm(6)), "1 (LayerNorm) computes NativeLayerNorm"),
        (linear(MyReLU()), "1 (MyReLU) computes Relu"),
        (linear(FunctionalBlock()), "1 (FunctionalBlock) computes Relu"),
        (linear(Gated()), "1 (Gated) multiplies values that both depend on the input"),
        (linear(Masked()), "1 (Masked) takes a decision that depends on the input (gt)"),
        (linear(BatchLast()), "1.act (Tanh) gets values whose first dimension is not the batch"),
        (linear(nn.Unflatten(1, (2, 3)), nn.InstanceNorm1d(2), nn.Flatten()), "2 (InstanceNorm1d) normalises with"),
        (linear(nn.ReLU(), nn.Tanh()), "2 (Tanh) directly follows 1, "),
        (linear(PreActivation()), "1.act (ReLU) takes a value that others take too, "),
    ],
)
def test_deep_lift(model: nn.Module, reason: str) -> None:
    assert hook_defects(model, (torch.randn(2, 6),))["deep_lift"].startswith(reason)


def test_guided() -> None:
    x = torch.randn(1, 6)
    assert "guided" not in hook_defects(linear(nn.GELU(), MyReLU()), (x,))
    assert hook_defects(linear(nn.ReLU6()), (x,))["guided"] == "1 (ReLU6) computes Hardtanh outside of an nn.ReLU"
    relu = nn.ReLU()
    reused = linear(relu, nn.Linear(6, 6), relu)
    assert hook_defects(reused, (x,))["guided"] == "1 (ReLU) is called 2 times in one forward"


def test_lrp() -> None:
    x = torch.randn(1, 6)
    assert hook_defects(linear(nn.Softmax(1)), (x,))["lrp"] == "1 (Softmax) is a layer without a rule"
    model, picture = toy("resnet")
    for part in model.modules():
        if hasattr(part, "downsample"):
            part.relu = nn.Identity()
            part.relu.rule = None
    reason = "layer1.0 (BasicBlock) computes Add outside of any layer with a rule"
    assert hook_defects(model, (picture,))["lrp"].startswith(reason)
    assert hook_defects(linear(nn.ReLU(), nn.Dropout()), (x,)) == {}


def test_integers() -> None:
    subjects = hook_defects(nn.Embedding(3, 2), (torch.tensor([[1]]),))
    assert set(subjects) == {"deep_lift", "guided", "lrp"}


def test_extra_inputs_are_constants() -> None:
    class Scaled(nn.Module):
        def forward(self, x: Tensor, scale: Tensor) -> Tensor:
            return x * scale

    inputs = (torch.randn(1, 6), torch.randn(1, 6))
    assert "deep_lift" in hook_defects(Scaled(), inputs)
    assert "deep_lift" not in hook_defects(Scaled(), inputs, attributed=1)
