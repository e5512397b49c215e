"""Whether a layer's output for a row depends on the other rows of its batch."""

from typing import Any

import torch
from torch import Tensor, nn

from workers.tracing.closeness import distance, largest
from workers.tracing.forward_hooks import run_with_outputs
from workers.tracing.row_mixing import OUTPUT_TOLERANCE
from workers.tracing.samples import Tensors, cloned, stacked
from workers.tracing.tuning import LAYER_OUTPUT_BYTES, LAYER_ROWS


def layers_mix(module: nn.Module, rows: list[Tensors]) -> dict[str, str]:
    """Why layers cannot be explained, by path: their output for one row differs in a batch with two others.

    A layer may mix rows although the model does not, because a later layer takes the mixture apart. Layers whose output
    does not have one row for each row of the input are not tested here.

    Args:
        rows: single rows, (1, …) each, that the module accepts.
    """
    if len(rows) < LAYER_ROWS:
        return {}
    reasons: dict[str, str] = {}
    single = _outputs_by_path(module, rows[0])

    def compare(path: str, output: Any) -> None:
        alone = single.pop(path, None)
        if alone is None or not _is_real(output) or output.shape[:1] != (LAYER_ROWS,) or alone.shape[:1] != (1,):
            return
        far = distance(alone, output[:1], largest(output))
        if far > OUTPUT_TOLERANCE.get(output.dtype, OUTPUT_TOLERANCE[torch.float32]):
            reasons[path] = f"its output for a row depends on the other rows in the batch: {far:.2g} relative"

    with torch.no_grad():
        run_with_outputs(module, cloned(stacked(rows[:LAYER_ROWS])), compare)
    return reasons


def _outputs_by_path(module: nn.Module, row: Tensors) -> dict[str, Tensor]:
    """Copies of outputs that are one real tensor; the last output of a layer that is called again."""
    outputs: dict[str, Tensor] = {}
    held_bytes = 0

    def keep(path: str, output: Any) -> None:
        nonlocal held_bytes
        if _is_real(output) and held_bytes < LAYER_OUTPUT_BYTES:
            held_bytes += output.numel() * output.element_size()
            outputs[path] = output.clone()

    with torch.no_grad():
        run_with_outputs(module, cloned(row), keep)
    return outputs


def _is_real(output: Any) -> bool:
    return isinstance(output, Tensor) and not output.is_complex()
