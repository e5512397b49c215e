"""The copy of a model that shared passes run: what is made leaner, what is left, and that the function stays."""

import copy
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from schemas.methods import InputXGradient
from tests.workers.methods.captum_calls import max_relative_difference
from tests.workers.toys import RunningJob, frozen, lean_view_of, problem_of
from workers.engine.engine import Engine
from workers.transform.optimize import make_optimized
from workers.transform.optimize.layout import ChannelsLast

IMAGE = (3, 8, 8)


class Hinges(nn.Module):
    """ReLU6 as two hinges, with the operation it amounts to, or with another one."""

    def __init__(self, whole: nn.Module) -> None:
        super().__init__()
        self.whole = [whole]

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x) - F.relu(x - 6.0)

    def fused(self) -> nn.Module:
        return self.whole[0]


class Standardised(nn.Conv2d):
    """A convolution whose forward alters its weight, so that a weight scaled beforehand gives something else."""

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight / self.weight.std(dim=(1, 2, 3), keepdim=True)
        return F.conv2d(x, weight, self.bias, padding=self.padding)


class SamePadding(nn.Conv2d):
    """A convolution with a forward of its own that pads first, as EfficientNet packages have."""

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(F.pad(x, (0, 1, 0, 1)), self.weight, self.bias)


