"""Models that take ids: the embedding is found, and explained in place of the input."""

from pathlib import Path

import captum.attr as captum
import pytest
import torch
from safetensors.torch import load
from torch import Tensor, nn
from torch.backends import cudnn

from schemas.errors import InputRejected, InvalidRequest
from schemas.jobs import JobSpec
from schemas.methods import METHODS, AnyMethod, stored_fields
from schemas.results import ResultMeta
from schemas.traits import FROM_THE_MODELS_OWN_INPUT, WITHOUT_GRADIENTS
from service.validation.layers import find_layer
from service.validation.model import ReadyModel
from tests.workers.jobs.claims import claimed
from tests.workers.toys import CPU
from workers.engine.gate import DeviceGate
from workers.inputs.prepared import Prepared
from workers.jobs.check import check
from workers.jobs.single import run_single
from workers.models.cudnn_rnn import allow_backward
from workers.models.embeddings import find_embeddings
from workers.models.load import Device, ResidentModel, load_model
from workers.repository.model_toml import ModelConfigError

EMBEDDING = "words"
TOML = """
name = "ids"
factory = "model.py:build"
[input]
kind = "tensor"
dtype = "int64"
shapes = [[7]]
pad_id = 0
"""
PY = '''
import torch
from torch import nn


class Recurrent(nn.Module):
    """(rows, 7) ids -> (rows, 3), through an LSTM that takes the tokens first."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.words = nn.Embedding(20, 6, padding_idx=0)
        self.positions = nn.Embedding(7, 6)
        self.lstm = nn.LSTM(6, 5, bidirectional=True)
        self.head = nn.Linear(10, 3)
        self.double()

    def forward(self, ids):
        embedded = self.words(ids.long()) + self.positions(torch.arange(ids.shape[1], device=ids.device))
        out, _ = self.lstm(embedded.transpose(0, 1))
        return self.head(out.mean(dim=0))


def build():
    return Recurrent()
'''


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "ids"
    folder.mkdir()
    (folder / "model.toml").write_text(TOML)
    (folder / "model.py").write_text(PY)
    return folder


@pytest.fixture(scope="module")
def model(folder: Path) -> ResidentModel:
    return load_model(folder, Device(CPU, 1, 8, DeviceGate()))


def test_the_card_names_the_embedding(model: ResidentModel) -> None:
    card = model.card
    assert card.input is not None
    assert card.defaults is not None
    assert card.input.vocabularies == [20]
    assert (card.defaults.layer, card.defaults.method) == (EMBEDDING, "layer_integrated_gradients")
    assert (card.defaults.baseline, card.baselines) == ("pad", ["pad", "zero"])
    support = {one.name: one for one in card.methods}
    offered = {name for name, one in support.items() if one.supported}
    assert offered == (WITHOUT_GRADIENTS | FROM_THE_MODELS_OWN_INPUT) & set(METHODS)
    for name in ("saliency", "integrated_gradients", "deep_lift", "layer_conductance", "neuron_gradient"):
        assert "layer_integrated_gradients with layer 'words'" in (support[name].reason or "")


def test_a_layer_that_gives_more_than_tensors(model: ResidentModel) -> None:
    """An LSTM gives its states beside its output: of it the input alone can be asked."""
    layers = {layer.name: layer for layer in model.card.layers}
    assert layers["lstm"].refused is None
    assert "as recurrent layers do" in (layers["lstm"].output_refused or "")
    assert layers["words"].output_refused is layers["head"].output_refused is None
    ready = ReadyModel.of(model.card)
    with pytest.raises(InvalidRequest):
        find_layer(METHODS["layer_activation"](layer="lstm"), ready)
    asked = find_layer(METHODS["layer_activation"](layer="lstm", attribute_to_layer_input=True), ready)
    assert asked is layers["lstm"]


def test_a_layer_without_a_row_for_each_example(tmp_path: Path) -> None:
    tokens_first = PY.replace("self.words(ids.long())", "self.words(ids.t()).transpose(0, 1)")
    assert tokens_first != PY
    (tmp_path / "model.py").write_text(tokens_first)
    (tmp_path / "model.toml").write_text(TOML)
    card = load_model(tmp_path, Device(CPU, 1, 8, DeviceGate())).card
    layers = {layer.name: layer for layer in card.layers}
    assert "for 2 examples its output is of shape [7, 2, 6]" in (layers["words"].refused or "")
    assert layers["head"].refused is None
    assert card.defaults is not None
    assert (card.defaults.layer, card.input and card.input.vocabularies) == (None, [20])
    (tmp_path / "model.toml").write_text(TOML + '[explain]\nlayer = "words"\n')
    with pytest.raises(ModelConfigError, match=r"explain\.layer: the layer does not give one row"):
        load_model(tmp_path, Device(CPU, 1, 8, DeviceGate()))


def test_every_offered_method_works(folder: Path) -> None:
    rows = list(check([folder.parent]))
    assert all(row.ok for row in rows), [row for row in rows if not row.ok]
    worked = {row.method for row in rows if row.state == "ok"}
    assert worked >= FROM_THE_MODELS_OWN_INPUT | {"shapley_value_sampling", "kernel_shap", "lime", "feature_ablation"}


