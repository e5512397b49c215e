"""Whether each layer's output for a row depends on the rows beside it."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from workers.tracing.draws import Tensors, stacked
from workers.tracing.rows import TOLERANCE, distance, largest

ROWS = 3
MOST_BYTES = 1 << 30  # of the outputs kept; layers behind that are not examined


def layers_mix(module: nn.Module, rows: list[Tensors]) -> dict[str, str]:
    """Why layers cannot be explained, by path: their output for one row differs beside two others.

    A layer may mix rows although the model does not: what it mixes is taken apart again behind it. Layers whose output
    has no row for each row of the input are left to the card.

    Args:
        rows: single rows that the module takes, (1, …) each.
    """
    if len(rows) < ROWS:
        return {}
    found: dict[str, str] = {}
    single = _outputs(module, rows[0])

    def compare(path: str, whole: Tensor) -> None:
        one = single.pop(path, None)
        if one is None or whole.shape[:1] != (ROWS,) or one.shape[:1] != (1,):
            return
        far = _relative(one, whole)
        if far > TOLERANCE.get(whole.dtype, TOLERANCE[torch.float32]):
            found[path] = f"its output for a row is another beside other rows: {far:.2g} relative"

    _run(module, stacked(rows[:ROWS]), compare)
    return found


def _relative(one: Tensor, whole: Tensor) -> float:
    """The largest difference of a row, alone and as the first of several, relative to the largest value."""
    scale = float(whole.abs().max()) if whole.numel() else 0.0
    far = float((whole[:1] - one).abs().max()) if whole.shape[1:] == one.shape[1:] and one.numel() else math.inf
    if math.isfinite(scale) and math.isfinite(far):
        return far / max(scale, 1e-300)
    return distance(one, whole[:1], largest(whole))


def _outputs(module: nn.Module, batch: Tensors) -> dict[str, Tensor]:
    """By path, the outputs of layers, as they were when the layer ended; of one that is called again, the last."""
    outputs: dict[str, Tensor] = {}
    kept = 0

    def keep(path: str, out: Tensor) -> None:
        nonlocal kept
        if kept < MOST_BYTES:
            kept += out.numel() * out.element_size()
            outputs[path] = out.clone()

    _run(module, batch, keep)
    return outputs


def _run(module: nn.Module, batch: Tensors, take: Callable[[str, Tensor], None]) -> None:
    """One forward, during which `take` gets each layer's path and output, where that is one real tensor."""

    def hook_of(path: str) -> Any:
        def hook(_module: nn.Module, _args: object, out: object) -> None:
            if isinstance(out, Tensor) and not out.is_complex():
                take(path, out.detach())

        return hook

    handles = [
        layer.register_forward_hook(hook_of(path))
        for path, layer in module.named_modules()
        if path and not isinstance(layer, torch.jit.ScriptModule)
    ]
    try:
        with torch.no_grad():
            module(*(tensor.clone() for tensor in batch))
    finally:
        for handle in handles:
            handle.remove()
