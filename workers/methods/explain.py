"""One explanation, in model space: endpoints, target, the Captum call, and its completeness error."""

from contextlib import nullcontext
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from schemas.errors import InputRejected, NonFinite
from schemas.jobs import PREDICTED, Targets
from schemas.methods import AnyMethod
from schemas.results import Convergence
from workers.engine.engine import Engine
from workers.engine.numerics import all_finite, widened
from workers.engine.randomness.stream import RandomStream
from workers.engine.seams import Seams
from workers.engine.solo.solo_call import SoloCall
from workers.engine.solo.solo_group import SoloRequest
from workers.engine.targets import at_targets, finite_at
from workers.engine.task import Task
from workers.methods import solo_lane as solo
from workers.methods.explain_inputs import ExplainInputs, Tensors
from workers.methods.shared_lane import ADAPTIVE, SHARED
from workers.methods.shares import shares


@dataclass(frozen=True, slots=True)
class Outcome:
    """Attributions (examples, …), the model's outputs (examples, …), the targets explained, and per example
    sum(attributions) - (f(input) - f(baseline)) where the method promises that to vanish, with that difference.
    `convergence` is set where the method stopped by itself."""

    attributions: Tensors
    outputs: Tensor
    targets: Targets | None
    delta: Tensor | None
    difference: Tensor | None
    convergence: Convergence | None = None


def explain(
    engine: Engine,
    task: Task,
    method: AnyMethod,
    subject: ExplainInputs,
    seed: int = 0,
    batch_rows: int | None = None,
) -> Outcome:
    """Explains `subject` by `method` with the engine's model. Called in a job's own thread; parks in the engine.

    Captum expands a few times `batch_rows` at once; None: of what the engine's passes hold.

    Raises:
        JobError: the job was cancelled, does not fit into memory, or the model raised.
    """
    task.seed = seed
    if method.draws:
        task.random = RandomStream(seed, engine.view.device)
    engine.enter(task)
    try:
        with task.random or nullcontext():
            return _explain(engine, task, method, subject, batch_rows or engine.batch_rows)
    finally:
        engine.leave(task)


def _explain(engine: Engine, task: Task, method: AnyMethod, subject: ExplainInputs, batch_rows: int) -> Outcome:
    """`explain`, for a live task.

    The outputs for input and baseline are computed first, in one block. They yield the prediction, the target where the
    request names none, and both ends of the completeness sum, so that none of these costs a pass of its own. A method
    that is one gradient at the input takes the output for the input from the pass of that gradient.
    """
    seams = Seams(engine, task)
    absent = references(method, subject) if method.promises_completeness else None
    at_absent = None
    at_places = any(not isinstance(target, int) for target in subject.targets or [])  # looked at before they are used
    if method.single_gradient and not at_places:
        outputs, targets = seams.gradient_at(subject.inputs, subject.additional_forward_args, subject.targets)
        subject = replace(subject, targets=targets)
        engine.output_cache.put(subject.digest, outputs)
    else:
        outputs, at_absent = _endpoints(engine, seams, subject, absent)
    if subject.targets is None and outputs.dim() > 2:
        raise InputRejected("the model has an output for each position: a target must name a class and a position")
    if subject.targets is not None and outputs.dim() > 2:
        subject = replace(subject, targets=_places(subject, outputs, padded=engine.view.padded))
    if subject.targets is None and outputs.dim() > 1 and outputs.shape[1] > 1:
        subject = replace(subject, targets=outputs.argmax(dim=1).tolist())
    task.targets = subject.targets
    require_finite_ends(outputs, at_absent, subject.targets)
    seams.explained = subject.targets or [0]
    attributions, convergence = _attributed(engine, seams, task, method, subject, batch_rows)
    outcome = Outcome(attributions, outputs, subject.targets, None, None, convergence)
    return outcome if at_absent is None else held_against(at_absent, outcome, method, subject)


def require_finite_ends(outputs: Tensor, at_absent: Tensor | None, targets: Targets | None) -> None:
    """Checks the explained outputs; others may be infinite, as those of classes that a model rules out.

    Raises:
        NonFinite: the explained output for an input or a baseline is NaN or infinite.
    """
    if not all_finite(explained_outputs(outputs, targets)):
        raise NonFinite("the model's output for the input is not finite; explain another input")
    if at_absent is None:
        return
    if targets is None or len(targets) == len(at_absent):
        finite = all_finite(explained_outputs(at_absent, targets))
    else:  # one target for all, or samples that stand for every example
        finite = finite_at(at_absent, targets)
    if not finite:
        raise NonFinite("the model's output for the baseline is not finite; choose another baseline")


