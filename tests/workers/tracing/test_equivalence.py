"""Proofs that a changed copy of a module equals the original."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workers.tracing.equivalence import compare, why_not_equal
from workers.tracing.shared_copy import shared_copy

X = (torch.randn(1, 6, generator=torch.Generator().manual_seed(0)),)


def linear(*layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Linear(6, 6), *layers, nn.Linear(6, 2)).eval()


class Scaled(nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor


def test_proof_names_what_differs_and_where() -> None:
    class Other(nn.Module):
        """The same values, another gradient."""

        def forward(self, x: Tensor) -> Tensor:
            return F.relu(x).detach() + 0 * x

    x = (torch.randn(1, 6, generator=torch.Generator().manual_seed(0)),)
    model = linear(nn.ReLU())
    assert why_not_equal(model, model, [x]) is None
    first, _, last = model
    reason = why_not_equal(model, nn.Sequential(first, nn.LeakyReLU(0.5), last), [x])
    assert reason == "on sample 1 of 1 outputs differ; first at 1 (ReLU)"
    reason = why_not_equal(model, nn.Sequential(first, Other(), last), [x])
    assert reason == "on sample 1 of 1 gradients differ"
    reason = why_not_equal(model, nn.Sequential(first, nn.Linear(3, 3), last), [x])
    assert reason is not None
    assert reason.startswith("on sample 1 of 1 the copy raises RuntimeError")


@pytest.mark.parametrize(("factor", "equal"), [(1 + 1e-10, True), (1 + 1e-8, False)])
def test_the_tolerance_is_that_of_float64(factor: float, equal: bool) -> None:
    """In float32, both factors round to 1."""
    reason = why_not_equal(nn.Sequential(Scaled(1.0)), nn.Sequential(Scaled(factor)), [X])
    assert (reason is None) == equal


@pytest.mark.parametrize(("error", "equal"), [(1e-6, True), (1e-4, False)])
def test_recomputed_weights_are_compared_in_their_own_precision_too(error: float, equal: bool) -> None:
    original, changed = linear(), linear()
    changed.load_state_dict(original.state_dict())
    with torch.no_grad():
        changed[1].bias += error * float(original(*X).abs().max())
    assert why_not_equal(original, changed, [X]) is not None  # in float64
    exact = [linear().double()]

    def change(module: nn.Module) -> nn.Module:
        exact.append(module)  # type: ignore[arg-type]
        return shared_copy(module)

    assert (why_not_equal(original, changed, [X], change=change) is None) == equal
    assert next(exact[-1].parameters()).dtype == torch.float64


class Casting(nn.Module):
    """It does not run in float64."""

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        assert x.dtype == torch.float32
        return F.leaky_relu(x, self.slope)


def test_without_float64_gradients_are_compared_in_the_models_precision() -> None:
    assert why_not_equal(Casting(0.5), Casting(0.5), [X]) is None
    assert why_not_equal(Casting(0.5), Casting(0.25), [X]) == "on sample 1 of 1 outputs differ"


def test_only_attributed_inputs_have_gradients() -> None:
    class Weighted(nn.Module):
        def __init__(self, detach: bool) -> None:
            super().__init__()
            self.detach = detach

        def forward(self, x: Tensor, weight: Tensor) -> Tensor:
            return x * (weight.detach() if self.detach else weight)

    pair = (Weighted(False), Weighted(True))
    assert compare(*pair, [(*X, *X)], 1) is None
    assert compare(*pair, [(*X, *X)]) == "on sample 1 of 1 gradients differ"
    assert compare(*pair, [(*X, *X)], gradients=False) is None


def test_the_original_runs_between_runs_of_the_copy() -> None:
    """A copy that reads what the original has computed is equal only on the same sample."""

    class Remembering(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.box: list[Tensor] = []

        def forward(self, x: Tensor) -> Tensor:
            self.box[:] = [2 * x]
            return self.box[0]

    class Reading(nn.Module):
        def __init__(self, original: Remembering) -> None:
            super().__init__()
            self.box = original.box

        def forward(self, x: Tensor) -> Tensor:
            return self.box[0]

    original = Remembering()
    samples = [X, (torch.ones(1, 6),)]
    assert compare(original, Reading(original), samples, gradients=False) == "on sample 1 of 2 outputs differ"


def test_integers_nan_and_infinity_are_equal_to_themselves() -> None:
    class Fixed(nn.Module):
        def __init__(self, *values: float) -> None:
            super().__init__()
            self.values = torch.tensor([values])

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return self.values, self.values.nan_to_num(0, 0, 0).long()

    one = Fixed(float("nan"), float("inf"), 3.0)
    assert compare(one, Fixed(float("nan"), float("inf"), 3.0), [X]) is None
    assert compare(one, Fixed(float("nan"), float("-inf"), 3.0), [X]) is not None
    assert compare(one, Fixed(0.0, float("inf"), 3.0), [X]) is not None


def test_the_model_itself_may_raise() -> None:
    class Raising(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise KeyError("x")

    assert compare(Raising(), nn.Identity(), [X]) == "on sample 1 of 1 the model itself raises KeyError: 'x'"


class OtherAt(nn.Module):
    """Doubles its output, or only its gradient, for pictures of one width."""

    def __init__(self, width: int, *, output: bool) -> None:
        super().__init__()
        self.width, self.output = width, output

    def forward(self, x: Tensor) -> Tensor:
        out = x.mean((1, 2, 3)).sin()
        if x.shape[3] != self.width:
            return out
        return 2 * out if self.output else 2 * out - out.detach()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("output", [True, False])
@pytest.mark.parametrize("width", [8, 16])
def test_a_copy_is_refused_that_differs_at_either_size(width: int, output: bool, dtype: torch.dtype) -> None:
    original, changed = OtherAt(0, output=True), OtherAt(width, output=output)
    full, smaller = torch.randn(2, 3, 16, 16, dtype=dtype), torch.randn(2, 3, 8, 8, dtype=dtype)
    assert why_not_equal(original, original, [(full,)], smaller=[(smaller,)]) is None
    refused = why_not_equal(original, changed, [(full,)], smaller=[(smaller,)])
    # What differs only at the smaller size is no difference of the model's own; the full proof decides.
    assert (refused is None) == (width == 8)
