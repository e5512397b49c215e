"""The output that is explained: found among the model's outputs by the targets, and checked."""

import torch
from torch import Tensor

from schemas.errors import InputRejected, NonFinite
from schemas.jobs import PREDICTED, Targets
from schemas.sentences import Sentence
from workers.engine.numerics import all_finite
from workers.engine.targets import at_targets, finite_at
from workers.methods.explain_inputs import ExplainInputs


def resolve_targets(subject: ExplainInputs, outputs: Tensor, *, padded: bool) -> Targets | None:
    """The targets of the request, with the predicted class where it names none; None for a scalar output.

    Args:
        outputs: (examples, classes, …), the model's.
        padded: texts are padded, so outputs have more positions than the text.

    Raises:
        InputRejected: an output for each position and no position, or a position that the output does not have.
    """
    if subject.targets is not None:
        return _places(subject, outputs, padded=padded) if outputs.dim() > 2 else subject.targets
    if outputs.dim() > 2:
        raise InputRejected("the model has an output for each position: a target must name a class and a position")
    return outputs.argmax(dim=1).tolist() if outputs.dim() > 1 and outputs.shape[1] > 1 else None


def explained_outputs(outputs: Tensor, targets: Targets | None) -> Tensor:
    """(examples, …) to (examples,): the output that is explained."""
    if targets is None:
        return outputs.reshape(outputs.shape[0])
    first = targets[0]
    if outputs.dim() == 2 and isinstance(first, int) and all(target == first for target in targets):
        return outputs.select(1, first)  # one operation instead of five
    return at_targets(outputs, target_per_example(targets, outputs.shape[0], outputs.device))


def target_per_example(targets: Targets, examples: int, device: torch.device) -> Tensor:
    """One target for all examples or one each, as (examples,) or (examples, dimensions)."""
    index = torch.tensor(targets, device=device)
    return index.expand(examples, *index.shape[1:])


def require_finite_ends(outputs: Tensor, at_references: Tensor | None, targets: Targets | None) -> None:
    """Checks the explained outputs; others may be infinite, as those of classes that a model rules out.

    Raises:
        NonFinite: the explained output for an input or a baseline is NaN or infinite.
    """
    if not all_finite(explained_outputs(outputs, targets)):
        raise NonFinite("the model's output for the input is not finite; explain another input")
    if at_references is None:
        return
    if targets is None or len(targets) == len(at_references):
        finite = all_finite(explained_outputs(at_references, targets))
    else:  # one target for all, or samples that stand for every example
        finite = finite_at(at_references, targets)
    if not finite:
        raise NonFinite("the model's output for the baseline is not finite; choose another baseline")


def _places(subject: ExplainInputs, outputs: Tensor, *, padded: bool) -> list[list[int]]:
    """One place per example, with the predicted class where the target says so. `outputs` is (examples, classes, …).

    Raises:
        InputRejected: a place that this input's output has not; how long a text is, is known only now.
    """
    given = [target for target in subject.targets or [] if not isinstance(target, int)]
    given = given if len(given) == subject.examples else given * subject.examples
    sizes = [*outputs.shape[2:]]
    if padded:
        sizes = [min(size, subject.inputs[0].shape[1]) for size in sizes]
    places = []
    for output, (index, *position) in zip(outputs, given, strict=True):
        if len(position) != len(sizes) or any(at >= size for at, size in zip(position, sizes, strict=True)):
            raise InputRejected(
                Sentence("target: the places of this input's output are {sizes}, counted from 0", sizes=sizes)
            )
        places.append([int(output[(slice(None), *position)].argmax()) if index == PREDICTED else index, *position])
    return places
