"""Rebuilds PyTorch's layers from the operators of an exported program, for methods with rules for layers."""

from collections.abc import Callable
from typing import Any

from torch import fx, nn

# The defaults of the operands of aten.conv2d: input, weight, bias, stride, padding, dilation, groups.
_CONVOLUTION = (None, None, None, 1, 0, 1, 1)


def layer_of(graph: fx.Graph, type_name: str, tensors: dict[str, Any]) -> nn.Module | None:
    """Rebuilds the layer that the graph consists of; None where it is not one layer with weights.

    Args:
        graph: the operators of one exported module.
        type_name: the full name of the class that was exported.
        tensors: its parameters and buffers by name. The layer shares them.
    """
    calls = [node for node in graph.nodes if node.op == "call_function"]
    inputs = [node for node in graph.nodes if node.op == "placeholder"]
    package, _, name = type_name.rpartition(".")
    if len(calls) != 1 or len(inputs) != 1 or not package.startswith("torch.nn.modules.") or calls[0].kwargs:
        return None
    call = calls[0]
    build = _BUILDERS.get((str(call.target), name))
    if build is None or call.args[0] is not inputs[0] or not _in_order(call.args[1:]):
        return None
    layer = build(getattr(nn, name), call.args, tensors)
    for path, tensor in tensors.items():
        setattr(layer, path, tensor)
    return layer


def _in_order(operands: tuple[Any, ...]) -> bool:
    """Whether the tensor operands are the layer's own, in the order of the layer."""
    names = [node.target for node in operands if isinstance(node, fx.Node)]
    return names == [name for name in ("weight", "bias", "running_mean", "running_var") if name in names]


def _linear(kind: type[nn.Module], args: tuple[Any, ...], tensors: dict[str, Any]) -> nn.Module:
    out_features, in_features = tensors["weight"].shape
    return kind(in_features, out_features, bias="bias" in tensors, device="meta")


def _convolution(kind: type[nn.Module], args: tuple[Any, ...], tensors: dict[str, Any]) -> nn.Module:
    stride, padding, dilation, groups = (*args, *_CONVOLUTION[len(args) :])[3:7]
    weight = tensors["weight"]
    return kind(
        weight.shape[1] * groups,
        weight.shape[0],
        tuple(weight.shape[2:]),
        stride=_sizes(stride),
        padding=_sizes(padding),
        dilation=_sizes(dilation),
        groups=groups,
        bias="bias" in tensors,
        device="meta",
    )


def _batch_norm(kind: type[nn.Module], args: tuple[Any, ...], tensors: dict[str, Any]) -> nn.Module:
    momentum, eps = args[6:8]
    features = tensors["running_mean"].shape[0]
    return kind(features, eps=eps, momentum=momentum, affine="weight" in tensors, device="meta")


def _sizes(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else value


_BUILDERS: dict[tuple[str, str], Callable[..., nn.Module]] = {
    ("aten.linear.default", "Linear"): _linear,
    **{(f"aten.conv{n}d.default", f"Conv{n}d"): _convolution for n in (1, 2, 3)},
    **{("aten.batch_norm.default", f"BatchNorm{n}d"): _batch_norm for n in (1, 2, 3)},
}
