"""Maximum sensitivity: Captum's, of the method as the engine runs it."""

from dataclasses import replace
from typing import Any

from captum.metrics import sensitivity_max as captum_sensitivity_max

from schemas.methods import AnyMethod
from schemas.metric_requests import SensitivityMax
from schemas.metrics import SensitivityMetric
from workers.engine.engine import Engine
from workers.engine.seams import Seams
from workers.engine.task import Task
from workers.methods.explain import Outcome, attribute
from workers.methods.explain_inputs import ExplainInputs, Tensors


def sensitivity_max(
    asked: SensitivityMax,
    engine: Engine,
    seams: Seams,
    task: Task,
    method: AnyMethod,
    subject: ExplainInputs,
    outcome: Outcome,
) -> SensitivityMetric:
    """The largest |explanation(x + noise) - explanation(x)| / |explanation(x)| found for each example, by Captum.

    Noise is uniform in [-radius, radius]; target, baselines and masks stay those of the example. All copies are
    explained as one batch, whose rows share passes with those of other jobs. Draws: `task.random` is entered.

    Source: Yeh et al., "On the (In)fidelity and Sensitivity of Explanations" (2019).
    """
    known: list[Tensors] = [] if method.draws else [outcome.attributions]  # else Captum's noise comes after it

    def explanation(inputs: Any) -> Tensors:
        if known:
            return known.pop()
        copies = perturbed_inputs(subject, inputs if isinstance(inputs, tuple) else (inputs,))
        stream = task.random
        if method.draws or stream is None:
            return attribute(engine, seams, task, method, copies)
        with stream.paused():  # others may draw, and the copies may meet other jobs, as the example itself did
            task.random = None
            try:
                return attribute(engine, seams, task, method, copies)
            finally:
                task.random = stream

    values = captum_sensitivity_max(
        explanation,
        subject.inputs,
        perturb_radius=asked.perturb_radius,
        n_perturb_samples=asked.n_perturb_samples,
    )
    return SensitivityMetric(
        perturb_radius=asked.perturb_radius,
        n_perturb_samples=asked.n_perturb_samples,
        values=values.double().tolist(),
    )


def perturbed_inputs(subject: ExplainInputs, inputs: Tensors) -> ExplainInputs:
    """The same question about `inputs`, so many copies of each example, one example after the other."""
    samples = inputs[0].shape[0] // subject.examples

    def copies(tensors: Tensors) -> Tensors:
        return tuple(t.repeat_interleave(samples, dim=0) for t in tensors)

    mask = subject.feature_mask
    if mask is not None:
        mask = tuple(part if part.shape[0] == 1 else part.repeat_interleave(samples, dim=0) for part in mask)
    targets: Any = subject.targets
    if targets is not None and len(targets) > 1:
        targets = [target for target in targets for _ in range(samples)]
    # Layers are entered at the very inputs, but for texts, whose ids cannot be perturbed.
    layer_inputs = inputs if subject.layer_inputs is subject.inputs else copies(subject.layer_inputs)
    return replace(
        subject,
        inputs=inputs,
        additional_forward_args=copies(subject.additional_forward_args),
        targets=targets,
        baselines=None if subject.baselines is None else copies(subject.baselines),
        feature_mask=mask,
        layer_inputs=layer_inputs,
        layer_additional_forward_args=copies(subject.layer_additional_forward_args),
        layer_baselines=None if subject.layer_baselines is None else copies(subject.layer_baselines),
    )
