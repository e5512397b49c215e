"""An LSTM text classifier from Python: texts of different lengths do not disturb each other, answers equal Captum's."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from schemas import methods as spec
from schemas.jobs import JobSpec
from schemas.methods import AnyMethod, stored_fields
from tests.workers.methods.captum_calls import direct, max_relative_difference
from tests.workers.models.loaders.programs import DEVICE
from tests.workers.models.loaders.transformers_folders import word_piece
from tests.workers.models.recurrent import MODEL_PY, MODEL_TOML, LstmClassifier
from tests.workers.toys import CPU, RunningJob
from workers.inputs.text import FromEmbeddings
from workers.jobs.prepare import make_explain_inputs
from workers.models.pipeline import load_model
from workers.models.resident import ResidentModel

TEXTS = ("The acting is superb, but the plot is a mess.", "Superb!", "not good " * 9)
METHODS: list[AnyMethod] = [
    spec.Saliency(),
    spec.IntegratedGradients(n_steps=9),
    spec.FeatureAblation(),
    spec.LayerIntegratedGradients(layer="embedding", n_steps=9),
    spec.NeuronGradient(layer="head", neuron_selector=1),
]


def write(folder: Path) -> Path:
    folder.mkdir()
    (folder / "model.toml").write_text(MODEL_TOML.replace("[output]", 'dtype = "float64"\n[output]'))
    (folder / "model.py").write_text(MODEL_PY)
    word_piece().save(str(folder / "tokenizer.json"))
    save_file(network().state_dict(), folder / "weights.safetensors")
    return folder


def network() -> LstmClassifier:
    torch.manual_seed(0)
    return LstmClassifier().double().eval()


@pytest.fixture(scope="module")
def lstm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ResidentModel]:
    model = load_model(write(tmp_path_factory.mktemp("lstm") / "lstm"), DEVICE)
    model.engine.start()
    yield model
    model.engine.stop()


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_equals_captum_beside_others(lstm: ResidentModel, method: AnyMethod) -> None:
    job = JobSpec(model="lstm", version="1", input_kind="text", examples=1, method=stored_fields(method), target=[1])

    def subject(text: str) -> Any:
        payload = {"text": torch.frombuffer(bytearray(text.encode()), dtype=torch.uint8)}
        return make_explain_inputs(lstm, job, method, payload, lstm.adapter.prepare(payload, CPU))

    jobs = [RunningJob(lstm.engine, method, subject(text)) for text in TEXTS]
    for text, one in zip(TEXTS, jobs, strict=True):
        model = network()
        theirs = direct(method, FromEmbeddings(model), model, subject(text))
        assert max_relative_difference(one.result().attributions, theirs) <= 1e-9


def test_it_reads_on_into_padding_and_so_is_not_padded(lstm: ResidentModel) -> None:
    assert not lstm.engine.view.padded
    assert lstm.card.defaults is not None
    assert lstm.card.defaults.layer == "embedding"
