"""The three shipped models with their samples, every method for them, and Captum's own answers."""

import json
import math
from copy import deepcopy
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from schemas import methods as spec
from schemas.jobs import JobSpec
from schemas.methods import METHOD_NAMES, AnyMethod, stored_fields
from schemas.picture_view import PictureView
from service.pictures.decode import model_pixels
from tests import paths
from tests.workers.methods.captum_calls import direct
from tests.workers.methods.captum_module import captum_module
from tests.workers.toys import CPU
from workers.engine.device.gate import DeviceGate
from workers.engine.device.threads import use_threads
from workers.jobs.prepare import make_explain_inputs
from workers.methods.explain_inputs import ExplainInputs
from workers.models.pipeline import load_model
from workers.models.resident import Device, ResidentModel
from workers.transform.optimize.layout import ChannelsLast, channels_last

FOLDERS = paths.MODELS
THREADS = 2
MODELS = ("breast-cancer-mlp", "efficientnet-lite0", "minilm-sentiment")
LAYERS = {
    "breast-cancer-mlp": "relu1",
    "efficientnet-lite0": "features.17",
    "minilm-sentiment": "encoder.encoder.layer.3",
}
WINDOWS = {"breast-cancer-mlp": [3], "efficientnet-lite0": [3, 56, 56], "minilm-sentiment": [2]}
BASELINES = {"breast-cancer-mlp": "background", "efficientnet-lite0": "blur", "minilm-sentiment": "pad"}
UNITS = {"breast-cancer-mlp": 4, "efficientnet-lite0": [7, 3, 2], "minilm-sentiment": [2, 9]}


NOT_OFFERED = {  # as the models' cards must say, with the reason
    "breast-cancer-mlp": {"guided_grad_cam"},
    "efficientnet-lite0": {"lrp", "layer_lrp"},
    "minilm-sentiment": {  # its activations are functions: no module that DeepLIFT has a rule for
        *(name for name in METHOD_NAMES if "deep_lift" in name),
        *(name for name in METHOD_NAMES if "guided" in name or "deconvolution" in name),  # nor an nn.ReLU
        *("lrp", "layer_lrp", "feature_permutation", "layer_feature_permutation"),
    },
}


