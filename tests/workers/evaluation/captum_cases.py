"""Methods whose metrics are compared with direct Captum calls, and jobs that share their passes."""

from typing import Any

import torch

from schemas import methods as spec
from schemas.methods import AnyMethod
from tests.workers.evaluation.evaluated import toy_problem
from tests.workers.toys import RunningJob
from workers.engine.engine import Engine
from workers.methods.explain_inputs import ExplainInputs

SEED = 7
CASES: list[tuple[str, AnyMethod, bool]] = [  # model, method, whether a mask groups the features
    ("mlp", spec.Saliency(abs=False), False),
    ("mlp", spec.IntegratedGradients(n_steps=9), False),
    ("mlp", spec.IntegratedGradients(n_steps=9, multiply_by_inputs=False), False),
    ("scalar", spec.IntegratedGradients(n_steps=9), False),
    ("two", spec.IntegratedGradients(n_steps=9), False),
    ("conv", spec.IntegratedGradients(n_steps=5), False),
    ("mlp", spec.GradientShap(n_samples=4, stdevs=0.2), False),
    ("conv", spec.SmoothGrad(nt_samples=4, stdevs=0.3, abs=False), False),
    ("mlp", spec.DeepLift(), False),
    ("conv", spec.GuidedBackprop(), False),
    ("mlp", spec.Occlusion(sliding_window_shapes=[1]), False),
    ("mlp", spec.FeatureAblation(), False),
    ("conv", spec.ShapleyValueSampling(n_samples=2), True),
]


def named(case: tuple[str, AnyMethod, bool]) -> str:
    return f"{case[0]}-{case[1].name}-{getattr(case[1], 'multiply_by_inputs', '')}"


def beside(engine: Engine, model: str) -> list[RunningJob]:
    """Other jobs on the same model, some of which draw and some of which want it alone."""
    subjects = [toy_problem(model, 2, seed) for seed in (31, 32, 33)]
    others = (spec.IntegratedGradients(n_steps=20), spec.GradientShap(n_samples=6, stdevs=0.1), spec.DeepLift())
    return [RunningJob(engine, method, p, seed=3) for method, p in zip(others, subjects, strict=True)]


def at(p: ExplainInputs) -> Any:
    if p.targets is None:
        return None
    return p.targets[0] if len(p.targets) == 1 else torch.tensor(p.targets)
