"""What a method of the solo lane hands to the engine."""

from schemas.methods import AnyMethod
from workers.engine.engine import Engine
from workers.engine.solo.solo_call import SoloCall
from workers.engine.solo.solo_group import SoloRequest
from workers.engine.task import Task
from workers.methods.explain_inputs import ExplainInputs, Tensors, chunk_rows
from workers.methods.explained_output import target_per_example
from workers.methods.pairs import mean_over_pairs
from workers.methods.solo import lane as solo


def solo_attributions(
    engine: Engine, task: Task, method: AnyMethod, subject: ExplainInputs, batch_rows: int
) -> Tensors:
    """A method's attributions, (examples, …) each, from the solo lane.

    Raises:
        JobError: as `Engine.solo`.
    """

    def attribute(one: ExplainInputs) -> Tensors:
        return engine.solo(solo_request(engine, task, method, one))

    if method.rules == "deep_lift" and method.baselines == "distribution":
        return mean_over_pairs(subject, chunk_rows(batch_rows, 1), attribute)
    return attribute(subject)


def solo_request(engine: Engine, task: Task, method: AnyMethod, subject: ExplainInputs) -> SoloRequest:
    own = method.entry == "model"
    inputs, additional_forward_args = (
        (subject.layer_inputs, subject.layer_additional_forward_args)
        if own
        else (subject.inputs, subject.additional_forward_args)
    )
    targets = (
        None if subject.targets is None else target_per_example(subject.targets, subject.examples, inputs[0].device)
    )
    baseline_distribution = subject.baseline_distribution if method.baselines == "distribution" else None
    baselines = None if baseline_distribution else (subject.layer_baselines if own else subject.baselines)
    call = SoloCall(
        inputs,
        additional_forward_args,
        baselines,
        targets,
        baseline_distribution,
        subject.feature_mask if method.perturbs == "input" else None,
        subject.layer_mask,
        subject.layer_values,
    )
    masks = (subject.feature_mask,) if method.perturbs == "input" else ()
    own_tensors = (baseline_distribution, *masks, subject.layer_mask, subject.layer_values)
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
