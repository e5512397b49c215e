"""Finds on random inputs whether outputs are logits or probabilities, where `model.toml` does not say."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import torch
from torch import Tensor

from schemas.models import OutputKind
from workers.engine.view import ModelView
from workers.inputs.prepared import Prepared, Tensors
from workers.models.tuning import MIN_OUTPUT_KIND_DRAWS, OUTPUT_KIND_SCALES, PROBABILITY_SUM_TOLERANCE


@dataclass(frozen=True, slots=True)
class FoundKind:
    """An output kind. `reason` says how it was found; None where it is given or the usual one."""

    kind: OutputKind
    reason: str | None = None


def output_kind(
    given: OutputKind | None, view: ModelView, sample: Prepared, vocabularies: list[int | None] | None = None
) -> FoundKind:
    """Returns the given kind; else `probabilities` where every draw shows them; else `classification`.

    Outputs that are non-negative and sum to 1 over the classes are probabilities. Several outputs that lie in [0, 1]
    and vary are probabilities of independent labels. A single output is shown unchanged in either kind.

    Args:
        given: the kind in `model.toml`.
        view: the model.
        sample: gives the shapes and types of the random inputs. Its additional forward args (masks) are used as is.
        vocabularies: the number of ids of each input; an input of ids with an unknown number keeps those of the sample.
    """
    if given is not None:
        return FoundKind(given)
    finite: list[Tensor] = []
    for inputs in _random_inputs(sample.inputs, vocabularies):
        outputs = _finite_outputs(view, inputs, sample.additional_forward_args)
        if outputs is None:
            continue
        if outputs.dim() < 2 or outputs.shape[1] < 2 or not _in_unit_interval(outputs):
            return FoundKind("classification")
        finite.append(outputs)
    if len(finite) < MIN_OUTPUT_KIND_DRAWS:
        return FoundKind("classification")
    if all(map(_sums_to_one, finite)):
        return FoundKind("probabilities", _reason(len(finite), "are non-negative and sum to 1"))
    if any(not outputs.equal(finite[0]) for outputs in finite[1:]):
        return FoundKind("probabilities", _reason(len(finite), "lie between 0 and 1"))
    return FoundKind("classification")


def _finite_outputs(view: ModelView, inputs: Tensors, additional_forward_args: Tensors) -> Tensor | None:
    """None where the model raises, as it may on inputs that no client would send, or where outputs are not finite."""
    with suppress(Exception), torch.no_grad():
        outputs: Tensor = view.module(*inputs, *additional_forward_args)
        return outputs if bool(torch.isfinite(outputs).all()) else None
    return None


def _random_inputs(sample: Tensors, vocabularies: list[int | None] | None) -> Iterator[Tensors]:
    """Random inputs of the sample's shapes and types, the same at every load."""
    generator = torch.Generator().manual_seed(0)
    sizes = vocabularies or [None] * len(sample)
    for scale in OUTPUT_KIND_SCALES:
        yield tuple(_random(tensor, size, scale, generator) for tensor, size in zip(sample, sizes, strict=True))


def _random(like: Tensor, vocabulary: int | None, scale: float, generator: torch.Generator) -> Tensor:
    if like.is_floating_point():
        noise = torch.randn(like.shape, generator=generator, dtype=torch.float64) * scale
        return noise.to(like.device, like.dtype)
    if vocabulary is None:
        return like.clone()
    return torch.randint(vocabulary, like.shape, generator=generator).to(like.device, like.dtype)


def _in_unit_interval(outputs: Tensor) -> bool:
    return bool((outputs >= 0).all() & (outputs <= 1 + _tolerance(outputs)).all())


def _sums_to_one(outputs: Tensor) -> bool:
    return bool(((outputs.double().sum(dim=1) - 1).abs() <= _tolerance(outputs)).all())


def _tolerance(outputs: Tensor) -> float:
    return max(PROBABILITY_SUM_TOLERANCE, 4 * torch.finfo(outputs.dtype).eps)


def _reason(draws: int, property_: str) -> str:
    return (
        f"output.kind is not given; the outputs for {draws} random inputs {property_}, so they are taken for "
        'probabilities and shown as they are (kind = "classification" says that they are logits)'
    )
