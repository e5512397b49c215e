"""Every method on toy models in float64 equals a direct Captum call: alone, and beside 16 others on the same model."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import captum.attr as captum
import pytest
import torch
from torch import Tensor, nn

from schemas import methods as spec
from schemas.jobs import Targets
from schemas.methods import METHOD_NAMES, AnyMethod
from tests.workers.methods.captum_calls import direct, max_relative_difference
from tests.workers.toys import (
    RunningJob,
    ToyConvNet,
    ToyIds,
    ToyMlp,
    ToyScalar,
    ToySegmenter,
    ToyTwoInputs,
    ToyWithFields,
    frozen,
    lean_view_of,
    problem_of,
    view_of,
)
from workers.engine.engine import Engine
from workers.methods.explain_inputs import ExplainInputs, captum_target
from workers.models.probes.output_tensor import return_tensor
from workers.transform.hookable import separate_activations

pytestmark = pytest.mark.slow
TOLERANCE = 1e-9
BESIDE = 16


@dataclass(frozen=True)
class Case:
    """A method on a model with some examples, their own targets and baselines."""

    model: str
    method: AnyMethod
    examples: int = 1

    def __str__(self) -> str:
        changed = "-".join(f"{k}={v}" for k, v in self.method if v != type(self.method).model_fields[k].default)
        return f"{self.model}-{self.method.name}-{self.examples}-{changed}"


def with_logits(module: nn.Module) -> nn.Module:
    """As a worker makes a model that answers a dataclass answer its tensor."""
    model = frozen(module)
    return_tensor(model, model(torch.zeros(1, 6, dtype=torch.float64)), None)
    return model


MODELS: dict[str, tuple[nn.Module, list[list[int]], int]] = {
    "mlp": (frozen(ToyMlp()), [[6]], 4),
    "conv": (frozen(ToyConvNet()), [[3, 12, 12]], 5),
    "two": (frozen(ToyTwoInputs()), [[3], [2]], 3),
    "scalar": (frozen(ToyScalar()), [[6]], 0),
    "places": (frozen(ToySegmenter()), [[2, 8, 8]], 3),  # targets are places: (class, y, x)
    "fields": (with_logits(ToyWithFields()), [[6]], 4),
    "ids": (frozen(ToyIds()), [[5]], 4),
}
VOCABULARY = 20  # of "ids"
PLACES = 4  # to a side of what "places" answers

ANYWHERE: list[AnyMethod] = [
    spec.Saliency(),
    spec.Saliency(abs=False),
    spec.InputXGradient(),
    spec.IntegratedGradients(),
    spec.IntegratedGradients(n_steps=7, method="riemann_trapezoid"),
    spec.IntegratedGradients(n_steps=200, method="riemann_middle", multiply_by_inputs=False),
    spec.GradientShap(),
    spec.GradientShap(n_samples=9, stdevs=0.3, multiply_by_inputs=False),
    spec.SmoothGrad(),
    spec.SmoothGrad(nt_samples=11, stdevs=0.2, nt_type="vargrad", abs=False),
    spec.SmoothGrad(attribution_method="input_x_gradient", nt_type="smoothgrad_sq"),
    spec.SmoothGrad(attribution_method="integrated_gradients", n_steps=20),
    spec.DeepLift(),
    spec.DeepLift(multiply_by_inputs=False),
    spec.FeatureAblation(),
    spec.DeepLiftShap(),
    spec.DeepLiftShap(multiply_by_inputs=False),
    spec.GuidedBackprop(),
    spec.Deconvolution(),
    spec.ShapleyValueSampling(n_samples=6),
    spec.KernelShap(n_samples=40),
    spec.Lime(n_samples=30),
]
SOME: list[tuple[str, AnyMethod]] = [
    ("fields", spec.Saliency()),
    ("fields", spec.IntegratedGradients()),
    ("fields", spec.DeepLift()),
    ("fields", spec.GuidedBackprop()),
    ("fields", spec.KernelShap(n_samples=40)),
    ("fields", spec.LayerIntegratedGradients(layer="relu")),
    ("fields", spec.LayerGradCam(layer="first")),
    ("fields", spec.NeuronConductance(layer="relu", neuron_selector=5, n_steps=20)),
    ("mlp", spec.Lrp()),
    ("two", spec.Lrp()),
    ("scalar", spec.Lrp()),
    ("conv", spec.Lrp()),
    ("two", spec.ShapleyValues()),
    ("conv", spec.GuidedGradCam(layer="conv2")),
    ("conv", spec.GuidedGradCam(layer="relu1", interpolate_mode="bilinear", attribute_to_layer_input=True)),
    ("mlp", spec.Occlusion(sliding_window_shapes=[2], strides=[1])),
    ("scalar", spec.Occlusion(sliding_window_shapes=[1])),
    ("two", spec.Occlusion(sliding_window_shapes=[2], strides=[1])),
    ("two", spec.Occlusion(sliding_window_shapes=[[3], [1]])),
    ("conv", spec.Occlusion(sliding_window_shapes=[3, 4, 4], strides=[3, 2, 2])),
    ("conv", spec.Occlusion(sliding_window_shapes=[1, 5, 3], strides=[1, 5, 3])),
]


def _layer_methods(layer: str) -> list[AnyMethod]:
    return [
        spec.LayerGradCam(layer=layer),
        spec.LayerGradCam(layer=layer, relu_attributions=True),
        spec.LayerGradCam(layer=layer, attr_dim_summation=False),
        spec.LayerIntegratedGradients(layer=layer),
        spec.LayerIntegratedGradients(layer=layer, n_steps=9, attribute_to_layer_input=True, method="riemann_left"),
        spec.LayerGradientXActivation(layer=layer),
        spec.LayerGradientXActivation(layer=layer, multiply_by_inputs=False, attribute_to_layer_input=True),
        spec.LayerActivation(layer=layer),
        spec.LayerActivation(layer=layer, attribute_to_layer_input=True),
        spec.LayerConductance(layer=layer, n_steps=20),
        spec.InternalInfluence(layer=layer, n_steps=20, attribute_to_layer_input=True),
        spec.LayerGradientShap(layer=layer, n_samples=7, stdevs=0.1),
        spec.LayerDeepLift(layer=layer),
        spec.LayerDeepLiftShap(layer=layer),
        spec.LayerFeatureAblation(layer=layer, layer_baselines=0.25),
        spec.LayerFeatureAblation(layer=layer, attribute_to_layer_input=True),
    ]


def _neuron_methods(layer: str, unit: int | list[int]) -> list[AnyMethod]:
    at: dict[str, Any] = {"layer": layer, "neuron_selector": unit}
    return [
        spec.NeuronGradient(**at),
        spec.NeuronGradient(**at, attribute_to_neuron_input=True),
        spec.NeuronIntegratedGradients(**at, n_steps=20),
        spec.NeuronConductance(**at, n_steps=20),
        spec.NeuronDeepLift(**at),
        spec.NeuronDeepLiftShap(**at),
        spec.NeuronGradientShap(**at, n_samples=6, stdevs=0.2),
        spec.NeuronGuidedBackprop(**at),
        spec.NeuronDeconvolution(**at),
        spec.NeuronFeatureAblation(**at),
    ]


OF_IDS: list[AnyMethod] = [  # integers have no gradient: their embedding is explained, or they are exchanged whole
    spec.LayerIntegratedGradients(layer="words"),
    spec.LayerIntegratedGradients(layer="words", n_steps=9, method="riemann_left", multiply_by_inputs=False),
    spec.LayerGradientXActivation(layer="words"),
    spec.LayerGradientXActivation(layer="relu", attribute_to_layer_input=True),
    spec.LayerGradCam(layer="words"),
    spec.LayerActivation(layer="words"),
    spec.LayerFeatureAblation(layer="words"),
    spec.FeatureAblation(),
    spec.Occlusion(sliding_window_shapes=[2], strides=[1]),
    spec.ShapleyValueSampling(n_samples=6),
    spec.KernelShap(n_samples=40),
    spec.Lime(n_samples=30),
    spec.NeuronFeatureAblation(layer="head", neuron_selector=2),
]
LAYERS = {
    "mlp": ["relu", "second"],
    "conv": ["conv2", "relu1"],
    "two": ["act"],
    "scalar": ["act"],
    "places": ["conv1"],
}
UNITS: dict[str, tuple[str, int | list[int]]] = {
    "mlp": ("second", 3),
    "conv": ("conv2", [2, 1, 3]),
    "two": ("act", [4]),
    "scalar": ("act", 0),
    "places": ("conv2", [2, 1, 3]),
}
CASES = [
    Case(model, method, examples)
    for examples in (1, 3)
    for model, method in [
        *((model, method) for model in MODELS if model not in ("fields", "ids") for method in ANYWHERE),
        *SOME,
        *(("ids", method) for method in OF_IDS),
        *((model, method) for model, layers in LAYERS.items() for layer in layers for method in _layer_methods(layer)),
        *((model, method) for model, (layer, unit) in UNITS.items() for method in _neuron_methods(layer, unit)),
        ("mlp", spec.LayerLrp(layer="second")),  # LRP has rules for weights, so it stops at layers that have some
        ("conv", spec.LayerLrp(layer="conv2", attribute_to_layer_input=True)),
        *([("mlp", spec.FeaturePermutation()), ("conv", spec.FeaturePermutation())] if examples > 1 else []),
        *([(m, spec.LayerFeaturePermutation(layer=LAYERS[m][0])) for m in LAYERS] if examples > 1 else []),
        *([("ids", spec.LayerFeaturePermutation(layer="words"))] if examples > 1 else []),
    ]
]


def make_explain_inputs(case: Case, seed: int) -> ExplainInputs:
    """Inputs, baselines and targets drawn from a seed; every example has its own."""
    _, shapes, classes = MODELS[case.model]
    generator = torch.Generator().manual_seed(seed)

    def draw(rows: int) -> list[Tensor]:
        if case.model == "ids":
            return [torch.randint(VOCABULARY, (rows, *shape), generator=generator) for shape in shapes]
        return [torch.randn(rows, *shape, generator=generator, dtype=torch.float64) for shape in shapes]

    targets: Targets | None = None
    if classes:
        targets = torch.randint(classes, (case.examples,), generator=generator).tolist()
    if case.model == "places":
        sizes = torch.tensor([[classes, PLACES, PLACES]]).expand(case.examples, 3)
        targets = (torch.rand(case.examples, 3, generator=generator) * sizes).long().tolist()
    mask = None
    if case.model == "conv":
        mask = [(torch.arange(144).view(1, 1, 12, 12) // 24).expand(1, 3, 12, 12).contiguous()]
    inputs, baselines, baseline_distribution = draw(case.examples), draw(case.examples), draw(4)
    return problem_of(inputs, targets, baselines, baseline_distribution, mask)


@pytest.fixture(scope="module")
def engines() -> Iterator[dict[str, Engine]]:
    """One engine per model with a batch small enough that jobs are cut and mixed."""
    running = {
        name: Engine(view_of(model) if name == "ids" else lean_view_of(model, shapes), batch_rows=16, threads=1).start()
        for name, (model, shapes, _) in MODELS.items()
    }
    yield running
    for engine in running.values():
        engine.stop()


@cache
def hookable(name: str) -> nn.Module:
    """The model, or the copy on which Captum's hooks are right: in `conv` a pool directly follows a ReLU."""
    model, shapes, _ = MODELS[name]
    sample = tuple(torch.randn(1, *s, generator=torch.Generator().manual_seed(1), dtype=torch.float64) for s in shapes)
    return separate_activations(model, sample, len(shapes)).module


