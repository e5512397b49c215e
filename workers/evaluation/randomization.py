"""Model parameter randomization: does the explanation change when the model loses what it learned?"""

import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from schemas.metric_requests import Randomization
from schemas.metrics import RandomizationMetric, Stage
from workers.evaluation.evaluation_run import EvaluationRun
from workers.evaluation.randomized_copy import copy_view, layers_from_the_top, prove_copy, randomize, restore
from workers.evaluation.similarity import similarities
from workers.methods.explain import explain

# One copy of a model at a time in this process, because copies take memory. Who waits for it keeps no engine waiting.
ONE_COPY = threading.Lock()
# Added to the job's seed: a model built under a seed such as 0 would be randomized to its own initial parameters.
SEED_MASK = 0x9E3779B9

Layer = tuple[str, nn.Module, nn.Module]  # its path, the module in the copy, the module in the model


def randomization(request: Randomization, run: EvaluationRun) -> RandomizationMetric:
    """The similarity of the explanation to that of a copy of the model, as the copy is randomized stage by stage.

    The task must not be live in the engine of the run: the copy has an engine of its own, which shares the device.

    Raises:
        JobError: as `workers.methods.explain.explain`; or the model cannot be copied.

    Source: Adebayo et al., "Sanity Checks for Saliency Maps" (2018).
    """
    engine, outcome = run.engine, run.outcome
    # Without digests, nothing is read from the output cache: outputs of the copy change from stage to stage.
    subject = replace(run.subject, targets=outcome.targets, digest=None, baseline_digest=None)
    generator = torch.Generator().manual_seed(run.seed ^ SEED_MASK)
    stages = []
    with ONE_COPY:
        with engine.gate:
            view = copy_view(engine.view)
            prove_copy(engine.view, view, subject)
            layers = [
                (name, module, engine.view.layer_module.get_submodule(name))
                for name, module in layers_from_the_top(view, subject)
            ]
        copy_engine = engine.sibling(view, name=f"randomised-{run.task.id}").start()
        try:
            before: list[Layer] = []
            for part in _parts(layers, request.stages):
                with engine.gate:  # LRP, which changes weights while it runs, must not read them in between
                    if request.order == "independent":
                        for _, module, original in before:
                            restore(module, original)
                    for _, module, original in part:
                        randomize(module, original, generator)
                other = explain(copy_engine, run.task, run.method, subject, run.seed)
                examples = similarities(run.method, subject, outcome.attributions, other.attributions, run.inputs)
                stages.append(Stage(first=part[0][0], last=part[-1][0], layers=len(part), examples=examples))
                before = part
        finally:
            copy_engine.stop()
    return RandomizationMetric(order=request.order, stages=stages)


def _parts(layers: list[Layer], stages: int) -> Iterator[list[Layer]]:
    """The layers in order, in parts of about equal number; fewer parts than stages for a small model."""
    for part in np.array_split(np.arange(len(layers)), min(stages, len(layers))):
        yield [layers[index] for index in part]
