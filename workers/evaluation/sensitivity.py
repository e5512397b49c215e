"""Maximum sensitivity, computed by Captum, of the method as the engine runs it."""

from dataclasses import replace
from typing import Any

from captum.metrics import sensitivity_max as captum_sensitivity_max

from schemas.metric_requests import SensitivityMax
from schemas.metrics import SensitivityMetric
from workers.evaluation.evaluation_run import EvaluationRun
from workers.methods.explain import attribute
from workers.methods.explain_inputs import ExplainInputs, Tensors


def sensitivity_max(request: SensitivityMax, run: EvaluationRun) -> SensitivityMetric:
    """The largest |explanation(x + noise) - explanation(x)| / |explanation(x)| that is found for each example.

    Noise is uniform in [-radius, radius]. Targets, baselines and masks stay those of the example. All copies are
    explained as one batch, whose rows share passes with those of other jobs. Requires an entered random stream.

    Source: Yeh et al., "On the (In)fidelity and Sensitivity of Explanations" (2019).
    """
    task, draws = run.task, run.method.draws
    # Captum first explains the example itself. A method that draws must do so again, in the order of Captum's draws.
    computed: list[Tensors] = [] if draws else [run.outcome.attributions]

    def explanation(inputs: Any) -> Tensors:
        if computed:
            return computed.pop()
        copies = perturbed_inputs(run.subject, inputs if isinstance(inputs, tuple) else (inputs,))
        stream = task.random
        if draws or stream is None:
            return attribute(run.engine, run.seams, task, run.method, copies)
        with stream.paused():  # other jobs may draw meanwhile, and rows of the copies may share passes with theirs
            task.random = None
            try:
                return attribute(run.engine, run.seams, task, run.method, copies)
            finally:
                task.random = stream

    values = captum_sensitivity_max(
        explanation,
        run.subject.inputs,
        perturb_radius=request.perturb_radius,
        n_perturb_samples=request.n_perturb_samples,
    )
    return SensitivityMetric(
        perturb_radius=request.perturb_radius,
        n_perturb_samples=request.n_perturb_samples,
        values=values.double().tolist(),
    )


def perturbed_inputs(subject: ExplainInputs, inputs: Tensors) -> ExplainInputs:
    """The subject with `inputs`, which hold several copies of each example, one example after the other."""
    samples = inputs[0].shape[0] // subject.examples

    def copies(tensors: Tensors) -> Tensors:
        return tuple(t.repeat_interleave(samples, dim=0) for t in tensors)

    mask = subject.feature_mask
    if mask is not None:
        mask = tuple(part if part.shape[0] == 1 else part.repeat_interleave(samples, dim=0) for part in mask)
    targets: Any = subject.targets
    if targets is not None and len(targets) > 1:
        targets = [target for target in targets for _ in range(samples)]
    # Layers get the perturbed inputs too, except for texts, whose layers get token ids that cannot be perturbed.
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
