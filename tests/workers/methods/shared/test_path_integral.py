"""Rows of the whole path at once give, to the last bit, what Captum gives step by step."""

from typing import Any

import pytest
import torch
from captum.attr import IntegratedGradients
from torch import Tensor, nn

from workers.methods.shared.path_integral import PathIntegral, path_rows

METHODS = ("gausslegendre", "riemann_middle", "riemann_trapezoid")


class TwoInputs(nn.Module):
    """(rows, 2, 3), (rows, 4), and a scale of each row -> (rows, 5)."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.first = torch.randn(6, 5, generator=generator, dtype=torch.float64).to(dtype)
        self.second = torch.randn(4, 5, generator=generator, dtype=torch.float64).to(dtype)

    def forward(self, x: Tensor, y: Tensor, scale: Tensor) -> Tensor:
        return torch.tanh(x.flatten(1) @ self.first) * (y @ self.second).sigmoid() * scale


def drawn(*shape: int, dtype: torch.dtype, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("batch", [None, 8, 1_000])
@pytest.mark.parametrize("multiply", [True, False])
def test_equals_captum_to_the_last_bit(dtype: torch.dtype, method: str, batch: int | None, multiply: bool) -> None:
    model = TwoInputs(dtype)
    inputs = drawn(3, 2, 3, dtype=dtype, seed=1), drawn(3, 4, dtype=dtype, seed=2)
    given: dict[str, Any] = {
        "baselines": (drawn(3, 2, 3, dtype=dtype, seed=3), drawn(1, 4, dtype=dtype, seed=4)),
        "target": [0, 4, 2],
        "additional_forward_args": (drawn(3, 1, dtype=dtype, seed=5),),
        "n_steps": 13,
        "method": method,
        "internal_batch_size": batch,
    }
    expected = IntegratedGradients(model, multiply_by_inputs=multiply).attribute(inputs, **given)
    found = PathIntegral(model, multiply_by_inputs=multiply)
    found.gradient_func = _gradients
    for mine, captums in zip(found.attribute(inputs, **given), expected, strict=True):
        assert mine.dtype == captums.dtype
        assert torch.equal(mine, captums)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("examples", [1, 2])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_rows_are_the_points_of_the_path(dtype: torch.dtype, examples: int, layout: torch.memory_format) -> None:
    x = drawn(examples, 3, 5, 4, dtype=dtype, seed=1).to(memory_format=layout)
    baseline = drawn(1, 3, 5, 4, dtype=dtype, seed=2).expand(examples, 3, 5, 4)
    alphas = [0.013046735741414, 1 / 3, 0.7, 0.986953264258586]
    expected = torch.cat([baseline + alpha * (x - baseline) for alpha in alphas])
    assert torch.equal(path_rows(baseline, x - baseline, alphas), expected)
    assert torch.equal(path_rows(0, x, alphas), torch.cat([0 + alpha * x for alpha in alphas]))


def _gradients(forward_fn: Any, inputs: Any, target_ind: Any = None, additional_forward_args: Any = None) -> Any:
    """A gradient seam that detaches its rows, as that of the engine does."""
    leaves = tuple(one.detach().requires_grad_() for one in inputs)
    with torch.enable_grad():
        out = forward_fn(*leaves, *additional_forward_args)
        explained = out[torch.arange(len(out)), torch.tensor(target_ind)]
        return torch.autograd.grad(explained.sum(), leaves)
