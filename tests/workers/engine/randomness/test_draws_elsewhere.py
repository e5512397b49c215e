"""Whole methods that draw, with the model and its input on a device that is not the CPU: the CPU's answer."""

import copy
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from schemas.methods import AnyMethod
from tests.workers.engine.randomness.elsewhere import DEVICE, Elsewhere, held, moved
from tests.workers.engine.randomness.test_stream import METHODS, a_problem, same
from tests.workers.toys import ToyMlp, frozen
from workers.engine.output_cache import OutputCache
from workers.engine.shared.batch import run_pass
from workers.engine.shared.block import AppliedRule, Block, Part
from workers.engine.solo.solo_group import SoloGroup, SoloRequest
from workers.engine.stats import EngineStats
from workers.engine.task import Task
from workers.engine.view import ModelView
from workers.methods.explain import explain
from workers.methods.explain_inputs import ExplainInputs

CPU = torch.device("cpu")


class HereAndNow:
    """An engine that computes in the thread that asks, which is where the stand-in exists."""

    batch_rows = 16

    def __init__(self, view: ModelView) -> None:
        self.view = view
        self.output_cache = OutputCache()

    def enter(self, task: Task) -> None:
        pass

    def leave(self, task: Task) -> None:
        pass

    def compute(
        self,
        task: Task,
        kind: Any,
        inputs: Any,
        additional_forward_args: Any,
        targets: Tensor | None,
        all_outputs: bool = False,
        rule: AppliedRule | None = None,
        baselines: tuple[Tensor, ...] | None = None,
    ) -> tuple[Tensor, ...]:
        block = Block(task, kind, tuple(inputs), tuple(additional_forward_args), targets, all_outputs, rule, baselines)
        with task.random.paused() if task.random is not None else nullcontext():
            return run_pass(self.view, kind, [Part(block, 0, block.size)])[0]

    def solo(self, request: SoloRequest) -> tuple[Tensor, ...]:
        with request.task.random.paused() if request.task.random is not None else nullcontext():
            for outcome in SoloGroup([request], self.batch_rows).run(self.view, EngineStats()):
                outcome.deliver()
        return request.result()


def answer(method: AnyMethod, device: torch.device, put: Callable[[Tensor], Tensor]) -> Tensor:
    model = copy.deepcopy(frozen(ToyMlp()))
    for part in model.modules():
        for name, weight in list(part._parameters.items()):
            part._parameters[name] = nn.Parameter(put(weight.detach()), requires_grad=False)
    here = a_problem()
    fields = ("inputs", "baselines", "baseline_distribution", "layer_inputs", "layer_baselines", "feature_mask")
    tensors = {name: tuple(put(tensor) for tensor in getattr(here, name)) for name in fields if getattr(here, name)}
    subject = ExplainInputs(**{**{name: getattr(here, name) for name in here.__dataclass_fields__}, **tensors})
    engine: Any = HereAndNow(ModelView(model, model, device))
    return explain(engine, Task("here"), method, subject, seed=4).attributions[0]


@pytest.mark.parametrize("method", METHODS, ids=str)
def test_a_seed_gives_the_cpus_answer(method: AnyMethod) -> None:
    expected = answer(method, CPU, lambda tensor: tensor)
    with Elsewhere() as elsewhere:
        given = answer(method, DEVICE, moved)
    assert elsewhere.drawn == []
    assert given.device == DEVICE
    assert same(held(given), expected)
