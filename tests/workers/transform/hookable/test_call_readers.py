"""Function calls that layers can replace."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from workers.transform.hookable import call_readers
from workers.transform.hookable.call_readers import recognise
from workers.transform.hookable.layer_call import LAYERS, build_layer

X = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)).requires_grad_()
ROW = torch.randn(2, 6, generator=torch.Generator().manual_seed(0)).requires_grad_()


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "layer"),
    [
        (F.relu, (ROW,), {}, "relu"),
        (torch.Tensor.relu, (ROW,), {}, "relu"),
        (torch.ops.aten.relu.default, (ROW,), {}, "relu"),
        (F.relu6, (ROW,), {}, "clipped_relu"),
        (F.hardtanh, (ROW, 0.0, 2.0), {}, "clipped_relu"),
        (torch.clamp, (ROW,), {"min": 0}, "relu"),
        (F.threshold, (ROW, 0, 0), {}, "relu"),
        (F.leaky_relu, (ROW, 0.2), {}, "leaky_relu"),
        (F.gelu, (ROW,), {"approximate": "tanh"}, "gelu"),
        (F.softmax, (ROW,), {"dim": 1}, "softmax"),
        (torch.log_softmax, (ROW, 1), {}, "log_softmax"),
        (F.silu, (ROW,), {}, "silu"),
        (F.max_pool2d, (X, 2), {"padding": 1}, "max_pool2d"),
        (F.avg_pool2d, (X, [2, 2]), {}, "avg_pool2d"),
        (F.adaptive_avg_pool2d, (X, 1), {}, "adaptive_avg_pool2d"),
        (torch.mean, (X, (2, 3)), {}, "spatial_mean"),
        (torch.mean, (X, (-1, -2), True), {}, "spatial_mean"),
        (torch.add, (ROW, ROW), {}, "addition"),
    ],
)
def test_the_layer_computes_what_the_call_computes(
    function: object, args: tuple[object, ...], kwargs: dict[str, object], layer: str
) -> None:
    call = recognise(function, args, kwargs)
    assert call is not None
    assert call.layer == layer
    assert not call.in_place
    assert torch.equal(build_layer(call)(*call.operands), function(*args, **kwargs))  # type: ignore[operator]
    assert hash(call.key) == hash(recognise(function, args, kwargs).key)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("function", "args", "kwargs"),
    [
        (torch.sin, (ROW,), {}),
        (F.relu, (ROW.detach(),), {}),
        (F.hardtanh, (ROW, -1.0, 1.0), {}),
        (torch.clamp, (ROW, 0.5), {}),
        (F.threshold, (ROW, 0.1, 0), {}),
        (F.softmax, (ROW,), {"dim": 1, "dtype": torch.float64}),
        (F.max_pool2d, (X, 2), {"return_indices": True}),
        (torch.mean, (X, (1,)), {}),
        (torch.add, (ROW, 1.0), {}),
        (torch.add, (ROW, nn.Parameter(torch.ones(6))), {}),
        (torch.add, (ROW, ROW), {"alpha": 2}),
        (F.relu, (ROW, 1, 2, 3), {}),
    ],
)
def test_other_calls_stay_functions(function: object, args: tuple[object, ...], kwargs: dict[str, object]) -> None:
    assert recognise(function, args, kwargs) is None


def test_in_place_calls_are_marked() -> None:
    for function, kwargs in ((torch.relu_, {}), (torch.Tensor.relu_, {}), (F.relu, {"inplace": True})):
        call = recognise(function, (ROW,), kwargs)
        assert call is not None
        assert call.in_place


def test_every_layer_has_a_reader() -> None:
    assert set(LAYERS) <= {*call_readers._NAMES, "clipped_relu", "addition", "spatial_mean"}
