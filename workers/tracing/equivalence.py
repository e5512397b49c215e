"""Proof on examples that a rewritten model computes what the original does, forward and backward."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn

from workers.tracing.draws import is_large
from workers.tracing.float64_copy import as_float64, pair_in_float64
from workers.tracing.samples import Tensors, enter, first_row, labelled, leaves, tensors_in

TOLERANCE = {torch.float64: 1e-9}
OTHER_TOLERANCE = 1e-5
Answers = tuple[list[Tensor], list[Tensor]]  # outputs and gradients


def verify(
    original: nn.Module, hookable: nn.Module, samples: Iterable[Tensors], attributed: int | None = None
) -> str | None:
    """None if outputs and input gradients of both are equal on all samples, else what differs and where.

    Equal is 1e-9 of the largest value in float64, on a copy of both that shares one set of weights, where the model can
    be run so and the copy takes no more than `FLOAT64_BYTES`; else 1e-5 in the model's own precision. Large rows cost
    seconds in float64: there one row is compared so, and the outputs of all samples in the model's own precision.
    """
    samples = list(samples)
    pair = pair_in_float64(original, hookable, samples[0])
    if pair is None:
        return compare(original, hookable, samples, attributed)
    if not is_large(first_row(samples[0])):
        return compare(*pair, [as_float64(sample) for sample in samples], attributed)
    exact = compare(*pair, [as_float64(first_row(samples[-1]))], attributed)
    return exact or compare(original, hookable, samples, attributed, gradients=False)


def compare(
    original: nn.Module,
    hookable: nn.Module,
    samples: list[Tensors],
    attributed: int | None = None,
    *,
    gradients: bool = True,
) -> str | None:
    """As `verify`, in the precision that modules and samples have.

    The original runs on another sample before each run of the rewriting: hooks and closures of a copy may still read,
    or write, what belongs to the original.
    """

    def answer(module: nn.Module, number: int) -> Answers | str:
        try:
            return _run(module, samples[number], attributed if gradients else 0)
        except Exception as error:  # the model's own code
            return f"raises {type(error).__name__}: {error}"

    expected = answer(original, 0)
    for number, sample in enumerate(samples):
        following = answer(original, number + 1) if number + 1 < len(samples) else None
        if following is None and number:  # the last has no other behind it
            with suppress(Exception):
                _run(original, samples[0], 0)
        reason = _difference(expected, answer(hookable, number))
        if reason is not None:
            place = _first_difference(original, hookable, sample)
            return f"on sample {number + 1} of {len(samples)} {reason}" + (f"; first at {place}" if place else "")
        expected = following or expected
    return None


def _difference(expected: Answers | str, given: Answers | str) -> str | None:
    if isinstance(expected, str):
        return f"the model itself {expected}"
    if isinstance(given, str):
        return f"the rewritten model {given}"
    for what, left, right in zip(("outputs", "gradients"), expected, given, strict=True):
        if len(left) != len(right) or not all(_equal(a, b) for a, b in zip(left, right, strict=True)):
            return f"{what} differ"
    return None


def _run(module: nn.Module, sample: Tensors, attributed: int | None) -> tuple[list[Tensor], list[Tensor]]:
    """The outputs, and the gradients of a random weighting of them with respect to the inputs."""
    inputs = leaves(sample, attributed)
    with torch.enable_grad():
        outputs = list(tensors_in(module(*enter(inputs))))
        generator = torch.Generator().manual_seed(0)
        weighted = [
            (out * torch.randn(out.shape, generator=generator, dtype=torch.float64).to(out.device, out.dtype)).sum()
            for out in outputs
            if out.requires_grad
        ]
        wanted = [tensor for tensor in inputs if tensor.requires_grad]
        gradients = torch.autograd.grad(weighted, wanted, allow_unused=True) if weighted and wanted else ()
    return [out.detach() for out in outputs], [g for g in gradients if g is not None]


def _equal(expected: Tensor, given: Tensor) -> bool:
    if expected.shape != given.shape or expected.dtype != given.dtype:
        return False
    if not expected.is_floating_point() or not expected.numel():
        return torch.equal(expected, given)
    tolerance = TOLERANCE.get(expected.dtype, OTHER_TOLERANCE)
    scale = float(torch.nan_to_num(expected, posinf=0.0, neginf=0.0).abs().max())
    return torch.allclose(expected, given, rtol=0.0, atol=tolerance * scale, equal_nan=True)


def _first_difference(original: nn.Module, hookable: nn.Module, sample: Tensors) -> str | None:
    """The first module of the original whose output differs in the rewritten model."""
    expected, given = (_outputs_by_module(module, sample) for module in (original, hookable))
    for path, outputs in expected.items():
        others = given.get(path, outputs)
        if path and not (len(outputs) == len(others) and all(map(_equal, outputs, others))):
            return labelled(original, path)
    return None


def _outputs_by_module(module: nn.Module, sample: Tensors) -> dict[str, list[Tensor]]:
    """By path, in the order in which modules finish; of a module that is called again, the last output."""
    outputs: dict[str, list[Tensor]] = {}

    def recorder(path: str) -> Any:
        def hook(_module: nn.Module, _args: Any, out: Any) -> None:
            outputs.pop(path, None)
            outputs[path] = [tensor.detach().clone() for tensor in tensors_in(out)]

        return hook

    handles = [part.register_forward_hook(recorder(path)) for path, part in module.named_modules()]
    try:
        with torch.enable_grad():
            module(*enter(leaves(sample, None)))
    except Exception:  # it was already told; what ran before it is here
        return outputs
    finally:
        for handle in handles:
            handle.remove()
    return outputs
