"""Outputs that are probabilities already, layers called more than once, and types of numbers."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load
from torch import Tensor, nn

from schemas.jobs import JobSpec
from schemas.methods import FeatureAblation, LayerActivation, LayerFeatureAblation, Saliency, stored_fields
from schemas.metric_requests import DeletionInsertion
from schemas.results import ResultMeta
from tests.workers.jobs.claims import claimed
from tests.workers.toys import CPU
from workers.engine.gate import DeviceGate
from workers.jobs.check import check
from workers.jobs.single import run_single
from workers.models.load import Device, ResidentModel, load_model
from workers.repository.model_toml import ModelConfigError

CODE = '''
import torch
from torch import nn


def seeded(*parts):
    torch.manual_seed(1)
    for part in parts:
        for parameter in part.parameters():
            nn.init.normal_(parameter)
    return nn.Sequential(*parts)


def softmax():
    return seeded(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3), nn.Softmax(dim=1))


def sigmoid():
    return seeded(nn.Linear(4, 3), nn.Sigmoid())


def ids():
    return seeded(nn.Embedding(9, 2), nn.Flatten(), nn.Linear(8, 3), nn.Softmax(dim=1))


def pixels():
    return seeded(nn.Conv2d(1, 3, 1), nn.Softmax(dim=1))


def logits():
    return seeded(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3))


def rectified():
    return seeded(nn.Linear(4, 3), nn.ReLU())


def constant():
    model = seeded(nn.Linear(4, 3))
    nn.init.zeros_(model[0].weight)
    nn.init.constant_(model[0].bias, 0.25)
    return model


class Loop(nn.Module):
    """One layer, three times in a row."""

    def __init__(self):
        super().__init__()
        self.step, self.act, self.out = nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 3)

    def forward(self, x):
        for _ in range(3):
            x = self.act(self.step(x))
        return self.out(x)


class Fourier(nn.Module):
    def __init__(self):
        super().__init__()
        self.up, self.turn, self.size, self.out = nn.Linear(4, 6), Turn(), Size(), nn.Linear(6, 3)

    def forward(self, x):
        return self.out(self.size(self.turn(self.up(x))))


class Turn(nn.Module):
    def forward(self, x):
        return torch.fft.fft(x)


class Size(nn.Module):
    def forward(self, x):
        return x.abs()


class Half(nn.Module):
    """Weights and outputs in bfloat16."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.up, self.act, self.out = nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)
        self.bfloat16()

    def forward(self, x):
        return self.out(self.act(self.up(x.bfloat16())))
