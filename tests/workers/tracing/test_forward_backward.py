"""One forward and backward."""

import torch
from torch import Tensor, nn

from workers.tracing.forward_backward import forward_backward

X = torch.randn(3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


class Two(nn.Module):
    def forward(self, x: Tensor, y: Tensor) -> dict[str, Tensor]:
        return {"square": x.square(), "sum": (x + y).sum(dim=1)}


def test_outputs_and_gradients() -> None:
    result = forward_backward(Two(), (X, 2 * X), None)
    assert torch.equal(result.outputs[0], X.square())
    assert torch.allclose(result.outputs[1], 3 * X.sum(dim=1))
    weight = result.gradients[1][0, 0]  # of the sum, the same for all elements
    assert torch.equal(result.gradients[1], weight.expand_as(X))
    slope = (result.gradients[0] - weight) / (2 * X)  # the weights of the squares
    assert torch.allclose(slope, slope[:1].expand_as(X))  # the same for every row
    assert not any(tensor.requires_grad for tensor in (*result.outputs, *result.gradients))


def test_gradients_only_of_attributed_inputs() -> None:
    assert [len(forward_backward(Two(), (X, X), count).gradients) for count in (0, 1, 2, None)] == [0, 1, 2, 2]
    assert forward_backward(nn.Identity(), (torch.arange(3),), None).gradients == ()


def test_unused_inputs_have_a_gradient_of_zero() -> None:
    class First(nn.Module):
        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return x

    assert forward_backward(First(), (X, X), None).gradients[1].abs().max() == 0


def test_a_model_may_overwrite_its_input() -> None:
    class InPlace(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.mul_(2)

    before = X.clone()
    assert torch.equal(forward_backward(InPlace(), (X,), None).outputs[0], 2 * before)
    assert torch.equal(X, before)
