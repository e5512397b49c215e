"""One explanation, in model space: endpoints, target, the Captum call, and its completeness error."""

from contextlib import nullcontext
from dataclasses import replace

from schemas.methods import AnyMethod
from workers.engine.engine import Engine
from workers.engine.numerics import widened
from workers.engine.randomness.stream import RandomStream
from workers.engine.seams import Seams
from workers.engine.task import Task
from workers.methods.adaptive.doubled_steps import with_doubled_steps
from workers.methods.attributed import Attributed
from workers.methods.captum_changes.quadrature_nodes import prepare_nodes
from workers.methods.endpoints import endpoints, references, with_completeness
from workers.methods.explain_inputs import ExplainInputs, Tensors
from workers.methods.explained_output import require_finite_ends, resolve_targets
from workers.methods.outcome import Outcome
from workers.methods.shared.lane import ADAPTIVE, RULED, SHARED, TRACED
from workers.methods.solo.request import solo_attributions


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
    prepare_nodes(method, task)
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
    at_references = None
    at_places = any(not isinstance(target, int) for target in subject.targets or [])  # looked at before they are used
    if method.single_gradient and not at_places:
        outputs, targets = seams.gradient_at(subject.inputs, subject.additional_forward_args, subject.targets)
        subject = replace(subject, targets=targets)
        engine.output_cache.put(subject.digest, outputs)
    else:
        outputs, at_references = endpoints(engine, seams, subject, absent)
    subject = replace(subject, targets=resolve_targets(subject, outputs, padded=engine.view.padded))
    task.targets = subject.targets
    require_finite_ends(outputs, at_references, subject.targets)
    seams.explained = subject.targets or [0]
    found = _attributed(engine, seams, task, method, subject, batch_rows, traced=method.path_frames > 0)
    outcome = Outcome(found.attributions, outputs, subject.targets, None, None, found.convergence, found.path)
    return outcome if at_references is None else with_completeness(at_references, outcome, method, subject)


def attribute(engine: Engine, seams: Seams, task: Task, method: AnyMethod, subject: ExplainInputs) -> Tensors:
    """The method's Captum call, in its lane. The task is live, and its random stream entered if it has one.

    Raises:
        As `explain`.
    """
    return _attributed(engine, seams, task, method, subject, engine.batch_rows, traced=False).attributions


def _attributed(
    engine: Engine,
    seams: Seams,
    task: Task,
    method: AnyMethod,
    subject: ExplainInputs,
    batch_rows: int,
    *,
    traced: bool,
) -> Attributed:
    convergence = path = None
    if method.adaptive and method.lane == "solo":
        result = with_doubled_steps(engine, task, method, seams, subject)
        attributions, convergence = result.attributions, result.convergence
    elif method.adaptive:
        result = ADAPTIVE[type(method)](method, seams, subject, batch_rows)
        attributions, convergence, path = result.attributions, result.convergence, result.path
    elif traced:
        attributions, path = TRACED[type(method)](method, seams, subject, batch_rows)
    elif method.lane == "shared":
        attributions = SHARED[type(method)](method, seams, subject, batch_rows)
    elif method.backward_rule in engine.view.rule_modules:
        attributions = RULED[type(method)](method, seams, subject, batch_rows)
    else:
        attributions = solo_attributions(engine, task, method, subject, batch_rows)
    if path is not None:
        path = replace(path, attributions=tuple(map(widened, path.attributions)))
    return Attributed(tuple(map(widened, attributions)), convergence, path)
