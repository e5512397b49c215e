"""The three shipped models with their samples, every method for them, and Captum's own answers."""

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from schemas.jobs import JobSpec
from schemas.methods import (
    AnyMethod,
    DeepLift,
    FeatureAblation,
    GradientShap,
    Grid,
    InputXGradient,
    IntegratedGradients,
    LayerActivation,
    LayerGradCam,
    LayerGradientXActivation,
    LayerIntegratedGradients,
    Occlusion,
    Saliency,
    SmoothGrad,
    stored_fields,
)
from tests.workers.captum_calls import direct
from tests.workers.toys import CPU
from workers.engine.gate import DeviceGate
from workers.engine.threads import use_threads
from workers.methods.problem import Problem
from workers.problem import make_problem
from workers.resident import Device, ResidentModel, load_model

FOLDERS = Path(__file__).parents[2] / "models"
THREADS = 2
MODELS = ("breast-cancer-mlp", "efficientnet-lite0", "minilm-sentiment")
LAYERS = {
    "breast-cancer-mlp": "relu1",
    "efficientnet-lite0": "features.17",
    "minilm-sentiment": "encoder.encoder.layer.3",
}
WINDOWS = {"breast-cancer-mlp": [3], "efficientnet-lite0": [3, 56, 56], "minilm-sentiment": [2]}
BASELINES = {"breast-cancer-mlp": "background", "efficientnet-lite0": "blur", "minilm-sentiment": "pad"}


def methods_for(name: str) -> list[AnyMethod]:
    """Few steps: these models are large, and the step count is compared on the toys."""
    baseline: Any = BASELINES[name]
    layer = LAYERS[name]
    mask = Grid(grid=[3, 3]) if name == "efficientnet-lite0" else None
    return [
        Saliency(),
        InputXGradient(),
        IntegratedGradients(baseline=baseline, n_steps=10),
        DeepLift(baseline=baseline),
        GradientShap(baseline=baseline, n_samples=4, stdevs=0.1),
        SmoothGrad(nt_samples=4, stdevs=0.2),
        Occlusion(baseline=baseline, sliding_window_shapes=WINDOWS[name]),
        FeatureAblation(baseline=baseline, feature_mask=mask),
        LayerGradCam(layer=layer),
        LayerIntegratedGradients(layer=layer, baseline=baseline, n_steps=6),
        LayerGradientXActivation(layer=layer),
        LayerActivation(layer=layer),
    ]


def payload_for(name: str, model: ResidentModel) -> dict[str, Tensor]:
    """The sample that ships with the model, as the gateway stores it."""
    sample = FOLDERS / name / (model.config.sample or "")
    if model.config.input.kind == "tabular":
        row = json.loads(sample.read_text())
        columns = [feature.name for feature in model.card.input.features]
        return {"features": torch.tensor([[row[column] for column in columns]], dtype=torch.float64)}
    key = "image" if model.config.input.kind == "image" else "text"
    return {key: torch.frombuffer(bytearray(sample.read_bytes()), dtype=torch.uint8)}


class Shipped:
    """A shipped model with its sample, and Captum's answers for it."""

    def __init__(self, name: str) -> None:
        self.model = load_model(FOLDERS / name, Device(CPU, THREADS, 16, DeviceGate()))
        self.model.engine.start()
        self.payload = payload_for(name, self.model)
        self.methods = {method.name: method for method in methods_for(name)}
        self._answers: dict[tuple[str, int], tuple[Tensor, ...]] = {}

    def problem(self, method: AnyMethod) -> Problem:
        spec = JobSpec(
            model=self.model.card.name,
            version="1",
            input_kind="tensor",
            examples=1,
            method=stored_fields(method),
            target=[1],
        )
        prepared = self.model.adapter.prepare(self.payload, CPU)
        return make_problem(self.model, spec, method, self.payload, prepared)

    def captum(self, method: AnyMethod, seed: int) -> tuple[Tensor, ...]:
        """Asked for while the engine is idle: Captum then has the model to itself."""
        key = (method.name, seed)
        if key not in self._answers:
            use_threads(THREADS)  # as the engine: convolutions round by how they are split over threads
            view = self.model.engine.view
            embedding = getattr(view.layer_module, "get_input_embeddings", lambda: None)()
            if embedding is not None:
                embedding.weight.requires_grad_(True)  # from token ids the graph has to start somewhere
            self._answers[key] = direct(method, view.module, view.layer_module, self.problem(method), seed)
            if embedding is not None:
                embedding.weight.requires_grad_(False)
        return self._answers[key]