def halves(shape: list[int]) -> list[float]:
    """A mask of two features: the first half of the units, and the second."""
    count = math.prod(shape)
    return [float(2 * index // count) for index in range(count)]


def methods_for(name: str) -> list[AnyMethod]:
    """Few steps: these models are large, and the step count is compared on the toys."""
    based: Any = {"baseline": BASELINES[name]}
    at = {"layer": LAYERS[name]}
    unit: Any = {**at, "neuron_selector": UNITS[name]}
    mask: Any = {"feature_mask": spec.Grid(grid=[3, 3])} if name == "efficientnet-lite0" else {}
    few = spec.LayerFeatureAblation(**at)
    if name != "breast-cancer-mlp":  # thousands of units: the payload has a mask of few features
        shape = {"efficientnet-lite0": [1, 1280, 7, 7], "minilm-sentiment": [1, 1, 384]}[name]
        few = spec.LayerFeatureAblation(
            **at, layer_mask={"tensor": {"datatype": "INT64", "shape": shape, "data": halves(shape)}}
        )
    exact = (
        [spec.ShapleyValues(**based, feature_mask=spec.Grid(grid=[1, 3]))] if mask else []
    )  # all coalitions of features
    methods: list[AnyMethod] = [
        *exact,
        spec.Saliency(),
        spec.InputXGradient(),
        spec.IntegratedGradients(**based, n_steps=10),
        spec.GradientShap(**based, n_samples=4, stdevs=0.1),
        spec.SmoothGrad(nt_samples=4, stdevs=0.2),
        spec.Occlusion(**based, sliding_window_shapes=WINDOWS[name], strides=WINDOWS[name]),
        spec.FeatureAblation(**based, **mask),
        spec.ShapleyValueSampling(**based, **mask, n_samples=1),
        spec.KernelShap(**based, **mask, n_samples=12),
        spec.Lime(**based, **mask, n_samples=12),
        spec.DeepLift(**based),
        spec.DeepLiftShap(**based),
        spec.GuidedBackprop(),
        spec.Deconvolution(),
        spec.GuidedGradCam(**at),
        spec.Lrp(),
        spec.LayerGradCam(**at),
        spec.LayerIntegratedGradients(**at, **based, n_steps=6),
        spec.LayerGradientXActivation(**at),
        spec.LayerActivation(**at),
        spec.LayerConductance(**at, **based, n_steps=6),
        spec.InternalInfluence(**at, **based, n_steps=6),
        spec.LayerGradientShap(**at, **based, n_samples=3),
        spec.LayerDeepLift(**at, **based),
        spec.LayerDeepLiftShap(**at, **based),
        spec.LayerLrp(layer="hidden2" if name == "breast-cancer-mlp" else LAYERS[name]),
        few,
        spec.NeuronGradient(**unit),
        spec.NeuronIntegratedGradients(**unit, **based, n_steps=6),
        spec.NeuronConductance(**unit, **based, n_steps=6),
        spec.NeuronDeepLift(**unit, **based),
        spec.NeuronDeepLiftShap(**unit, **based),
        spec.NeuronGradientShap(**unit, **based, n_samples=3),
        spec.NeuronGuidedBackprop(**unit),
        spec.NeuronDeconvolution(**unit),
        spec.NeuronFeatureAblation(**unit, **based, **mask),
    ]
    return [method for method in methods if method.name not in NOT_OFFERED[name]]


def payload_for(name: str, model: ResidentModel) -> dict[str, Tensor]:
    """The sample that ships with the model, as the gateway stores it."""
    sample = FOLDERS / name / (model.config.sample or "")
    if model.config.input.kind == "tabular":
        row = json.loads(sample.read_text())
        columns = [feature.name for feature in model.card.input.features]
        return {"features": torch.tensor([[row[column] for column in columns]], dtype=torch.float64)}
    if model.config.input.kind == "image":
        pixels, _ = model_pixels(sample.read_bytes(), PictureView.of(model.card.input))
        return {"pixels": torch.from_numpy(pixels)}
    return {"text": torch.frombuffer(bytearray(sample.read_bytes()), dtype=torch.uint8)}


def in_each_layout(module: nn.Module, inputs: tuple[Tensor, ...]) -> list[nn.Module]:
    """The module as it was built and, where it has convolutions over pixels, with channels last."""
    as_built = deepcopy(module.model if isinstance(module, ChannelsLast) else module)
    for parameter in as_built.parameters():
        parameter.data = parameter.data.contiguous()  # a copy keeps the layout of channels last
    laid_out = channels_last(as_built, inputs, len(inputs))
    return [as_built] if laid_out is None else [as_built, laid_out]


class Shipped:
    """A shipped model with its sample, and Captum's answers for it."""

    def __init__(self, name: str) -> None:
        self.model = load_model(FOLDERS / name, Device(CPU, THREADS, 16, DeviceGate()))
        self.model.engine.start()
        self.payload = payload_for(name, self.model)
        self.methods = {method.name: method for method in methods_for(name)}
        self._answers: dict[tuple[str, int], tuple[Tensor, ...]] = {}

    def subject(self, method: AnyMethod) -> ExplainInputs:
        job = JobSpec(
            model=self.model.card.name,
            version="1",
            input_kind="tensor",
            examples=1,
            method=stored_fields(method),
            target=[1],
        )
        payload = dict(self.payload)
        layer_mask = getattr(method, "layer_mask", None)
        if layer_mask is not None:
            mask = layer_mask.tensor
            payload["layer_mask.0"] = torch.tensor(mask.data).reshape(mask.shape).long()
        prepared = self.model.adapter.prepare(payload, CPU)
        return make_explain_inputs(self.model, job, method, payload, prepared)

    def captum_by_layout(self, method: AnyMethod, seed: int) -> list[tuple[Tensor, ...]]:
        """Captum's answers on the module of shared passes, in each memory layout that it can have."""
        use_threads(THREADS)
        view, subject = self.model.engine.view, self.subject(method)
        layouts = in_each_layout(view.pass_module, subject.inputs)
        return [direct(method, one, view.layer_module, subject, seed) for one in layouts]

    def captum(self, method: AnyMethod, seed: int) -> tuple[Tensor, ...]:
        """Asked for while the engine is idle: Captum then has the model to itself."""
        key = (method.name, seed)
        if key not in self._answers:
            use_threads(THREADS)  # as the engine: convolutions round by how they are split over threads
            view = self.model.engine.view
            embedding = getattr(view.layer_module, "get_input_embeddings", lambda: None)()
            if embedding is not None:
                embedding.weight.requires_grad_(True)  # from token ids the graph has to start somewhere
            module = captum_module(method, view)
            self._answers[key] = direct(method, module, view.layer_module, self.subject(method), seed)
            if embedding is not None:
                embedding.weight.requires_grad_(False)
        return self._answers[key]


@cache
def shipped_model(name: str) -> Shipped:
    """Loaded once for all tests, for loading takes longer than most of them."""
    return Shipped(name)
