"""Explanations of toy models with metrics, run as a worker runs them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from schemas.methods import AnyMethod
from schemas.metric_requests import AnyQuality
from schemas.metrics import QualityReport
from tests.workers.toys import RunningJob, ToyConvNet, ToyMlp, ToyScalar, ToyTwoInputs, frozen, problem_of
from workers.engine.device.threads import use_threads
from workers.evaluation.evaluate import evaluate
from workers.evaluation.evaluation_inputs import EvaluationInputs, NamedBaseline, each_element
from workers.methods.explain import explain
from workers.methods.explain_inputs import ExplainInputs, Tensors

MODELS: dict[str, tuple[nn.Module, list[list[int]], int]] = {  # the model, shapes of its inputs, its outputs
    "mlp": (frozen(ToyMlp()), [[6]], 4),
    "conv": (frozen(ToyConvNet()), [[3, 12, 12]], 5),
    "two": (frozen(ToyTwoInputs()), [[3], [2]], 3),
    "scalar": (frozen(ToyScalar()), [[6]], 0),
}
GRID = (torch.arange(144).view(1, 1, 12, 12) // 24).expand(1, 3, 12, 12).contiguous()  # six stripes


def draw(shapes: list[list[int]], rows: int, seed: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(rows, *shape, generator=generator, dtype=torch.float64) for shape in shapes]


def toy_problem(name: str, examples: int, seed: int, *, masked: bool = False) -> ExplainInputs:
    """Every example has its own input, target and baseline; the distribution has four rows."""
    _, shapes, outputs = MODELS[name]
    generator = torch.Generator().manual_seed(seed)
    targets = torch.randint(outputs, (examples,), generator=generator).tolist() if outputs else None
    inputs, baselines, baseline_distribution = (
        draw(shapes, rows, 3 * seed + k) for k, rows in enumerate((examples, examples, 4))
    )
    return problem_of(inputs, targets, baselines, baseline_distribution, [GRID] if masked else None)


def inputs_of(subject: ExplainInputs, metrics: Sequence[AnyQuality], **changed: Any) -> EvaluationInputs:
    """Features are elements, and pixels of pictures. Both baselines are the subject's."""
    features: Tensors = each_element(subject.inputs)
    is_picture = subject.inputs[0].dim() == 4
    if is_picture:
        features = (torch.arange(144).view(1, 1, 12, 12).expand_as(subject.inputs[0][:1]),)
    if subject.feature_mask is not None:
        features = subject.feature_mask
    assert subject.baselines is not None
    own = NamedBaseline("own", subject.baselines)
    made = EvaluationInputs(
        metrics=list(metrics),
        unit="pixels" if is_picture else "elements",
        features=features,
        deletion_baseline=own,
        insertion_baseline=own,
        output_kind="classification" if subject.targets is not None else "regression",
        is_picture=is_picture,
    )
    return replace(made, **changed)


@dataclass(eq=False)
class EvaluatedJob(RunningJob):
    """An explanation and its metrics, in a thread of its own."""

    inputs: EvaluationInputs | None = None
    report: QualityReport | None = None

    def run(self) -> None:
        use_threads(1)
        try:
            assert self.inputs is not None
            self.outcome = explain(self.engine, self.task, self.method, self.subject, self.seed)
            self.report = evaluate(
                self.engine, self.task, self.method, self.subject, self.outcome, self.inputs, self.seed
            )
        except BaseException as error:
            self.error = error

    def metrics(self) -> QualityReport:
        self.result()
        assert self.report is not None
        return self.report


def evaluated(
    engine: Any, method: AnyMethod, subject: ExplainInputs, *metrics: AnyQuality, seed: int = 0, **changed: Any
) -> EvaluatedJob:
    """Starts a job with metrics. `changed` are fields of its `EvaluationInputs`."""
    return EvaluatedJob(engine, method, subject, seed, inputs=inputs_of(subject, metrics, **changed))
