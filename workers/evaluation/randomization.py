"""Model parameter randomisation: does the explanation change when the model forgets what it learned?"""

import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from schemas.methods import AnyMethod
from schemas.metric_requests import Randomization
from schemas.metrics import RandomizationMetric, Stage
from workers.engine.engine import Engine
from workers.engine.task import Task
from workers.evaluation.audit import Audit
from workers.evaluation.copies import copied, draw_anew, layers_from_the_top, prove_copy, put_back
from workers.evaluation.similarity import similarities
from workers.methods.explain import Outcome, explain
from workers.methods.explain_inputs import ExplainInputs

ONE_COPY = threading.Lock()  # of a model at a time in this process; who waits for it keeps no engine waiting
APART = 0x9E3779B9  # seeds like 0 may have drawn the model itself, whose copy would then be drawn once more

Layer = tuple[str, nn.Module, nn.Module]  # its path, in the copy, in the model


def randomization(
    asked: Randomization,
    engine: Engine,
    task: Task,
    method: AnyMethod,
    subject: ExplainInputs,
    outcome: Outcome,
    audit: Audit,
    seed: int,
) -> RandomizationMetric:
    """How alike the explanation is to that of a copy of the model whose layers were randomised, stage by stage.

    The task must not be live in `engine`: the copy has an engine of its own, which takes its turns on the device.

    Raises:
        JobError: as `workers.methods.explain.explain`; or the model cannot be copied.

    Source: Adebayo et al., "Sanity Checks for Saliency Maps" (2018).
    """
    # Without digests: what the copy answers at one stage is no answer at the next.
    question = replace(subject, targets=outcome.targets, digest=None, baseline_digest=None)
    generator = torch.Generator().manual_seed(seed ^ APART)
    stages = []
    with ONE_COPY:
        with engine.gate:
            view = copied(engine.view)
            prove_copy(engine.view, view, subject)
            layers = [
                (name, module, engine.view.layer_module.get_submodule(name))
                for name, module in layers_from_the_top(view, subject)
            ]
        twin = engine.sibling(view, name=f"randomised-{task.id}").start()
        try:
            before: list[Layer] = []
            for part in _parts(layers, asked.stages):
                with engine.gate:  # else LRP might be at work on the model's weights
                    for _, module, original in before if asked.order == "independent" else []:
                        put_back(module, original)
                    for _, module, original in part:
                        draw_anew(module, original, generator)
                other = explain(twin, task, method, question, seed)
                likeness = similarities(method, subject, outcome.attributions, other.attributions, audit)
                stages.append(Stage(first=part[0][0], last=part[-1][0], layers=len(part), examples=likeness))
                before = part
        finally:
            twin.stop()
    return RandomizationMetric(order=asked.order, stages=stages)


def _parts(layers: list[Layer], stages: int) -> Iterator[list[Layer]]:
    """The layers in order, in parts of about equal number; a small model has fewer parts."""
    for part in np.array_split(np.arange(len(layers)), min(stages, len(layers))):
        yield [layers[index] for index in part]
