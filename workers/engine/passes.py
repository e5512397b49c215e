"""One pass: rows of several blocks become a batch, go through the model once, and come back apart."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from schemas.errors import InputRejected, JobFailed
from schemas.jobs import PREDICTED
from workers.engine.block import Block, PassKind
from workers.engine.precision import passes_in
from workers.engine.view import ModelView
from workers.engine.widened import widened


@dataclass(frozen=True, slots=True)
class Part:
    """Rows `start` to `stop` (exclusive) of a block, in a pass."""

    block: Block
    start: int
    stop: int

    @property
    def rows(self) -> int:
        return self.stop - self.start


def run_pass(view: ModelView, kind: PassKind, parts: list[Part]) -> list[tuple[Tensor, ...]]:
    """Runs the model once over all rows of `parts`.

    Returns, per part, what its block expects (see `Block`), on the device.
    """
    with passes_in(view.precision):
        return _scatter(parts, kind, _outputs(view, kind, parts))


def _outputs(view: ModelView, kind: PassKind, parts: list[Part]) -> tuple[Tensor, ...]:
    """What the model answers for all rows of `parts` together."""
    first = parts[0].block
    lengths = [view.length(tensor) for tensor in first.inputs + first.additional_forward_args]
    inputs = tuple(_gather(view, parts, "inputs", i, lengths[i]) for i in range(len(first.inputs)))
    additional_forward_args = tuple(
        _gather(view, parts, "additional_forward_args", i, lengths[len(first.inputs) + i])
        for i in range(len(first.additional_forward_args))
    )
    if len(parts) == 1:  # views of a job's own tensors, which a model that works in place must not overwrite
        inputs = inputs if kind == "gradient" else tuple(tensor.clone() for tensor in inputs)
        additional_forward_args = tuple(tensor.clone() for tensor in additional_forward_args)
    if kind == "forward":
        with torch.no_grad():
            return (_by_row(view, inputs, additional_forward_args),)
    targets = None if first.targets is None else torch.cat([_rows(p, p.block.targets) for p in parts])
    return _gradients(view, inputs, additional_forward_args, targets)


def _gradients(
    view: ModelView, inputs: tuple[Tensor, ...], additional_forward_args: tuple[Tensor, ...], targets: Tensor | None
) -> tuple[Tensor, ...]:
    """d(target output of row r) / d(input of row r), for all rows by one backward; then the target outputs, (rows,),
    and all outputs, (rows, …).

    The outputs are there anyway, so whoever needs both pays one row. Rows do not see each other, so the gradient of the
    sum is each row's own; one `.sum()` costs far less than `autograd.grad` over unbound outputs, which Captum uses.
    """
    with torch.enable_grad():
        leaves = tuple(tensor.detach().requires_grad_() for tensor in inputs)
        out = _by_row(
            view, tuple(leaf.clone() for leaf in leaves), additional_forward_args
        )  # no leaf may be changed in place
        explained = _explained(out, targets)
        gradients = torch.autograd.grad(explained.sum(), leaves, allow_unused=True, materialize_grads=True)
    return *(widened(gradient).contiguous() for gradient in gradients), explained.detach(), out.detach()


def _by_row(view: ModelView, inputs: tuple[Tensor, ...], additional_forward_args: tuple[Tensor, ...]) -> Tensor:
    """(rows, …). One tensor without dimensions is one row.

    Raises:
        JobFailed: the model does not answer one row for each of the batch: whoever waits for the others waits for ever.
    """
    out = widened(view.pass_module(*inputs, *additional_forward_args))
    rows = inputs[0].shape[0]
    if (rows, out.dim()) == (1, 0):
        return out.reshape(1)
    if out.shape[:1] != (rows,):
        raise JobFailed(f"the model answers {list(out.shape)} for a batch of {rows} rows, not one row for each")
    return out


def _explained(out: Tensor, targets: Tensor | None) -> Tensor:
    """The target outputs, (rows,), with their graph.

    Raises:
        InputRejected: no target says which of several outputs is meant.
    """
    if out.numel() == out.shape[0]:
        return out.reshape(-1)
    if targets is None or (out.dim() > 2 and targets.dim() == 1):
        raise InputRejected(
            f"a target must name a class and a position: the outputs are of shape {tuple(out.shape[1:])}"
        )
    targets = targets.to(out.device)
    if out.dim() == 2:
        targets = torch.where(targets == PREDICTED, out.detach().argmax(dim=1), targets)
    return chosen(out, targets)


def chosen(outputs: Tensor, targets: Tensor) -> Tensor:
    """The target outputs, (rows,).

    Args:
        outputs: (rows, outputs), or (rows, classes, …).
        targets: (rows,) int64 indices, or (rows, dimensions) places.
    """
    if targets.dim() == 1:
        return outputs.gather(1, targets.unsqueeze(1)).squeeze(1)
    return outputs[(torch.arange(len(outputs), device=outputs.device), *targets.unbind(1))]


def _gather(view: ModelView, parts: list[Part], side: str, index: int, length: int | None) -> Tensor:
    tensors = [_rows(part, getattr(part.block, side)[index]) for part in parts]
    if length is not None:
        tensors = [_pad(tensor, length) for tensor in tensors]
    batch = tensors[0] if len(tensors) == 1 else torch.cat(tensors)
    return batch.to(view.device, non_blocking=True)


def _rows(part: Part, tensor: Tensor | None) -> Tensor:
    if tensor is None:
        raise ValueError("rows with and without a target cannot share a pass")
    return tensor[part.start : part.stop]


def _pad(tensor: Tensor, length: int) -> Tensor:
    """(rows, n, …) to (rows, length, …) with zeros; a padded mask hides what a padded input holds."""
    missing = length - tensor.shape[1]
    if missing == 0:
        return tensor
    return F.pad(tensor, (0, 0) * (tensor.dim() - 2) + (0, missing))


def _scatter(parts: list[Part], kind: PassKind, outputs: tuple[Tensor, ...]) -> list[tuple[Tensor, ...]]:
    answers = []
    row = 0
    for part in parts:
        rows = tuple(out[row : row + part.rows] for out in outputs)
        if kind == "gradient":  # cut padding off: a gradient has its input's shape
            *gradients, explained, outputs_of_rows = rows
            cut = (_cut(g, own) for g, own in zip(gradients, part.block.inputs, strict=True))
            rows = *cut, outputs_of_rows if part.block.whole else explained
        answers.append(rows)
        row += part.rows
    return answers


def _cut(gradient: Tensor, own: Tensor) -> Tensor:
    return gradient[:, : own.shape[1]] if gradient.dim() > 1 else gradient