def by_captum(case: Case, subject: ExplainInputs, seed: int) -> tuple[Tensor, ...]:
    """Captum's answer, by a direct call. Methods whose rules are in passes are right where Captum's hooks are."""
    model = MODELS[case.model][0] if case.method.backward_rule is None else hookable(case.model)
    return direct(case.method, model, model, subject, seed)


def test_models_have_their_rule_modules(engines: dict[str, Engine]) -> None:
    for name, engine in engines.items():
        rules = set() if name == "ids" else {"rescale", "guided", "deconvolution"}
        assert set(engine.view.rule_modules) == rules


def test_every_method_is_compared() -> None:
    assert {case.method.name for case in CASES} == set(METHOD_NAMES)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_alone(case: Case, engines: dict[str, Engine]) -> None:
    subject = make_explain_inputs(case, seed=1)
    outcome = RunningJob(engines[case.model], case.method, subject, seed=5).result()
    assert max_relative_difference(outcome.attributions, by_captum(case, subject, 5)) <= TOLERANCE


GROUP_STEP = 8  # less than half of a group, so that each case is in at least two groups, with different neighbours


def groups(model: str) -> list[list[Case]]:
    """Each case of a model beside 16 others, of mixed methods: windows over a shuffled ring of its cases."""
    ring = [case for case in CASES if case.model == model]
    random.Random(0).shuffle(ring)
    starts = range(0, max(len(ring), 1), GROUP_STEP)
    return [[ring[(start + k) % len(ring)] for k in range(BESIDE + 1)] for start in starts]