def held_against(at_absent: Tensor, outcome: Outcome, method: AnyMethod, subject: ExplainInputs) -> Outcome:
    """The outcome with its completeness error. `at_absent` are outputs for the references: (examples, outputs), or of
    samples to take the mean of."""
    if references(method, subject) is not subject.baselines:
        at_absent = at_absent.mean(dim=0, keepdim=True).expand_as(outcome.outputs)
    difference = explained_outputs(outcome.outputs, outcome.targets) - explained_outputs(at_absent, outcome.targets)
    total = torch.zeros_like(difference)
    for part in shares(method, subject, outcome.attributions):
        total = total + part.reshape(part.shape[0], -1).sum(dim=1)
    return replace(outcome, delta=total - difference, difference=difference)


def attribute(engine: Engine, seams: Seams, task: Task, method: AnyMethod, subject: ExplainInputs) -> Tensors:
    """The method's Captum call, in its lane. The task is live, and its random stream entered if it has one.

    Raises:
        As `explain`.
    """
    return _attributed(engine, seams, task, method, subject, engine.batch_rows)[0]


def _attributed(
    engine: Engine, seams: Seams, task: Task, method: AnyMethod, subject: ExplainInputs, batch_rows: int
) -> tuple[Tensors, Convergence | None]:
    convergence = None
    if method.adaptive:
        result = ADAPTIVE[type(method)](method, seams, subject, batch_rows)
        attributions, convergence = result.attributions, result.convergence
    elif method.lane == "shared":
        attributions = SHARED[type(method)](method, seams, subject, batch_rows)
    else:
        attributions = engine.solo(_solo_request(engine, task, method, subject))
    return tuple(map(widened, attributions)), convergence


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
            raise InputRejected(f"target: the places of this input's output are {sizes}, counted from 0")
        places.append([int(output[(slice(None), *position)].argmax()) if index == PREDICTED else index, *position])
    return places


def references(method: AnyMethod, subject: ExplainInputs) -> Tensors | None:
    """What stands for 'absent': (examples, …) each, or (samples, …) where the method takes the mean over many."""
    return subject.baseline_distribution if method.baselines == "distribution" else subject.baselines


def _endpoints(
    engine: Engine, seams: Seams, subject: ExplainInputs, absent: Tensors | None
) -> tuple[Tensor, Tensor | None]:
    """f(inputs) (examples, …) and, unless `absent` is None, f(absent) (rows, …). Outputs missing from the output cache
    are computed in one block of rows."""
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


def _solo_request(engine: Engine, task: Task, method: AnyMethod, subject: ExplainInputs) -> SoloRequest:
    own = method.entry == "model"
    inputs, additional_forward_args = (
        (subject.layer_inputs, subject.layer_additional_forward_args)
        if own
        else (subject.inputs, subject.additional_forward_args)
    )
    targets = (
        None if subject.targets is None else _target_per_example(subject.targets, subject.examples, inputs[0].device)
    )
    baseline_distribution = subject.baseline_distribution if method.baselines == "distribution" else None
    baselines = None if baseline_distribution else (subject.layer_baselines if own else subject.baselines)
    call = SoloCall(
        inputs,
        additional_forward_args,
        baselines,
        targets,
        baseline_distribution,
        subject.feature_mask,
        subject.layer_mask,
        subject.layer_values,
    )
    own_tensors = (baseline_distribution, subject.feature_mask, subject.layer_mask, subject.layer_values)
    alone = engine.view.draws_random or any(part is not None for part in (task.random, *own_tensors))
    shapes = tuple((t.dtype, t.shape[1:]) for t in inputs)
    return SoloRequest(
        task,
        call,
        lambda view, part, batch_rows: solo.attribute(method, view, part, batch_rows),
        None if alone else (method.model_dump_json(exclude={"baseline"}), shapes, baselines is None, targets is None),
        rows_each=method.rows_in_pass,
        divisible=task.random is None,
    )


def explained_outputs(outputs: Tensor, targets: Targets | None) -> Tensor:
    """(examples, …) to (examples,): the output that is explained."""
    if targets is None:
        return outputs.reshape(outputs.shape[0])
    return at_targets(outputs, _target_per_example(targets, outputs.shape[0], outputs.device))


def _target_per_example(targets: Targets, examples: int, device: torch.device) -> Tensor:
    """One target for all examples or one each, as (examples,) or (examples, dimensions)."""
    index = torch.tensor(targets, device=device)
    return index.expand(examples, *index.shape[1:])
