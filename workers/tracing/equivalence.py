"""Proof on samples that a changed copy of a module computes what the original does, forward and backward."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn

from workers.tracing.closeness import is_close, norm, norm_distance
from workers.tracing.float64_copy import as_float64, in_float64, pair_in_float64
from workers.tracing.forward_backward import OutputsAndGradients, forward_backward
from workers.tracing.forward_hooks import run_with_outputs
from workers.tracing.module_names import labelled
from workers.tracing.samples import Tensors, cloned, first_row, is_large, leaves, tensors_in

# Relative to the largest value of the original's tensor.
TOLERANCE = {torch.float64: 1e-9}
OTHER_TOLERANCE = 1e-5
# Relative to the gradient, in the L2 norm: gates of ReLU fall either way within rounding. Operations are compared in
# float64; this shows that gradients at the model's own size are those of the same operations.
OWN_GRADIENT_TOLERANCE = 2e-2

Change = Callable[[nn.Module], nn.Module | None]  # makes a changed copy; None where it finds nothing to change


def why_not_equal(
    original: nn.Module,
    changed: nn.Module,
    samples: Iterable[Tensors],
    attributed: int | None = None,
    change: Change | None = None,
    smaller: list[Tensors] | None = None,
) -> str | None:
    """None if outputs and input gradients of both modules are equal on all samples, else what differs and where.

    Modules are compared in float64, to 1e-9 of the largest value. Gradients in float32 prove little: where a value lies
    within rounding of the bend of a ReLU, its gate falls either way, in the original too. A pass over a large row takes
    seconds in float64, so of large rows only one is compared there.

    Outputs are compared in the modules' own precision as well, to 1e-5, where float64 proves less than everything: for
    large rows, and for a copy whose weights were recomputed. Where the modules cannot run in float64 (see
    `workers.tracing.float64_copy`), outputs and gradients are compared in their own precision.

    Args:
        samples: what the modules take, one row or more each.
        attributed: number of leading tensors that get gradients; None: all.
        change: makes the changed copy from a float64 copy of the original. It is needed where `changed` has recomputed
            weights, which are rounded to the original's precision. None: both modules share their weights.
        smaller: samples of a size at which the original computes the same operations (see
            `workers.tracing.smaller_rows`). All of them are compared in float64, and of `samples` the outputs and,
            loosely, the gradients in the modules' own precision. Where they differ, the whole proof runs on `samples`.
    """
    samples = list(samples)
    if smaller and _equal_by_smaller(original, changed, samples, attributed, change, smaller):
        return None
    pair = _float64_pair(original, changed, samples[0], change)
    if pair is None:
        return compare(original, changed, samples, attributed)
    large = is_large(first_row(samples[0]))
    compared = [first_row(samples[-1])] if large else samples
    reason = compare(*pair, [as_float64(sample) for sample in compared], attributed)
    if reason is not None or not (large or change):
        return reason
    return compare(original, changed, samples, attributed, gradients=False)


def _equal_by_smaller(
    original: nn.Module,
    changed: nn.Module,
    samples: list[Tensors],
    attributed: int | None,
    change: Change | None,
    smaller: list[Tensors],
) -> bool:
    pair = _float64_pair(original, changed, smaller[0], change)
    if pair is None or compare(*pair, [as_float64(sample) for sample in smaller], attributed) is not None:
        return False
    if compare(original, changed, samples, attributed, gradients=False) is not None:
        return False
    try:
        one, other = (forward_backward(module, first_row(samples[0]), attributed) for module in (original, changed))
    except Exception:  # the model's own code may raise anything
        return False
    return len(one.gradients) == len(other.gradients) and all(
        norm_distance(a, b, norm(a)) <= OWN_GRADIENT_TOLERANCE
        for a, b in zip(one.gradients, other.gradients, strict=True)
    )


def _float64_pair(
    original: nn.Module, changed: nn.Module, sample: Tensors, change: Change | None
) -> tuple[nn.Module, nn.Module] | None:
    if change is None:
        return pair_in_float64(original, changed, sample)
    exact = in_float64(original, sample)
    return None if exact is None else (exact, change(exact) or exact)


def compare(
    original: nn.Module,
    changed: nn.Module,
    samples: list[Tensors],
    attributed: int | None = None,
    *,
    gradients: bool = True,
) -> str | None:
    """As `why_not_equal`, in the precision of the modules and samples as they are given.

    The original runs on another sample before each run of the copy: hooks and closures of a copy may still read or
    write what belongs to the original.
    """

    def run(module: nn.Module, number: int) -> OutputsAndGradients | str:
        try:
            return forward_backward(module, samples[number], attributed if gradients else 0)
        except Exception as error:  # the model's own code may raise anything
            return f"raises {type(error).__name__}: {error}"

    expected = run(original, 0)
    for number, sample in enumerate(samples):
        following = run(original, number + 1) if number + 1 < len(samples) else None
        if following is None and number:  # no sample follows the last one, so the first one runs in between
            with suppress(Exception):
                forward_backward(original, samples[0], 0)
        reason = _difference(expected, run(changed, number))
        if reason is not None:
            place = _first_difference(original, changed, sample)
            return f"on sample {number + 1} of {len(samples)} {reason}" + (f"; first at {place}" if place else "")
        expected = following or expected
    return None


def _difference(expected: OutputsAndGradients | str, given: OutputsAndGradients | str) -> str | None:
    if isinstance(expected, str):
        return f"the model itself {expected}"
    if isinstance(given, str):
        return f"the copy {given}"
    if not _all_equal(expected.outputs, given.outputs):
        return "outputs differ"
    return None if _all_equal(expected.gradients, given.gradients) else "gradients differ"


def _all_equal(expected: Tensors, given: Tensors) -> bool:
    return len(expected) == len(given) and all(map(_equal, expected, given))


def _equal(expected: Tensor, given: Tensor) -> bool:
    return expected.dtype == given.dtype and is_close(expected, given, TOLERANCE.get(expected.dtype, OTHER_TOLERANCE))


def _first_difference(original: nn.Module, changed: nn.Module, sample: Tensors) -> str | None:
    """The first submodule of the original whose output differs in the changed module."""
    expected, given = (_outputs_by_path(module, sample) for module in (original, changed))
    different = (path for path, outputs in expected.items() if not _all_equal(outputs, given.get(path, outputs)))
    path = next(different, None)
    return None if path is None else labelled(original, path)


def _outputs_by_path(module: nn.Module, sample: Tensors) -> dict[str, Tensors]:
    """In the order in which submodules finish; the last output of a submodule that is called again."""
    outputs: dict[str, Tensors] = {}

    def keep(path: str, output: Any) -> None:
        outputs.pop(path, None)
        outputs[path] = tuple(tensor.detach().clone() for tensor in tensors_in(output))

    # An error was reported before; outputs of the submodules that ran until then are kept.
    with suppress(Exception), torch.enable_grad():
        run_with_outputs(module, cloned(leaves(sample, None)), keep)
    return outputs
