"""Text folders of transformers: tokens as its own tokenizer gives them, and answers that equal Captum's."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf
from tokenizers.processors import TemplateProcessing
from torch import nn

from schemas import methods as spec
from schemas.jobs import JobSpec
from schemas.methods import AnyMethod, stored_fields
from tests.workers.methods.captum_calls import direct, max_relative_difference
from tests.workers.models.loaders.programs import DEVICE
from tests.workers.models.loaders.transformers_folders import (
    ATTENTION,
    LABELS,
    SPECIAL,
    WORDS,
    bert_model,
    describe,
    plain,
    save_text_model,
    word_piece,
)
from tests.workers.toys import CPU, RunningJob
from workers.jobs.prepare import make_explain_inputs
from workers.models.pipeline import load_model
from workers.models.resident import ResidentModel
from workers.repository.model_toml import ModelConfigError

TEXT = "The acting is superb, but the plot is a mess."
LAYER = "bert.encoder.layer.1"


def as_bytes(text: str) -> dict[str, torch.Tensor]:
    return {"text": torch.frombuffer(bytearray(text.encode()), dtype=torch.uint8)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_text_model(tmp_path_factory.mktemp("texts") / "bert", bert_model(**LABELS), dtype="float64")


@pytest.fixture(scope="module")
def bert(folder: Path) -> Iterator[ResidentModel]:
    model = load_model(folder, DEVICE)
    model.engine.start()
    yield model
    model.engine.stop()


def test_tokens_are_the_tokenizers_own(bert: ResidentModel, folder: Path) -> None:
    own = hf.AutoTokenizer.from_pretrained(folder)(TEXT)
    prepared = bert.adapter.prepare(as_bytes(TEXT), CPU)
    assert prepared.layer_inputs[0].tolist() == [own["input_ids"]]
    assert prepared.layer_additional_forward_args[0].tolist() == [own["attention_mask"]]
    assert bert.card.input is not None
    assert bert.card.input.max_tokens == 40
    assert bert.card.output is not None
    assert bert.card.output.labels == ["cat", "dog", "hat"]


METHODS: list[AnyMethod] = [
    spec.Saliency(),
    spec.IntegratedGradients(n_steps=9),
    spec.KernelShap(n_samples=20),
    spec.LayerIntegratedGradients(layer="bert.embeddings.word_embeddings", n_steps=9),
    spec.LayerGradientXActivation(layer=LAYER),
    spec.LayerConductance(layer=LAYER, n_steps=9),
    spec.NeuronGradient(layer=LAYER, neuron_selector=[2, 5]),
]


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_bert_equals_captum(bert: ResidentModel, folder: Path, method: AnyMethod) -> None:
    """On the model as transformers loads it, entered by names; beside a text of another length."""
    job = JobSpec(model="bert", version="1", input_kind="text", examples=1, method=stored_fields(method), target=[2])

    def subject(text: str) -> Any:
        payload = as_bytes(text)
        return make_explain_inputs(bert, job, method, payload, bert.adapter.prepare(payload, CPU))

    jobs = [RunningJob(bert.engine, method, subject(text), seed=3) for text in (TEXT, "Superb!")]
    ours = [job.result() for job in jobs]
    model = plain(bert_model(**LABELS).double(), folder)
    for parameter in model.get_input_embeddings().parameters():  # type: ignore[operator]
        parameter.requires_grad_(True)
    for text, outcome in zip((TEXT, "Superb!"), ours, strict=True):
        theirs = direct(method, Embedded(model), ByIds(model), subject(text), 3)
        assert max_relative_difference(outcome.attributions, theirs) <= 1e-9


class ByIds(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.bert = model.bert

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, *types: torch.Tensor) -> torch.Tensor:
        return self.model(input_ids=ids, attention_mask=mask).logits


class Embedded(ByIds):
    def forward(self, embeddings: torch.Tensor, mask: torch.Tensor, *types: torch.Tensor) -> torch.Tensor:
        return self.model(inputs_embeds=embeddings, attention_mask=mask).logits


def test_a_text_as_long_as_the_model_takes(bert: ResidentModel) -> None:
    """40 tokens are not padded to 64, for which there are no positions."""
    method = spec.Saliency()
    job = JobSpec(model="bert", version="1", input_kind="text", examples=1, method=stored_fields(method), target=[0])
    payload = as_bytes("superb " * 60)
    prepared = bert.adapter.prepare(payload, CPU)
    assert prepared.warnings == ["the text was cut after 40 tokens"]
    outcome = RunningJob(bert.engine, method, make_explain_inputs(bert, job, method, payload, prepared)).result()
    assert outcome.attributions[0].shape == (1, 40, 16)


def test_a_vocabulary_alone_will_do(tmp_path: Path, bert: ResidentModel) -> None:
    folder = save_text_model(tmp_path / "old", bert_model(**LABELS))
    for file in ("tokenizer.json", "tokenizer_config.json"):
        (folder / file).unlink()
    (folder / "vocab.txt").write_text("\n".join([*SPECIAL, *WORDS, "[MASK]"]))
    model = load_model(folder, DEVICE)
    ids = [m.adapter.prepare(as_bytes(TEXT), CPU).layer_inputs[0].tolist() for m in (model, bert)]
    assert ids[0] == ids[1]


def saved(tmp_path: Path, model: nn.Module, **fields: Any) -> ResidentModel:
    return load_model(save_text_model(tmp_path / "model", model, **fields), DEVICE)


def vocabulary() -> dict[str, Any]:
    return {"vocab_size": len(SPECIAL + WORDS), "pad_token_id": 0, "initializer_range": 0.5}


def test_positions_that_start_behind_the_pad_token(tmp_path: Path) -> None:
    sizes = {key: value for key, value in ATTENTION.items() if key != "initializer_range"}
    config = hf.RobertaConfig(**sizes, **vocabulary(), max_position_embeddings=24)
    model = saved(tmp_path, hf.RobertaForSequenceClassification(config))
    assert model.config.input.max_tokens == 23
    assert model.engine.view.padded


def test_token_types_are_the_tokenizers(tmp_path: Path) -> None:
    """XLNet marks its last token with a type of its own, and takes its arguments in another order."""
    config = hf.XLNetConfig(d_model=16, n_layer=1, n_head=2, d_inner=16, vocab_size=len(SPECIAL + WORDS))
    folder = save_text_model(tmp_path / "model", hf.XLNetForSequenceClassification(config))
    words = word_piece()
    words.post_processor = TemplateProcessing(
        single="$A:0 [SEP]:0 [CLS]:2", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = ["input_ids", "token_type_ids", "attention_mask"]
    fast = hf.PreTrainedTokenizerFast(tokenizer_object=words, model_input_names=names, pad_token="[PAD]")
    fast.save_pretrained(folder)
    model = load_model(folder, DEVICE)
    own = fast(TEXT)
    prepared = model.adapter.prepare(as_bytes(TEXT), CPU)
    assert prepared.additional_forward_args[1].tolist() == [own["token_type_ids"]]
    assert own["token_type_ids"][-1] == 2
    theirs = hf.XLNetForSequenceClassification.from_pretrained(folder).eval()
    with torch.no_grad():
        out = theirs(**{name: torch.tensor([values]) for name, values in own.items()}).logits
        assert torch.allclose(
            model.engine.view.layer_module(*prepared.layer_inputs, *prepared.layer_additional_forward_args), out
        )


def test_a_decoder_that_reads_the_last_token_is_not_padded(tmp_path: Path) -> None:
    config = hf.GPT2Config(n_embd=16, n_layer=1, n_head=2, n_positions=64, **vocabulary())
    model = saved(tmp_path, hf.GPT2ForSequenceClassification(config))
    assert not model.engine.view.padded


def test_a_model_without_a_way_in_behind_its_embeddings_is_refused(tmp_path: Path) -> None:
    sizes: dict[str, Any] = dict.fromkeys(("encoder_layers", "decoder_layers"), 1)
    sizes |= dict.fromkeys(("encoder_ffn_dim", "decoder_ffn_dim", "d_model"), 16)
    sizes |= dict.fromkeys(("encoder_attention_heads", "decoder_attention_heads"), 2)
    config = hf.BartConfig(**sizes, vocab_size=len(SPECIAL + WORDS), eos_token_id=3, pad_token_id=0, bos_token_id=2)
    with pytest.raises(ModelConfigError, match="inputs_embeds"):
        saved(tmp_path, hf.BartForSequenceClassification(config))


def test_a_tokenizer_without_a_pad_token(tmp_path: Path) -> None:
    folder = save_text_model(tmp_path / "model", bert_model())
    config = folder / "tokenizer_config.json"
    config.write_text(config.read_text().replace('"pad_token": "[PAD]",', ""))
    with pytest.raises(ModelConfigError, match=r"input\.pad_token: the tokenizer names none"):
        load_model(folder, DEVICE)
    describe(folder, "text", pad_token="[UNK]")
    assert load_model(folder, DEVICE).config.input.pad_token == "[UNK]"


def test_more_tokens_than_the_model_takes(tmp_path: Path) -> None:
    with pytest.raises(ModelConfigError, match=r"input\.max_tokens: the model takes 40"):
        saved(tmp_path, bert_model(), max_tokens=41)
    assert saved(tmp_path, bert_model(), max_tokens=12).config.input.max_tokens == 12


def test_no_tokenizer(tmp_path: Path) -> None:
    folder = save_text_model(tmp_path / "model", bert_model())
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelConfigError, match="input: the folder's tokenizer"):
        load_model(folder, DEVICE)


def test_captum_is_asked_of_the_same_model(folder: Path, bert: ResidentModel) -> None:
    """The model that the parity above is measured against is the one that was saved."""
    model = plain(bert_model(**LABELS).double(), folder)
    prepared = bert.adapter.prepare(as_bytes(TEXT), CPU)
    with torch.no_grad():
        ours = bert.engine.view.layer_module(*prepared.layer_inputs, *prepared.layer_additional_forward_args)
        assert torch.allclose(
            ours, ByIds(model)(*prepared.layer_inputs, *prepared.layer_additional_forward_args), atol=1e-12
        )