'''
X = torch.tensor([[0.5, -1.0, 2.0, 0.25]])


def resident(
    folder: Path, factory: str, fields: str = "shapes = [[4]]", output: str = "", more: str = ""
) -> ResidentModel:
    folder.mkdir()
    (folder / "model.py").write_text(CODE)
    toml = f'name = "toy"\nfactory = "model.py:{factory}"\n{more}\n[input]\nkind = "tensor"\n{fields}\n'
    toml += f"[output]\n{output}\n"
    (folder / "model.toml").write_text(toml)
    return load_model(folder, Device(CPU, 1, 16, DeviceGate()))


def explained(
    model: ResidentModel, x: Tensor, method: object, quality: object = None
) -> tuple[ResultMeta, dict[str, Tensor]]:
    model.engine.start()
    spec = JobSpec(
        model="toy",
        version="1",
        input_kind="tensor",
        examples=len(x),
        method=stored_fields(method),  # type: ignore[arg-type]
        target=[0],
        quality=[stored_fields(quality)] if quality else [],  # type: ignore[arg-type]
    )
    try:
        done = run_single(model, claimed(spec, {"input.0": x}))
    finally:
        model.engine.stop()
    return done.meta, load(done.tensors)


@pytest.mark.parametrize(
    ("factory", "fields", "said"),
    [
        ("softmax", "shapes = [[4]]", "sum to 1"),
        ("ids", 'shapes = [[4]]\ndtype = "int64"', "sum to 1"),
        ("pixels", "shapes = [[1, 2, 3]]", "sum to 1"),
        ("sigmoid", "shapes = [[4]]", "lie between 0 and 1"),
    ],
)
def test_probabilities_are_found(tmp_path: Path, factory: str, fields: str, said: str) -> None:
    output = resident(tmp_path / factory, factory, fields).card.output
    assert output is not None
    assert output.kind == "probabilities"
    assert said in (output.kind_reason or "")


@pytest.mark.parametrize("factory", ["logits", "rectified", "constant"])
def test_logits_stay_logits(tmp_path: Path, factory: str) -> None:
    output = resident(tmp_path / factory, factory).card.output
    assert output is not None
    assert (output.kind, output.kind_reason) == ("classification", None)


@pytest.mark.parametrize("kind", ["classification", "multilabel", "probabilities", "regression"])
def test_a_kind_that_is_given_stands(tmp_path: Path, kind: str) -> None:
    output = resident(tmp_path / "toy", "softmax", output=f'kind = "{kind}"').card.output
    assert output is not None
    assert (output.kind, output.kind_reason) == (kind, None)


@pytest.mark.parametrize("factory", ["softmax", "sigmoid"])
def test_probabilities_are_told_as_they_are(tmp_path: Path, factory: str) -> None:
    model = resident(tmp_path / "toy", factory)
    truth = model.engine.view.module(X)[0]
    meta, tensors = explained(model, X, Saliency(), DeletionInsertion(n_steps=2))
    assert {one.index: one.score for one in meta.predictions[0]} == pytest.approx(dict(enumerate(truth.tolist())))
    assert meta.quality is not None
    assert meta.quality.deletion_insertion is not None
    curves = meta.quality.deletion_insertion
    assert curves.value == "probability"
    assert curves.examples[0].deletion.values[0] == pytest.approx(float(truth[0]))
    assert curves.examples[0].deletion.values[-1] == pytest.approx(float(model.engine.view.module(0 * X)[0, 0]))
    leaf = X.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(model.engine.view.module(leaf)[0, 0], leaf)
    assert torch.allclose(tensors["input"], gradient.abs())  # of the output itself


def test_the_check_says_what_it_takes_for_probabilities(tmp_path: Path) -> None:
    model = resident(tmp_path / "toy", "softmax")
    assert model.card.output is not None
    first = next(iter(check([tmp_path])))
    assert (first.method, first.ok, first.detail) == ("", True, model.card.output.kind_reason)


def test_layers_tell_how_often_they_are_called(tmp_path: Path) -> None:
    layers = {layer.name: layer for layer in resident(tmp_path / "toy", "Loop").card.layers}
    assert {name: layer.calls for name, layer in layers.items()} == {"step": 3, "act": 3, "out": 1}
    assert "3 times" in (layers["step"].refused or "")
    assert layers["out"].refused is None


def test_a_layer_called_more_than_once_is_no_default(tmp_path: Path) -> None:
    with pytest.raises(ModelConfigError, match=r"explain\.layer: one forward calls the layer 3 times"):
        resident(tmp_path / "toy", "Loop", more='[explain]\nlayer = "act"')


def test_complex_layers_are_refused_on_the_side_that_is_complex(tmp_path: Path) -> None:
    layers = {layer.name: layer for layer in resident(tmp_path / "toy", "Fourier").card.layers}
    sides = {name: (layer.input_refused is None, layer.output_refused is None) for name, layer in layers.items()}
    assert sides == {"up": (True, True), "turn": (True, False), "size": (False, True), "out": (True, True)}
    assert "complex64" in (layers["turn"].output_refused or "")


def test_bfloat16_outputs_are_answered_in_single_precision(tmp_path: Path) -> None:
    model = resident(tmp_path / "toy", "Half")
    module = model.engine.view.module
    meta, tensors = explained(model, X, FeatureAblation())
    assert meta.attributions[0].datatype == "FP32"
    without = [torch.where(torch.arange(4) == i, 0.0, X) for i in range(4)]
    wanted = torch.stack([(module(X)[0, 0].float() - module(one)[0, 0].float()) for one in without])
    assert torch.equal(tensors["input"][0], wanted)


@pytest.mark.parametrize("layer", ["up", "act", "out"])
def test_bfloat16_layers_are_answered(tmp_path: Path, layer: str) -> None:
    model = resident(tmp_path / "toy", "Half")
    found: list[Tensor] = []
    part: nn.Module = model.engine.view.module.get_submodule(layer)
    handle = part.register_forward_hook(lambda _module, _args, out: found.append(out.float()))
    model.engine.view.module(X)
    handle.remove()
    meta, tensors = explained(model, X, LayerActivation(layer=layer))
    assert meta.attributions[0].datatype == "FP32"
    assert torch.equal(tensors[layer], found[0])


def test_units_of_a_bfloat16_layer_are_ablated(tmp_path: Path) -> None:
    model = resident(tmp_path / "toy", "Half")
    module = model.engine.view.module
    hidden = module.get_submodule("act")(module.get_submodule("up")(X.bfloat16()))
    out = module.get_submodule("out")
    without = [out(torch.where(torch.arange(6) == i, 0.0, hidden).bfloat16())[0, 0].float() for i in range(6)]
    _, tensors = explained(model, X, LayerFeatureAblation(layer="act"))
    assert torch.equal(tensors["act"][0], out(hidden)[0, 0].float() - torch.stack(without))
