"""Small models in float64, one per kind of structure, and the machinery to explain them as the worker does."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from schemas.jobs import Targets
from schemas.methods import AnyMethod
from workers.engine.device.threads import use_threads
from workers.engine.engine import Engine
from workers.engine.task import Task
from workers.engine.view import ModelView
from workers.methods.explain import explain
from workers.methods.explain_inputs import ExplainInputs
from workers.methods.outcome import Outcome
from workers.transform.hookable import separate_activations
from workers.transform.optimize import optimize
from workers.transform.rules import make_rule_modules

CPU = torch.device("cpu")


class ToyMlp(nn.Module):
    """(rows, 6) -> (rows, 4)."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(6, 10)
        self.relu = nn.ReLU()
        self.second = nn.Linear(10, 8)
        self.tanh = nn.Tanh()
        self.head = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.tanh(self.second(self.relu(self.first(x)))))


class ToyConvNet(nn.Module):
    """(rows, 3, 12, 12) -> (rows, 5), with batch norm in eval mode and a max pool."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, padding=1)
        self.norm = nn.BatchNorm2d(6)
        self.relu1 = nn.ReLU()
        self.pool = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(6, 8, 3)
        self.relu2 = nn.ReLU()
        self.head = nn.Linear(8 * 4 * 4, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.relu1(self.norm(self.conv1(x))))
        return self.head(self.relu2(self.conv2(x)).flatten(1))


class ToyTwoInputs(nn.Module):
    """(rows, 3) and (rows, 2) -> (rows, 3)."""

    def __init__(self) -> None:
        super().__init__()
        self.left = nn.Linear(3, 5)
        self.right = nn.Linear(2, 5)
        self.act = nn.Softplus()
        self.head = nn.Linear(5, 3)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return self.head(self.act(self.left(a) * 0.5 + self.right(b)))


class ToyScalar(nn.Module):
    """(rows, 6) -> (rows,): a regression."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(6, 7)
        self.act = nn.Sigmoid()
        self.head = nn.Linear(7, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.act(self.first(x))).squeeze(1)


class ToySegmenter(nn.Module):
    """(rows, 2, 8, 8) -> (rows, 3, 4, 4): a score per class and place."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(2, 5, 3, padding=1)
        self.relu = nn.ReLU()
        self.pool = nn.AvgPool2d(2)
        self.conv2 = nn.Conv2d(5, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv2(self.pool(self.relu(self.conv1(x))))


@dataclass
class Scores:
    """What `ToyWithFields` answers."""

    logits: Tensor
    hidden: Tensor


class ToyWithFields(nn.Module):
    """(rows, 6) -> a dataclass with logits (rows, 4)."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(6, 8)
        self.relu = nn.ReLU()
        self.head = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Scores:
        hidden = self.relu(self.first(x))
        return Scores(self.head(hidden), hidden)


class ToyIds(nn.Module):
    """(rows, 5) ids below 20 -> (rows, 4), through an embedding and an LSTM."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(20, 6)
        self.lstm = nn.LSTM(6, 5, batch_first=True)
        self.relu = nn.ReLU()
        self.head = nn.Linear(5, 4)

    def forward(self, ids: Tensor) -> Tensor:
        read, _ = self.lstm(self.words(ids))
        return self.head(self.relu(read).mean(dim=1))


def frozen(model: nn.Module, seed: int = 0) -> nn.Module:
    """The model in float64 and eval mode with weights drawn from a seed, as a worker holds models."""
    generator = torch.Generator().manual_seed(seed)
    model = model.double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64) * 0.5)
        for name, buffer in model.named_buffers():
            if name.endswith("running_var"):
                buffer.copy_(torch.rand(buffer.shape, generator=generator, dtype=torch.float64) + 0.5)
    return model.requires_grad_(False)


def view_of(model: nn.Module, inputs: int = 1, hookable: nn.Module | None = None) -> ModelView:
    return ModelView(model, model, CPU, input_count=inputs, hookable=hookable)


def lean_view_of(model: nn.Module, shapes: Sequence[Sequence[int]], *, hookable: bool = False) -> ModelView:
    """As a worker makes it: a leaner copy for shared passes, and rule modules, proven on a hookable module.

    Methods of the solo lane hook the model itself, as direct calls of Captum do, unless `hookable`.
    """
    generator = torch.Generator().manual_seed(0)
    samples = [tuple(torch.randn(1, *s, generator=generator, dtype=torch.float64) for s in shapes) for _ in range(3)]
    found = optimize(model, samples[:1], len(shapes))
    separate = separate_activations(model, samples[0], len(shapes)).module
    view = replace(view_of(model, len(shapes), None if separate is model else separate), optimized=found.module)
    choice = make_rule_modules(view, found.steps, ["rescale", "guided", "deconvolution"], samples)
    return replace(view, rule_modules=choice.modules, hookable=view.hookable if hookable else None)


def problem_of(
    inputs: Sequence[Tensor],
    targets: Targets | None = None,
    baselines: Sequence[Tensor] | None = None,
    baseline_distribution: Sequence[Tensor] | None = None,
    feature_mask: Sequence[Tensor] | None = None,
) -> ExplainInputs:
    base = tuple(baselines) if baselines is not None else tuple(torch.zeros_like(i) for i in inputs)
    return ExplainInputs(
        inputs=tuple(inputs),
        additional_forward_args=(),
        targets=targets,
        baselines=base,
        baseline_distribution=tuple(baseline_distribution) if baseline_distribution is not None else base,
        feature_mask=tuple(feature_mask) if feature_mask is not None else None,
        layer_mask=None,
        layer_inputs=tuple(inputs),
        layer_additional_forward_args=(),
        layer_baselines=base,
    )


@dataclass(eq=False)
class RunningJob(threading.Thread):
    """A job in a thread of its own, as the worker runs them; `join` it, then read `outcome` or `error`."""

    engine: Engine
    method: AnyMethod
    subject: ExplainInputs
    seed: int = 0
    outcome: Outcome | None = None
    error: BaseException | None = None

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self.task = Task(f"job-{id(self)}")
        self.engine.enter(self.task)  # live from the start: all jobs of a test are waited for
        self.start()

    def run(self) -> None:
        use_threads(1)
        try:
            self.outcome = explain(self.engine, self.task, self.method, self.subject, self.seed)
        except BaseException as error:
            self.error = error

    def result(self, timeout_s: float = 120) -> Outcome:
        self.join(timeout_s)
        if self.error is not None:
            raise self.error
        assert self.outcome is not None, "the job did not finish"
        return self.outcome
