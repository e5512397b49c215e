"""One pass: rows of several blocks become a batch, go through the model once, and are handed back to their blocks."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from schemas.errors import InputRejected, JobFailed
from schemas.jobs import PREDICTED
from schemas.sentences import Sentence
from workers.engine.device.tf32 import passes_in
from workers.engine.numerics import widened
from workers.engine.shared.block import AppliedRule, Part, PassKind
from workers.engine.targets import at_targets
from workers.engine.view import ModelView
from workers.engine.work import Tensors

Forward = Callable[[Tensors, Tensors], Tensor]  # inputs, additional forward args -> outputs, (rows, …)


def run_pass(view: ModelView, kind: PassKind, parts: list[Part]) -> list[Tensors]:
    """Runs the model once over the rows of all parts.

    Returns:
        Per part, the tensors that `Block` describes, on the device.

    Raises:
        InputRejected: targets are missing, or do not fit the model's outputs.
        JobFailed: the model does not return one output for each row.
    """
    rule = parts[0].block.rule
    with passes_in(view.precision if rule is None else "float32"):  # rules divide by small differences
        batch = _gathered(view, parts)
        inputs, additional_forward_args = batch[: view.input_count], batch[view.input_count :]
        if len(parts) == 1:  # views of a job's own tensors, which a model that works in place must not overwrite
            inputs = inputs if kind == "gradient" else _cloned(inputs)
            additional_forward_args = _cloned(additional_forward_args)
        if kind == "gradient":
            forward = partial(_forward, view.pass_module) if rule is None else _under_rule(view, rule, parts)
            return _gradients_by_part(parts, _gradients(forward, inputs, additional_forward_args, _targets(parts)))
        with torch.no_grad():
            return _by_part(parts, (_forward(view.pass_module, inputs, additional_forward_args),))


def _under_rule(view: ModelView, rule: AppliedRule, parts: list[Part]) -> Forward:
    """The forward of a rule module, whose gradients are those of the rule."""
    blocks = [part.block for part in parts]
    baselines: Tensors = ()
    if blocks[0].baselines is not None:
        columns = zip(*(block.baselines or () for block in blocks), strict=True)
        baselines = tuple(_joined_parts(view, parts, column) for column in columns)
        baselines = _cloned(baselines) if len(parts) == 1 else baselines  # as the inputs
    module = view.rule_modules[rule.name]

    def run(inputs: Tensors, additional_forward_args: Tensors) -> Tensor:
        at_baselines = (*baselines, *_cloned(additional_forward_args)) if baselines else ()
        return _forward(lambda *rows: module(rows, at_baselines, rule.eps), inputs, additional_forward_args)

    return run


def _gradients(forward: Forward, inputs: Tensors, additional_forward_args: Tensors, targets: Tensor | None) -> Tensors:
    """d(target output of row r) / d(input of row r), of all rows by one backward; then the target outputs, (rows,),
    and all outputs, (rows, …), which cost nothing more.

    Rows do not depend on each other, so the gradient of the sum is each row's own. One `.sum()` costs far less than
    `autograd.grad` over unbound outputs, which Captum uses.
    """
    with torch.enable_grad():
        leaves = tuple(tensor.detach().requires_grad_() for tensor in inputs)
        out = forward(_cloned(leaves), additional_forward_args)  # no leaf may be changed in place
        explained = _target_outputs(out, targets)
        gradients = torch.autograd.grad(explained.sum(), leaves, allow_unused=True, materialize_grads=True)
    return *(widened(gradient).contiguous() for gradient in gradients), explained.detach(), out.detach()


def _forward(module: Callable[..., Tensor], inputs: Tensors, additional_forward_args: Tensors) -> Tensor:
    """The model's outputs, (rows, …). One tensor without dimensions is one row.

    Raises:
        JobFailed: the model does not return one output for each row; the job of a missing row would wait for ever.
    """
    out = widened(module(*inputs, *additional_forward_args))
    rows = inputs[0].shape[0]
    if (rows, out.dim()) == (1, 0):
        return out.reshape(1)
    if out.shape[:1] != (rows,):
        raise JobFailed(
            Sentence(
                "the model answers {shape} for a batch of {rows} rows, not one row for each",
                shape=list(out.shape),
                rows=rows,
            )
        )
    return out


def _target_outputs(out: Tensor, targets: Tensor | None) -> Tensor:
    """The target outputs, (rows,), with their graph.

    Raises:
        InputRejected: no target says which of several outputs is meant.
    """
    if out.numel() == out.shape[0]:
        return out.reshape(-1)
    if targets is None or (out.dim() > 2 and targets.dim() == 1):
        raise InputRejected(
            Sentence(
                "a target must name a class and a position: the outputs are of shape {shape}",
                shape=list(out.shape[1:]),
            )
        )
    targets = targets.to(out.device)
    if out.dim() == 2:
        targets = torch.where(targets == PREDICTED, out.detach().argmax(dim=1), targets)
    return at_targets(out, targets)


def _gathered(view: ModelView, parts: list[Part]) -> Tensors:
    """The rows of all parts as one batch on the device: inputs, then additional forward args, (rows, …) each."""
    blocks = [(*part.block.inputs, *part.block.additional_forward_args) for part in parts]
    return tuple(_joined_parts(view, parts, column) for column in zip(*blocks, strict=True))


def _joined_parts(view: ModelView, parts: list[Part], column: Tensors) -> Tensor:
    """The rows of all parts of one tensor, (rows, …) on the device. `column` has that tensor of each part's block."""
    own = [part.of(tensor) for part, tensor in zip(parts, column, strict=True)]
    return _joined(own, view.length(column[0])).to(view.device, non_blocking=True)


def _targets(parts: list[Part]) -> Tensor | None:
    """The targets of all rows; None where the blocks have none."""
    targets = [part.of(part.block.targets) for part in parts if part.block.targets is not None]
    if targets and len(targets) < len(parts):
        raise ValueError("rows with and without a target cannot share a pass")
    return torch.cat(targets) if targets else None


def _joined(tensors: list[Tensor], length: int | None) -> Tensor:
    """One tensor of all rows, padded to `length` if there is one."""
    if length is not None:
        tensors = [_padded(tensor, length) for tensor in tensors]
    return tensors[0] if len(tensors) == 1 else torch.cat(tensors)


def _padded(tensor: Tensor, length: int) -> Tensor:
    """(rows, n, …) to (rows, length, …) with zeros; a padded mask hides the padding of inputs."""
    missing = length - tensor.shape[1]
    if missing == 0:
        return tensor
    return F.pad(tensor, (0, 0) * (tensor.dim() - 2) + (0, missing))


def _by_part(parts: list[Part], outputs: Tensors) -> list[Tensors]:
    """Each part's own rows of the outputs."""
    sizes = [part.size for part in parts]
    return [*zip(*(torch.split(out, sizes) for out in outputs), strict=True)]


def _gradients_by_part(parts: list[Part], outputs: Tensors) -> list[Tensors]:
    """Each part's own rows of `_gradients`, as `Block` describes them; gradients have the shape of their inputs."""
    results = []
    for part, (*gradients, explained, out) in zip(parts, _by_part(parts, outputs), strict=True):
        unpadded = (
            gradient[:, : own.shape[1]] if gradient.dim() > 1 else gradient
            for gradient, own in zip(gradients, part.block.inputs, strict=True)
        )
        results.append((*unpadded, out if part.block.all_outputs else explained))
    return results


def _cloned(tensors: Tensors) -> Tensors:
    return tuple(tensor.clone() for tensor in tensors)