GROUPS = [pytest.param(group, id=f"{model}-{k}") for model in MODELS for k, group in enumerate(groups(model))]


def test_every_case_runs_beside_others_twice() -> None:
    beside = Counter(str(case) for model in MODELS for group in groups(model) for case in group)
    assert beside.keys() == {str(case) for case in CASES}
    assert min(beside.values()) >= 2


@pytest.mark.parametrize("group", GROUPS)
def test_seventeen_at_once(group: list[Case], engines: dict[str, Engine]) -> None:
    """17 jobs of mixed methods start together, and each equals Captum's answer to it alone."""
    engine = engines[group[0].model]
    subjects = [make_explain_inputs(case, seed=10 + k) for k, case in enumerate(group)]
    given = enumerate(zip(group, subjects, strict=True))
    jobs = [RunningJob(engine, case.method, subject, seed=k) for k, (case, subject) in given]
    outcomes = [job.result() for job in jobs]
    for k, (case, subject, outcome) in enumerate(zip(group, subjects, outcomes, strict=True)):
        assert max_relative_difference(outcome.attributions, by_captum(case, subject, k)) <= TOLERANCE, str(case)


@pytest.mark.parametrize(
    "case", [c for c in CASES if isinstance(c.method, spec.IntegratedGradients | spec.DeepLift)], ids=str
)
def test_delta_is_captums(case: Case, engines: dict[str, Engine]) -> None:
    subject = make_explain_inputs(case, seed=3)
    outcome = RunningJob(engines[case.model], case.method, subject).result()
    if not case.method.multiply_by_inputs:
        assert outcome.delta is None
        return
    model = MODELS[case.model][0]
    target = captum_target(subject.targets)
    delta = captum.IntegratedGradients(model).compute_convergence_delta(
        outcome.attributions, subject.baselines, subject.inputs, target=target
    )
    assert torch.allclose(outcome.delta, delta, rtol=1e-9, atol=1e-12)


def test_the_page_tells_what_is_compared() -> None:
    from tests.workers.methods.parity_page import PAGE, page  # noqa: PLC0415  # it reads this module's tables

    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.workers.methods.parity_page"
