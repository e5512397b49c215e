"""What one forward shows of a layer."""

import torch
from torch import Tensor, nn

from workers.tracing.layer_calls import LayerSeen


def seen_of(layer: nn.Module, *calls: tuple[object, ...], **kwargs: object) -> LayerSeen:
    seen = LayerSeen()
    handle = layer.register_forward_hook(seen.note, with_kwargs=True)
    for args in calls:
        layer(*args, **kwargs)
    handle.remove()
    return seen


class Splitting(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, str]:
        return x[:, :1], "rest"


def test_one_call() -> None:
    seen = seen_of(nn.Linear(3, 2), (torch.ones(4, 3),))
    assert (seen.calls, seen.shape) == (1, torch.Size([4, 2]))
    assert seen.refusals() == {}


def test_outputs_of_several_parts() -> None:
    assert seen_of(Splitting(), (torch.ones(4, 3),)).shape == [torch.Size([4, 1]), None]


def test_two_calls_are_refused() -> None:
    seen = seen_of(nn.ReLU(), (torch.ones(1),), (torch.ones(2),))
    assert seen.shape == torch.Size([2])
    assert list(seen.refusals()) == ["refused"]
    assert "2 times" in seen.refusals()["refused"]


def test_complex_sides_are_refused() -> None:
    class Fourier(nn.Module):
        def forward(self, x: Tensor, other: Tensor | None = None) -> Tensor:
            return torch.fft.fft(x)

    seen = seen_of(Fourier(), (torch.ones(1, 4),))
    assert (seen.complex_input, seen.complex_output) == (None, "complex64")
    assert list(seen.refusals()) == ["output_refused"]
    seen = seen_of(Fourier(), (torch.ones(1, 4),), other=torch.ones(1, dtype=torch.complex128))
    assert seen.complex_input == "complex128"
    assert list(seen.refusals()) == ["input_refused", "output_refused"]
    assert "(complex128)" in seen.refusals()["input_refused"]
