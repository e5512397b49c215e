"""What a model's outputs are: logits or probabilities, found out on random inputs where `model.toml` does not say."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import torch
from torch import Tensor

from schemas.models import OutputKind
from workers.engine.view import ModelView
from workers.inputs.prepared import Prepared, Tensors

# Standard deviations of the inputs drawn. Wide ones show that outputs are bounded, not small by chance.
SCALES = (1.0, 0.1, 1.0, 3.0, 10.0, 1.0, 3.0, 30.0)
FEWEST = 5  # draws with a finite answer, to conclude anything from
TOLERANCE = 1e-5  # of a sum of 1, in single precision or better


@dataclass(frozen=True, slots=True)
class Found:
    """The kind, and how it was found where it was not given."""

    kind: OutputKind
    reason: str | None = None


def output_kind(
    given: OutputKind | None, view: ModelView, sample: Prepared, vocabularies: list[int | None] | None = None
) -> Found:
    """The kind given; else probabilities where outputs are those on every draw, else logits of classes.

    Outputs that are non-negative and sum to 1 over the classes are probabilities; several that lie in [0, 1] and vary
    are the probabilities of labels that may hold together. One output alone is told as it is in either kind.

    Args:
        sample: what the inputs drawn are like: their shapes and types. Its extras (masks) stay.
        vocabularies: for each input how many ids it may hold; ids of an unknown vocabulary stay those of the sample.
    """
    if given is not None:
        return Found(given)
    seen: list[Tensor] = []
    for drawn in _draws(sample.inputs, vocabularies):
        out: Tensor | None = None
        with suppress(Exception), torch.no_grad():  # the model may refuse what no client would send
            out = view.module(*drawn, *sample.additional_forward_args)
        if out is None or not bool(torch.isfinite(out).all()):
            continue
        if out.dim() < 2 or out.shape[1] < 2 or not _in_unit_interval(out):
            return Found("classification")
        seen.append(out)
    if len(seen) < FEWEST:
        return Found("classification")
    if all(map(_sums_to_one, seen)):
        return Found("probabilities", _reason(len(seen), "are non-negative and sum to 1"))
    if any(not one.equal(seen[0]) for one in seen[1:]):
        return Found("probabilities", _reason(len(seen), "lie between 0 and 1"))
    return Found("classification")


def are_probabilities(outputs: Tensor, kind: OutputKind) -> bool:
    """Whether `as_told` gives probabilities. One output alone, which no softmax makes one, is shown as it is."""
    several = outputs.dim() > 1 and outputs.shape[1] > 1
    return kind in ("multilabel", "probabilities") or (kind == "classification" and several)


def as_told(outputs: Tensor, kind: OutputKind) -> Tensor:
    """Outputs, (rows, …) with classes in dimension 1, as predictions and curves show them: softmax probabilities,
    sigmoids of labels that may hold together, or the values themselves. Of the same shape."""
    if kind == "multilabel":
        return outputs.sigmoid()
    if kind == "classification" and are_probabilities(outputs, kind):
        return outputs.softmax(dim=1)
    return outputs


def _draws(sample: Tensors, vocabularies: list[int | None] | None) -> Iterator[Tensors]:
    """Random inputs of the sample's shapes and types, the same at every load."""
    generator = torch.Generator().manual_seed(0)
    sizes = vocabularies or [None] * len(sample)
    for scale in SCALES:
        yield tuple(_drawn(tensor, size, scale, generator) for tensor, size in zip(sample, sizes, strict=True))


def _drawn(like: Tensor, size: int | None, scale: float, generator: torch.Generator) -> Tensor:
    if like.is_floating_point():
        noise = torch.randn(like.shape, generator=generator, dtype=torch.float64) * scale
        return noise.to(like.device, like.dtype)
    if size is None:
        return like.clone()
    return torch.randint(size, like.shape, generator=generator).to(like.device, like.dtype)


def _in_unit_interval(out: Tensor) -> bool:
    return bool((out >= 0).all() & (out <= 1 + _tolerance(out)).all())


def _sums_to_one(out: Tensor) -> bool:
    return bool(((out.double().sum(dim=1) - 1).abs() <= _tolerance(out)).all())


def _tolerance(out: Tensor) -> float:
    return max(TOLERANCE, 4 * torch.finfo(out.dtype).eps)


def _reason(draws: int, what: str) -> str:
    return (
        f"output.kind is not given; the outputs for {draws} random inputs {what}, so they are taken for probabilities "
        'and told as they are (kind = "classification" says that they are logits)'
    )