class BatchNormAct(nn.BatchNorm2d):
    """timm's norm with its activation."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.drop = nn.Identity()
        self.act = nn.Hardswish()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.drop(super().forward(x)))


class Named(nn.Module):
    """A convolution and its norm, called as `how` says."""

    def __init__(self, how: Callable[["Named", Tensor], Tensor], norms: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.norms = nn.ModuleList(nn.BatchNorm2d(3) for _ in range(norms))
        self.how = how

    def forward(self, x: Tensor) -> Tensor:
        return self.how(self, x).flatten(1)


def gated(m: Named, x: Tensor) -> Tensor:
    y = m.conv(x)
    return m.norms[0](y) * torch.sigmoid(y)


def scaled_by_its_largest(m: Named, x: Tensor) -> Tensor:
    y = m.conv(x)
    return m.norms[0](y) * float(y.detach().max())


def head(channels: int) -> list[nn.Module]:
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 4)]


def chain(*layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(*layers)


def norms_of(model: nn.Module) -> int:
    return sum(isinstance(part, _BatchNorm) for part in model.modules())


def lean_of(model: nn.Module, shape: tuple[int, ...] = IMAGE) -> nn.Module:
    """The lean copy, after it was held against the original on rows that it was not made with."""
    generator = torch.Generator().manual_seed(3)
    model = frozen(model)
    before = copy.deepcopy(model.state_dict())
    rows = torch.randn(5, *shape, generator=generator, dtype=torch.float64)
    optimized = make_optimized(model, [(rows[:1],)], 1)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    given, expected = (gradient_of(part, rows) for part in (optimized, model))
    assert max_relative_difference(given, expected) <= 1e-9
    return optimized


def gradient_of(model: nn.Module, rows: Tensor) -> tuple[Tensor, ...]:
    """Input gradient and outputs."""
    leaf = rows.clone().requires_grad_()
    out = model(leaf)
    return torch.autograd.grad(out.square().sum(), leaf)[0], out.detach()


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (chain(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), *head(4)), IMAGE),
        (chain(nn.Conv2d(3, 6, 3, groups=3, stride=2), nn.BatchNorm2d(6, affine=False), *head(6)), IMAGE),
        (chain(nn.ConvTranspose2d(3, 4, 2, stride=2), nn.BatchNorm2d(4), nn.ReLU(), *head(4)), IMAGE),
        (chain(SamePadding(3, 4, 2), nn.BatchNorm2d(4), nn.ReLU(), *head(4)), IMAGE),
        (chain(nn.Conv2d(3, 4, 3), BatchNormAct(4), *head(4)), IMAGE),
        (chain(nn.Conv1d(3, 4, 3), nn.BatchNorm1d(4), nn.Tanh(), nn.Flatten()), (3, 9)),
        (chain(nn.Conv3d(1, 4, 2), nn.BatchNorm3d(4), nn.Sigmoid(), nn.Flatten()), (1, 4, 4, 4)),
        (chain(nn.Linear(5, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 2)), (5,)),
        (Named(lambda m, x: F.relu(m.norms[0](m.conv(x))) + x), IMAGE),
    ],
    ids=["conv", "grouped", "transposed", "own-padding", "with-activation", "1d", "3d", "linear", "in-a-function"],
)
def test_norms_are_folded(model: nn.Module, shape: tuple[int, ...]) -> None:
    assert norms_of(model) == 1
    assert norms_of(lean_of(model, shape)) == 0


@pytest.mark.parametrize(
    "model",
    [
        Named(lambda m, x: m.norms[0](m.conv(x)) + F.relu(m.conv(x))),
        Named(gated),
        Named(lambda m, x: m.norms[0](m.norms[0](m.conv(x)))),
        Named(lambda m, x: m.norms[0](m.conv(x) * 2.0)),
        Named(lambda m, x: m.norms[0](x)),
        Named(scaled_by_its_largest),
        chain(Standardised(3, 3, 3, padding=1), nn.BatchNorm2d(3), nn.Flatten()),
        chain(nn.Linear(8, 3), nn.BatchNorm2d(3), nn.Flatten()),  # the norm's channels are not what the layer gives
        chain(nn.ReLU(), nn.BatchNorm2d(3), nn.Flatten()),
    ],
    ids=[
        "layer called twice",
        "output used elsewhere",
        "norm called twice",
        "scaled between",
        "not after a layer",
        "decides on the value",
        "weight altered",
        "other dimension",
        "after an activation",
    ],
)
def test_norms_that_are_left(model: nn.Module) -> None:
    assert norms_of(lean_of(model)) == 1


def test_each_pair_is_judged_by_itself() -> None:
    model = chain(
        Standardised(3, 3, 3, padding=1),
        nn.BatchNorm2d(3),
        nn.Conv2d(3, 5, 3),
        nn.BatchNorm2d(5),
        *head(5),
    )
    assert norms_of(lean_of(model)) == 1


def test_an_output_of_the_model_is_not_folded_away() -> None:
    class Two(Named):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
            y = self.conv(x)
            return self.norms[0](y).flatten(1), y

    model = frozen(Two(lambda m, x: x))
    optimized = make_optimized(model, [(torch.randn(1, *IMAGE, dtype=torch.float64),)], 1)
    assert norms_of(optimized) == 1


def test_pieces_are_used_whole() -> None:
    model = chain(nn.Conv2d(3, 4, 3), Hinges(nn.ReLU6()), *head(4))
    optimized = lean_of(model)
    assert any(isinstance(part, nn.ReLU6) for part in optimized.modules())
    assert not any(isinstance(part, Hinges) for part in optimized.modules())


def test_a_piece_that_is_not_equal_is_not_used_but_the_rest_is() -> None:
    optimized = lean_of(chain(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), Hinges(nn.ReLU()), nn.Conv2d(4, 4, 3), *head(4)))
    assert any(isinstance(part, Hinges) for part in optimized.modules())
    assert norms_of(optimized) == 0


def test_a_model_that_needs_its_layout_keeps_it() -> None:
    class Viewing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

        def forward(self, x: Tensor) -> Tensor:
            return self.norm(self.conv(x)).view(x.shape[0], -1)

    optimized = lean_of(Viewing())
    assert not isinstance(optimized, ChannelsLast)
    assert norms_of(optimized) == 0


def test_weights_are_shared_unless_changed() -> None:
    model = frozen(chain(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(144, 50), nn.Linear(50, 2)))
    optimized = make_optimized(model, [(torch.randn(1, *IMAGE, dtype=torch.float64),)], 1)
    assert optimized is not model
    theirs = {parameter.data_ptr() for parameter in model[3:].parameters()}
    assert theirs <= {parameter.data_ptr() for parameter in optimized.parameters()}


def test_a_model_without_anything_to_change_is_used_itself() -> None:
    model = frozen(chain(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 2)))
    assert make_optimized(model, [(torch.randn(1, 6, dtype=torch.float64),)], 1) is model


def test_shared_passes_run_it_and_hooks_find_the_model() -> None:
    model = frozen(chain(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), *head(4)))
    view = lean_view_of(model, [IMAGE])
    assert view.optimized is not None
    ran = []
    view.optimized.register_forward_hook(lambda *_: ran.append("lean"))
    model.register_forward_hook(lambda *_: ran.append("model"))
    engine = Engine(view, batch_rows=8, threads=1).start()
    rows = torch.randn(1, *IMAGE, dtype=torch.float64)
    [gradient] = RunningJob(engine, InputXGradient(), problem_of([rows], [1])).result().attributions
    engine.stop()
    assert ran == ["lean"]
    assert gradient.is_contiguous()
