"""A text model that answers for each token: the place of a target is a token."""

from pathlib import Path
from typing import Any

import captum.attr as captum
import pytest
import torch
from safetensors.torch import load
from torch import Tensor

from schemas.errors import InputRejected, InvalidRequest
from schemas.jobs import PREDICTED, ClassRef, JobSpec, Targets
from schemas.methods import AnyMethod, IntegratedGradients, LayerIntegratedGradients, stored_fields
from schemas.results import ResultMeta
from service.validation.target import resolve_target
from tests.workers.jobs.claims import claimed
from tests.workers.models.loaders.transformers_folders import word_piece
from tests.workers.models.recurrent import MODEL_TOML, LstmClassifier
from tests.workers.toys import CPU
from workers.engine.gate import DeviceGate
from workers.jobs.check import check
from workers.jobs.single import run_single
from workers.models.load import Device, ResidentModel, load_model

TEXT = "the film is good"  # six tokens with those around it
BYTES = torch.tensor(list(TEXT.encode()), dtype=torch.uint8)
TOML = MODEL_TOML.replace('weights = "weights.safetensors"\n', "").replace(
    'labels = ["bad", "good"]', 'class_dim = -1\nlabels = ["noun", "verb"]'
)
PY = """
import torch
from tests.workers.models.test_tagging import Tagger


def build():
    torch.manual_seed(0)
    return Tagger()
"""


class Tagger(LstmClassifier):
    """(rows, tokens) to a score per tag, (rows, tokens, 2), under the name that transformers gives it."""

    def forward(  # type: ignore[override]
        self, input_ids: Tensor | None = None, attention_mask: Tensor | None = None, inputs_embeds: Tensor | None = None
    ) -> dict[str, Tensor]:
        embedded: Any = self.embedding(input_ids) if inputs_embeds is None else inputs_embeds
        read, _ = self.lstm(embedded)
        return {"logits": self.head(read)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tagger"
    folder.mkdir()
    (folder / "model.toml").write_text(TOML)
    (folder / "model.py").write_text(PY)
    word_piece().save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture(scope="module")
def tagger(folder: Path) -> ResidentModel:
    model = load_model(folder, Device(CPU, 1, 8, DeviceGate()))
    model.engine.start()
    return model


def explain(model: ResidentModel, method: AnyMethod, target: Targets) -> tuple[ResultMeta, Tensor]:
    spec = JobSpec(
        model="lstm", version="1", input_kind="text", examples=1, method=stored_fields(method), target=target
    )
    given = run_single(model, claimed(spec, {"text": BYTES}))
    (tensor,) = load(given.tensors).values()
    return given.meta, tensor


def test_the_card_tells_the_most_tokens(tagger: ResidentModel) -> None:
    output = tagger.card.output
    assert output is not None
    assert (output.size, output.shape) == (2, [2, 40])
    assert resolve_target(["verb", 39], output, 1) == [[1, 39]]
    with pytest.raises(InvalidRequest):
        resolve_target(["verb", 40], output, 1)
    assert tagger.card.defaults is not None
    assert tagger.card.defaults.layer == "embedding"


@pytest.mark.parametrize("token", [0, 3, 5])
def test_a_token_is_explained(tagger: ResidentModel, token: int) -> None:
    module = tagger.engine.view.layer_module
    prepared = tagger.adapter.prepare({"text": BYTES}, CPU)
    ids, mask = prepared.layer_inputs[0], prepared.layer_additional_forward_args[0]
    scores = module(ids, mask)[0, :, token]
    meta, given = explain(tagger, IntegratedGradients(baseline="zero", n_steps=20), [[PREDICTED, token]])
    predicted = int(scores.argmax())
    assert meta.target == [ClassRef(index=predicted, label=["noun", "verb"][predicted], position=[token])]
    assert meta.predictions[0][0].score == pytest.approx(float(scores.softmax(dim=0).max()))
    direct = captum.IntegratedGradients(tagger.engine.view.module).attribute(
        prepared.inputs[0], target=(predicted, token), additional_forward_args=(mask,), n_steps=20
    )
    assert torch.allclose(given, direct.sum(dim=-1), rtol=1e-4, atol=1e-6)
    meta, given = explain(tagger, LayerIntegratedGradients(layer="embedding", baseline="pad"), [[1, token]])
    assert given.shape == (1, 6, 8)
    assert [one.text for one in (meta.words or [[]])[0]] == TEXT.split()


def test_a_token_that_the_text_has_not(tagger: ResidentModel) -> None:
    with pytest.raises(InputRejected, match=r"are \[6\], counted from 0"):
        explain(tagger, IntegratedGradients(baseline="zero"), [[1, 6]])


def test_every_offered_method_works(folder: Path) -> None:
    rows = list(check([folder.parent]))
    assert [row for row in rows if not row.ok] == []
    assert sum(row.state == "ok" for row in rows) > 20
