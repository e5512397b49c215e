"""Both ends of an explanation: the outputs for the inputs and for the references that they are compared with."""

from dataclasses import replace
from functools import reduce
from operator import add

import torch
from torch import Tensor

from schemas.methods import AnyMethod
from workers.engine.engine import Engine
from workers.engine.seams import Seams
from workers.methods.explain_inputs import ExplainInputs, Tensors
from workers.methods.explained_output import explained_outputs
from workers.methods.outcome import Outcome
from workers.methods.shares import shares


def references(method: AnyMethod, subject: ExplainInputs) -> Tensors | None:
    """What stands for 'absent': (examples, …) each, or (samples, …) where the method takes the mean over many."""
    return subject.baseline_distribution if method.baselines == "distribution" else subject.baselines


def endpoints(
    engine: Engine, seams: Seams, subject: ExplainInputs, absent: Tensors | None
) -> tuple[Tensor, Tensor | None]:
    """f(inputs) (examples, …), and f(absent) (rows, …) unless `absent` is None.

    Outputs that the output cache does not hold are computed in one block of rows.
    """
    ends = [(subject.inputs, subject.additional_forward_args, subject.digest)]
    if absent is not None:
        digest = subject.baseline_digest if absent is subject.baselines else None
        ends.append((absent, additional_forward_args_of(subject, absent), digest))
    found = [engine.output_cache.get(digest) for _, _, digest in ends]
    missing = [end for end, outputs in zip(ends, found, strict=True) if outputs is None]
    if missing:
        inputs = tuple(torch.cat(column) for column in zip(*(tensors for tensors, _, _ in missing), strict=True))
        additional_forward_args = tuple(
            torch.cat(column) for column in zip(*(more for _, more, _ in missing), strict=True)
        )
        rows = [tensors[0].shape[0] for tensors, _, _ in missing]
        computed = iter(torch.split(seams.forward(*inputs, *additional_forward_args), rows))
        for k, (_, _, digest) in enumerate(ends):
            if found[k] is None:
                found[k] = at_end = next(computed)
                engine.output_cache.put(digest, at_end)
    outputs = [one for one in found if one is not None]
    for (tensors, _, _), one in zip(ends, outputs, strict=True):
        seams.remember(tensors, one)
    return outputs[0], outputs[1] if len(outputs) > 1 else None


def additional_forward_args_of(subject: ExplainInputs, absent: Tensors) -> Tensors:
    """The additional forward args of references: those of their example, or of the first one for samples."""
    rows = absent[0].shape[0]
    return tuple(
        e if rows == subject.examples else e[:1].expand(rows, *e.shape[1:]) for e in subject.additional_forward_args
    )


def with_completeness(at_references: Tensor, outcome: Outcome, method: AnyMethod, subject: ExplainInputs) -> Outcome:
    """The outcome with its completeness error.

    Args:
        at_references: (examples, outputs), or (samples, outputs) of which the mean counts.
    """
    if references(method, subject) is not subject.baselines:
        at_references = at_references.mean(dim=0, keepdim=True).expand_as(outcome.outputs)
    difference = explained_outputs(outcome.outputs, outcome.targets) - explained_outputs(at_references, outcome.targets)
    totals = [part.reshape(len(part), -1).sum(dim=1) for part in shares(method, subject, outcome.attributions)]
    return replace(outcome, delta=reduce(add, totals) - difference, difference=difference)