def explain(model: ResidentModel, method: AnyMethod, ids: Tensor, **payload: Tensor) -> tuple[ResultMeta, Tensor]:
    spec = JobSpec(
        model="ids", version="1", input_kind="tensor", examples=len(ids), method=stored_fields(method), target=[2, 0]
    )
    given = run_single(model, claimed(spec, {"input.0": ids, **payload}))
    (tensor,) = load(given.tensors).values()
    return given.meta, tensor


@pytest.mark.parametrize("baseline", ["pad", "zero", "tensor"])
def test_integrated_gradients_at_the_embedding(model: ResidentModel, baseline: str) -> None:
    ids = torch.tensor([[3, 19, 4, 1, 0, 0, 0], [5, 5, 8, 2, 9, 7, 1]])
    given = torch.full_like(ids, 11) if baseline == "tensor" else torch.zeros_like(ids)
    payload = {"baseline.0": given} if baseline == "tensor" else {}
    name = "pad" if baseline == "tensor" else baseline
    method = METHODS["layer_integrated_gradients"](layer=EMBEDDING, baseline=name, n_steps=20)
    model.engine.start() if not model.engine.alive else None
    meta, attributions = explain(model, method, ids, **payload)
    module = model.engine.view.layer_module
    direct = captum.LayerIntegratedGradients(module, module.words).attribute(
        ids, given, target=torch.tensor([2, 0]), n_steps=20
    )
    assert torch.allclose(attributions, direct, rtol=1e-9, atol=1e-12)
    assert meta.layer == EMBEDDING
    assert max(map(abs, meta.convergence_delta or [1.0])) < 1e-3


@pytest.mark.parametrize("wrong", [20, -1])
def test_ids_that_are_none(model: ResidentModel, wrong: int) -> None:
    payload = {"input.0": torch.full((1, 7), wrong)}
    with pytest.raises(InputRejected, match="ids run from 0 to 19"):
        model.adapter.prepare(payload, CPU)


def test_a_padding_that_is_no_id(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(PY)
    (tmp_path / "model.toml").write_text(TOML.replace("pad_id = 0", "pad_id = 20"))
    with pytest.raises(ModelConfigError, match=r"input\.pad_id: the model's ids run from 0 to 19"):
        load_model(tmp_path, Device(CPU, 1, 8, DeviceGate()))
    (tmp_path / "model.toml").write_text(TOML.replace('"int64"', '"float64"'))
    with pytest.raises(ModelConfigError, match="pad_id is for tensors of ids"):
        load_model(tmp_path, Device(CPU, 1, 8, DeviceGate()))


class Towers(nn.Module):
    """Two inputs of ids, (rows, 2) and (rows, 2), a token type for each, and one vector for a whole bag."""

    def __init__(self, shared: bool) -> None:
        super().__init__()
        self.users = nn.Embedding(9, 4)
        self.items = self.users if shared else nn.EmbeddingBag(6, 4)
        self.types = nn.Embedding(2, 4)

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        types = self.types(torch.zeros_like(users))
        bag = self.items(items) if self.items is not self.users else self.users(items).mean(dim=1)
        return (self.users(users) + types).mean(dim=1) * bag


class Declared(nn.Module):
    """Says itself what its input embedding is."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = Towers(shared=False)

    def get_input_embeddings(self) -> nn.Module:
        return self.inner.users

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        return self.inner(users, items)


@pytest.mark.parametrize(
    ("module", "layer", "vocabularies"),
    [
        (Towers(shared=False), None, [9, 6]),
        (Towers(shared=True), None, [9, 9]),
        (Declared(), "inner.users", [9, 6]),
        (nn.Bilinear(2, 2, 3), None, [None, None]),
    ],
)
def test_what_the_inputs_enter(module: nn.Module, layer: str | None, vocabularies: list[int | None]) -> None:
    inputs = (torch.ones(1, 2, dtype=torch.int64),) * 2
    found = find_embeddings(module, Prepared(inputs, (), inputs, ()))
    assert (found.layer, found.vocabularies) == (layer, vocabularies)


class Watched(nn.LSTM):
    def forward(self, *args: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        self.seen = (torch.backends.cudnn.enabled, torch.is_grad_enabled())
        return super().forward(*args)


def test_recurrent_layers_leave_cudnn_where_a_gradient_is_wanted() -> None:
    """cuDNN has no backward pass for them in evaluation mode. The device is only named here."""
    layer, inputs = Watched(3, 4).eval().requires_grad_(False), torch.rand(5, 2, 3)
    expected, _ = layer(inputs)
    allow_backward(layer, CPU)
    assert "forward" not in vars(layer)
    allow_backward(nn.Sequential(layer), torch.device("cuda"))
    flags = (cudnn.enabled, cudnn.benchmark, cudnn.deterministic)
    with torch.enable_grad():
        out, _ = layer(inputs)
    assert layer.seen == (False, True)
    with torch.no_grad():
        torch.testing.assert_close(layer(inputs)[0], out)  # on some processors inference has a kernel of its own
    assert layer.seen == (True, False)
    assert torch.equal(out, expected)
    assert (cudnn.enabled, cudnn.benchmark, cudnn.deterministic) == flags
