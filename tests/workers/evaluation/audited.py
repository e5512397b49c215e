"""Toy problems with quality metrics, run as a worker runs them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from schemas.methods import AnyMethod
from schemas.metric_requests import AnyQuality
from schemas.metrics import QualityReport
from tests.workers.toys import RunningJob, ToyConvNet, ToyMlp, ToyScalar, ToyTwoInputs, frozen, problem_of
from workers.engine.device.threads import use_threads
from workers.evaluation.audit import Audit, Replacement, every_element
from workers.evaluation.report import assess
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


def audit_of(subject: ExplainInputs, metrics: Sequence[AnyQuality], **changed: Any) -> Audit:
    """Elements are features, pixels for the pictures; both baselines are the problem's."""
    units: Tensors = every_element(subject.inputs)
    picture = subject.inputs[0].dim() == 4
    if picture:
        units = (torch.arange(144).view(1, 1, 12, 12).expand_as(subject.inputs[0][:1]),)
    if subject.feature_mask is not None:
        units = subject.feature_mask
    assert subject.baselines is not None
    own = Replacement("own", subject.baselines)
    made: dict[str, Any] = {
        "metrics": list(metrics),
        "unit": "pixels" if picture else "elements",
        "units": units,
        "removed": own,
        "start": own,
        "output": "classification" if subject.targets is not None else "regression",
        "picture": picture,
    }
    return Audit(**{**made, **changed})


@dataclass(eq=False)
class AuditedJob(RunningJob):
    """An explanation and its metrics, in a thread of its own."""

    audit: Audit | None = None
    report: QualityReport | None = None

    def run(self) -> None:
        use_threads(1)
        try:
            assert self.audit is not None
            self.outcome = explain(self.engine, self.task, self.method, self.subject, self.seed)
            self.report = assess(self.engine, self.task, self.method, self.subject, self.outcome, self.audit, self.seed)
        except BaseException as error:
            self.error = error

    def metrics(self) -> QualityReport:
        self.result()
        assert self.report is not None
        return self.report


def audited(
    engine: Any, method: AnyMethod, subject: ExplainInputs, *metrics: AnyQuality, seed: int = 0, **changed: Any
) -> AuditedJob:
    """Starts the job."""
    return AuditedJob(engine, method, subject, seed, audit=audit_of(subject, metrics, **changed))
