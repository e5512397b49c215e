"""Runs shared passes in the precision that the operator chose, and measures the error of their gradients."""

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
from workers.tracing.samples import Tensors, first_row, neighbours
from workers.transform.optimize.half_module import HALF, HalfModule


def in_precision(
    view: ModelView,
    sample: Tensors,
    precision: Precision,
    gate: DeviceGate,
    threads: int,
    known: PassPrecision | None = None,
) -> tuple[ModelView, PassPrecision]:
    """The view with its shared passes in a precision, and the measured error of their gradients.

    Args:
        sample: what `view.module` takes, one row or more.
        threads: CPU threads of a pass.
        known: of an earlier load, whose error is not measured again.

    Raises:
        ModelConfigError: the device or the model does not support the precision, or the model overflows in it.
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
    if known is not None and known.name == precision:
        return reduced, known
    error = gate.run(lambda: gradient_error(reduced, sample), threads)
    if error is not None and not math.isfinite(error):
        raise ModelConfigError(f"runtime.precision: the model overflows in {precision!r}")
    return reduced, PassPrecision(name=precision, gradient_error=error)


def gradient_error(view: ModelView, sample: Tensors) -> float | None:
    """The relative L2 error, against float64, of input gradients of shared passes on neighbours of a sample.

    Each row's gradient is that of the output that is highest in float64. None where the model does not run in float64,
    or an input has no gradient.
    """
    inputs = sample[: view.input_count]
    if not all(tensor.is_floating_point() for tensor in inputs):
        return None
    exact = in_float64(view.module, sample)
    if exact is None:
        return None
    exact_view = replace(view, module=exact, optimized=None, precision="float32")
    error = size = 0.0  # sums of squares
    for rows in neighbours(first_row(sample)):
        *expected, outputs = _gradients(exact_view, as_float64(rows), None)
        *given, _ = _gradients(view, rows, _highest(outputs))
        for one, other in zip(expected, given, strict=True):
            error += float((other.double() - one).square().sum())
            size += float(one.square().sum())
    return math.sqrt(error / size) if size else math.sqrt(error)


def _gradients(view: ModelView, rows: Tensors, targets: Tensor | None) -> tuple[Tensor, ...]:
    """One gradient per input, then all outputs, from one pass as the engine runs it."""
    if targets is None:
        with torch.no_grad():
            targets = _highest(view.pass_module(*rows))
    block = Block(
        Task("precision"), "gradient", rows[: view.input_count], rows[view.input_count :], targets, all_outputs=True
    )
    return run_pass(view, "gradient", [Part(block, 0, block.size)])[0]


def _highest(outputs: Tensor) -> Tensor | None:
    """The index of each row's highest output: (rows,), or (rows, dimensions); None for outputs (rows,)."""
    if outputs.dim() == 1:
        return None
    flat = outputs.flatten(1).argmax(dim=1)
    return flat if outputs.dim() == 2 else torch.stack(torch.unravel_index(flat, outputs.shape[1:]), dim=1)
