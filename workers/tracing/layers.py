"""Whether each layer's output for a row depends on the rows beside it."""

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
    rows = rows[:ROWS]
    beside = _outputs(module, stacked(rows))
    alone = [_outputs(module, row) for row in rows]
    found = {}
    for path, whole in beside.items():
        singles = [outputs[path] for outputs in alone if path in outputs]
        if whole.shape[:1] != (ROWS,) or any(single.shape[:1] != (1,) for single in singles):
            continue
        scale = max((largest(single) for single in singles), default=0.0)
        for number, single in enumerate(singles):
            far = distance(single, whole[number : number + 1], scale)
            if far > TOLERANCE.get(whole.dtype, TOLERANCE[torch.float32]):
                found[path] = f"row {number} of its output is another beside other rows: {far:.2g} relative"
                break
    return found


def _outputs(module: nn.Module, batch: Tensors) -> dict[str, Tensor]:
    """By path, the outputs of the layers that give one real tensor, as they were when the layer ended."""
    outputs: dict[str, Tensor] = {}
    kept = 0

    def recorder(path: str) -> Any:
        def hook(_module: nn.Module, _args: object, out: object) -> None:
            nonlocal kept
            if isinstance(out, Tensor) and not out.is_complex() and kept < MOST_BYTES:
                kept += out.numel() * out.element_size()
                outputs[path] = out.detach().clone()

        return hook

    handles = [
        layer.register_forward_hook(recorder(path))
        for path, layer in module.named_modules()
        if path and not isinstance(layer, torch.jit.ScriptModule)
    ]
    try:
        with torch.no_grad():
            module(*(tensor.clone() for tensor in batch))
    finally:
        for handle in handles:
            handle.remove()
    return outputs
