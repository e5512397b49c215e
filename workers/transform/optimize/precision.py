"""The precision that a model's operator asks for: what passes run then, and how far their gradients are off."""

import math
from dataclasses import replace

import torch
from torch import Tensor

from schemas.precision import PassPrecision, Precision
from workers.engine.device.gate import DeviceGate
from workers.engine.shared.batch import run_pass
from workers.engine.shared.block import Block, Part
from workers.engine.task import Task
from workers.engine.view import ModelView
from workers.repository.model_toml import ModelConfigError
from workers.tracing.float64_copy import as_float64, in_float64
from workers.tracing.samples import Tensors, draws, first_row
from workers.transform.optimize.half_module import HALF, HalfModule


def in_precision(
    view: ModelView, sample: Tensors, precision: Precision, gate: DeviceGate, threads: int
) -> tuple[ModelView, PassPrecision]:
    """The view with its shared passes in that precision, and the measured error of their gradients.

    Args:
        sample: what `view.module` takes, with at least one row of each tensor.

    Raises:
        ModelConfigError: the device or the model has no such precision, or overflows in it.
    """
    if precision == "float32":
        return view, PassPrecision()
    if precision == "tf32" and view.device.type != "cuda":
        raise ModelConfigError(f"runtime.precision: 'tf32' is a mode of CUDA devices, and this one is {view.device}")
    if any(weight.dtype == torch.float64 for weight in (*view.module.parameters(), *sample)):
        raise ModelConfigError(f"runtime.precision: {precision!r} is for models in float32, and this one is in float64")
    reduced = replace(view, precision=precision)
    if precision in HALF:
        reduced = replace(reduced, optimized=HalfModule(view.pass_module, view.device, HALF[precision]).eval())
    error = gate.run(lambda: gradient_error(reduced, sample), threads)
    if error is not None and not math.isfinite(error):
        raise ModelConfigError(f"runtime.precision: the model overflows in {precision!r}")
    return reduced, PassPrecision(name=precision, gradient_error=error)


def gradient_error(view: ModelView, sample: Tensors) -> float | None:
    """The relative L2 error of the input gradients of shared passes over inputs drawn around a sample, against float64.

    None where the model cannot be run in float64, or its inputs have no gradient. Each row's gradient is that of the
    output that is highest in float64.
    """
    inputs = sample[: view.input_count]
    if not all(tensor.is_floating_point() for tensor in inputs):
        return None
    exact = in_float64(view.module, sample)
    if exact is None:
        return None
    true_view = replace(view, module=exact, optimized=None, precision="float32")
    off = size = 0.0
    for drawn in draws(first_row(sample)):
        *true, outputs = _gradients(true_view, as_float64(drawn), None)
        *given, _ = _gradients(view, drawn, _highest(outputs))
        for expected, found in zip(true, given, strict=True):
            off += float((found.double() - expected).square().sum())
            size += float(expected.square().sum())
    return math.sqrt(off / size) if size else math.sqrt(off)


def _gradients(view: ModelView, rows: Tensors, targets: Tensor | None) -> tuple[Tensor, ...]:
    """By one pass as the engine runs it: one gradient per input, then all outputs."""
    if targets is None:
        with torch.no_grad():
            targets = _highest(view.pass_module(*rows))
    block = Block(
        Task("precision"), "gradient", rows[: view.input_count], rows[view.input_count :], targets, all_outputs=True
    )
    return run_pass(view, "gradient", [Part(block, 0, block.rows)])[0]


def _highest(outputs: Tensor) -> Tensor | None:
    """(rows,) indices, or (rows, dimensions) places; None for one output."""
    if outputs.dim() == 1:
        return None
    flat = outputs.flatten(1).argmax(dim=1)
    return flat if outputs.dim() == 2 else torch.stack(torch.unravel_index(flat, outputs.shape[1:]), dim=1)
