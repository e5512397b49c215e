"""A stored input of any wrong content fails its own job as `unreadable`, whatever its kind."""

import json
import struct
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from safetensors.torch import save
from tokenizers import Tokenizer, models
from torch import Tensor, nn

from schemas.errors import Unreadable
from schemas.methods import (
    DeepLift,
    FeatureAblation,
    GradientShap,
    IntegratedGradients,
    LayerFeatureAblation,
    Saliency,
    stored_method,
)
from tests.workers.jobs.claims import claimed
from tests.workers.jobs.net import spec
from workers.inputs.image import ImageAdapter
from workers.inputs.prepared import InputAdapter
from workers.inputs.tabular import TabularAdapter
from workers.inputs.tensor import TensorAdapter
from workers.inputs.text import TextAdapter
from workers.jobs.job import PreparedJob
from workers.jobs.prepare import prepare_job
from workers.models.resident import ResidentModel
from workers.repository.model_toml import InputConfig

TENSOR = {"tensor": {"shape": [1, 4], "data": []}}
LAYER = "body.0"
UNITS = 9  # of that layer
Content = Mapping[str, Tensor] | bytes


class Embedded(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(3, 4)

    def get_input_embeddings(self) -> nn.Module:
        return self.words


def config(kind: str, **fields: Any) -> InputConfig:
    return InputConfig.model_validate({"kind": kind, **fields})


def adapter_of(kind: str) -> InputAdapter:
    if kind == "image":
        return ImageAdapter(config("image", size=[8, 10]))
    if kind == "features":
        return TabularAdapter(config("tabular", features=[{"name": name, "mean": 0, "std": 1} for name in "abc"]))
    if kind == "text":
        tokenizer = Tokenizer(models.WordLevel({"[PAD]": 0, "[UNK]": 1, "film": 2}, unk_token="[UNK]"))
        text = config("text", tokenizer="tokenizer.json", max_tokens=5)
        return TextAdapter(text, Embedded(), tokenizer)
    if kind == "ids":
        ids = TensorAdapter(config("tensor", shapes=[[4], [2]], dtype="int64"))
        ids.card = ids.card.model_copy(update={"vocabularies": [5, None]})
        return ids
    return TensorAdapter(config("tensor", shapes=[[4]], dtype="float64"))


def prepared(model: ResidentModel, kind: str, content: Content, method: Any = None, examples: int = 1) -> PreparedJob:
    payload = content if isinstance(content, bytes) else {name: own(tensor) for name, tensor in content.items()}
    input_kind = "tensor" if kind == "ids" else kind
    job = claimed(spec(method or Saliency(), examples, input_kind=input_kind), payload)
    return prepare_job(replace(model, adapter=adapter_of(kind)), job)


def own(tensor: Tensor) -> Tensor:
    """A tensor of its own memory, as the file format needs it."""
    return tensor.clone(memory_format=torch.contiguous_format)


def blob(header: Any, data: bytes = b"") -> bytes:
    """A safetensors file of any header."""
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def text(data: bytes) -> Tensor:
    return torch.frombuffer(bytearray(data), dtype=torch.uint8)


PIXELS = torch.zeros(8, 10, 3, dtype=torch.uint8)
ROW, TABLE = torch.rand(1, 4), torch.rand(1, 3, dtype=torch.float64)
MASK = torch.zeros(1, 4, dtype=torch.int64)
IDS = {"input.0": torch.ones(1, 4, dtype=torch.int64), "input.1": torch.ones(1, 2, dtype=torch.int64)}
GOOD: dict[str, Mapping[str, Tensor]] = {
    "image": {"pixels": PIXELS},
    "features": {"features": TABLE},
    "text": {"text": text("film ñ".encode())},
    "tensor": {"input.0": ROW},
    "ids": IDS,
}
COMPLEX, EIGHT_BITS = torch.zeros(1, 4, dtype=torch.complex64), torch.zeros(1, 4).to(torch.float8_e5m2)


@pytest.mark.parametrize("kind", list(GOOD))
def test_what_the_gateway_stores_is_accepted(model: ResidentModel, kind: str) -> None:
    assert prepared(model, kind, GOOD[kind]).subject.examples == 1
    unknown = {**GOOD[kind], "of_a_later_version": torch.zeros(3)}
    assert prepared(model, kind, unknown).subject.examples == 1


@pytest.mark.parametrize("kind", list(GOOD))
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 8,
        b"\xff" * 99,
        save(dict(IDS))[:-1],
        blob([]),
        blob({}),
        blob({"input.0": 7}),
        blob({"input.0": {"dtype": "F4", "shape": [2], "data_offsets": [0, 1]}}, b"a"),
        blob({"input.0": {"dtype": "F32", "shape": [2**63, 0], "data_offsets": [0, 0]}}),
        {"of_a_later_version": ROW},
        {"baseline.0": ROW},
    ],
)
def test_a_damaged_or_empty_file(model: ResidentModel, kind: str, content: Content) -> None:
    with pytest.raises(Unreadable):
        prepared(model, kind, content)


@pytest.mark.parametrize(("kind", "other"), [(kind, other) for kind in GOOD for other in GOOD if kind != other])
def test_an_input_of_another_kind(model: ResidentModel, kind: str, other: str) -> None:
    with pytest.raises(Unreadable):
        prepared(model, kind, GOOD[other])
    with pytest.raises(Unreadable):
        prepared(model, kind, {**GOOD[kind], **GOOD[other]})


def test_a_kind_that_the_model_does_not_take(model: ResidentModel) -> None:
    for kind, content in (("text", GOOD["text"]), ("features", GOOD["features"]), ("image", GOOD["image"])):
        with pytest.raises(Unreadable):
            prepare_job(model, claimed(spec(Saliency(), input_kind=kind), dict(content)))


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        *(("image", {"pixels": pixels}) for pixels in (PIXELS[:-1], PIXELS[..., :1], PIXELS[0], PIXELS.float())),
        ("image", {"pixels": torch.tensor(0, dtype=torch.uint8)}),
        ("image", {"pixels.0": PIXELS}),
        ("features", {"features": TABLE[0]}),
        ("features", {"features": torch.rand(1, 4)}),
        ("features", {"features": torch.rand(2, 3)}),
        ("features", {"features": torch.rand(0, 3)}),
        ("features", {"features": COMPLEX[:, :3]}),
        ("text", {"text": text(b"\xff\xfe")}),
        ("text", {"text": text("ñ".encode())[:1]}),
        ("text", {"text": text("\ud800".encode("utf-8", "surrogatepass"))}),
        ("text", {"text": text(b"film").int()}),
        ("text", {"text": text(b"film").view(2, 2)}),
        ("text", {"text": torch.zeros(0, dtype=torch.uint8)}),
        ("text", {"txt": text(b"film")}),
        *(
            ("tensor", {name: ROW})
            for name in ("input", "input.", "input.1", "input.00", "input.-1", "input.\N{ARABIC-INDIC DIGIT ZERO}")
        ),
        ("tensor", {"input.0": ROW, "input.2": ROW}),
        ("tensor", {"input.0": ROW, "input.one": ROW}),
        *(("tensor", {"input.0": bad}) for bad in (ROW[0], ROW[:, :3], ROW.expand(2, 4), COMPLEX, EIGHT_BITS)),
        ("tensor", {"input.0": torch.tensor(1.0)}),
        ("tensor", {"input.0": torch.zeros(0, 4)}),
        ("ids", {"input.0": IDS["input.0"]}),
        ("ids", {**IDS, "input.2": IDS["input.0"]}),
        ("ids", {**IDS, "input.1": torch.ones(1, 2)}),
        ("ids", {**IDS, "input.1": torch.ones(2, 2, dtype=torch.int64)}),
    ],
)
def test_names_types_and_shapes(model: ResidentModel, kind: str, content: Content) -> None:
    with pytest.raises(Unreadable, match="its stored input is damaged"):
        prepared(model, kind, content)


TWO = torch.zeros(2, 8, 10, 3, dtype=torch.uint8)
FILM = text(b"film")


def test_several_pictures_and_texts_are_accepted(model: ResidentModel) -> None:
    assert prepared(model, "image", {"pixels": TWO}, examples=2).subject.examples == 2
    assert prepared(model, "image", {"pixels": TWO[:1]}).subject.examples == 1
    assert prepared(model, "text", {"text.0": FILM, "text.1": FILM}, examples=2).subject.examples == 2
    assert prepared(model, "text", {"text.0": FILM}).subject.examples == 1


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        *(("image", {"pixels": bad}) for bad in (PIXELS, TWO[:1], TWO[:, :-1], TWO.float(), TWO[None])),
        ("text", {"text": FILM}),
        ("text", {"text.0": FILM}),
        ("text", {"text.0": FILM, "text.2": FILM}),
        ("text", {"text": FILM, "text.0": FILM}),
        ("text", {"text.0": FILM, "text.1": text(b"\xff")}),
        ("text", {"text.0": FILM, "text.1": FILM, "text.2": FILM}),
    ],
)
def test_two_examples_of_other_forms(model: ResidentModel, kind: str, content: Content) -> None:
    with pytest.raises(Unreadable, match="its stored input is damaged"):
        prepared(model, kind, content, examples=2)


IG = IntegratedGradients()
AT_LAYER = LayerFeatureAblation(layer=LAYER)
UNIT_MASK = torch.zeros(1, UNITS, dtype=torch.int64)


@pytest.mark.parametrize(
    ("kind", "method", "more"),
    [
        *(
            ("tensor", IG, {name: ROW})
            for name in ("baseline", "baseline.1", "baseline.x", "baseline.\N{ARABIC-INDIC DIGIT ZERO}", "baseline.-0")
        ),
        ("tensor", IG, {"baseline.0": ROW, "baseline.1": ROW}),
        *(("tensor", IG, {"baseline.0": bad}) for bad in (ROW[0], ROW[:, :2], torch.rand(3, 4), COMPLEX, EIGHT_BITS)),
        ("tensor", DeepLift(), {"baseline.0": torch.rand(2, 1, 4)}),
        ("tensor", GradientShap(), {"baseline.0": torch.rand(3, 5)}),
        ("tensor", GradientShap(), {"baseline.0": torch.rand(0, 4)}),
        ("ids", GradientShap(), {"baseline.0": torch.ones(2, 4).long(), "baseline.1": torch.ones(3, 2).long()}),
        ("ids", IG, {"baseline.0": torch.full((1, 4), 5), "baseline.1": torch.zeros(1, 2).long()}),
        ("ids", IG, {"baseline.0": torch.zeros(1, 4), "baseline.1": torch.zeros(1, 2)}),
        ("text", IG, {"baseline.0": torch.rand(1, 2, 4)}),
        ("text", FeatureAblation(), {"feature_mask.0": torch.zeros(1, 2, 4).long()}),
        ("image", IG, {"baseline.0": torch.rand(1, 8, 10, 3)}),
        ("image", FeatureAblation(), {"feature_mask.0": torch.zeros(1, 8, 10).long()}),
        ("features", FeatureAblation(), {"feature_mask.0": torch.zeros(1, 4).long()}),
        *(
            ("tensor", FeatureAblation(), {"feature_mask.0": bad})
            for bad in (MASK.float(), MASK[0], MASK[:, :2], torch.zeros(3, 4).long(), COMPLEX)
        ),
        ("tensor", FeatureAblation(), {"feature_mask.0": MASK, "feature_mask.7": MASK}),
        *(("tensor", AT_LAYER, {"layer_mask.0": bad}) for bad in (MASK, UNIT_MASK.float(), UNIT_MASK[0])),
        ("tensor", AT_LAYER, {"layer_mask.0": UNIT_MASK, "layer_mask.1": UNIT_MASK}),
        *(("tensor", AT_LAYER, {"layer_baseline.0": bad}) for bad in (ROW, torch.rand(2, UNITS), torch.tensor(1.0))),
        ("tensor", AT_LAYER, {"layer_baseline.0": torch.zeros(1, UNITS, dtype=torch.complex64)}),
    ],
)
def test_baselines_and_masks(model: ResidentModel, kind: str, method: Any, more: dict[str, Tensor]) -> None:
    with pytest.raises(Unreadable, match=r"its stored input is damaged: (baseline|feature_mask|layer_)"):
        prepared(model, kind, {**GOOD[kind], **more}, method)


@pytest.mark.parametrize(
    "method",
    [
        {"name": "integrated_gradients", "baseline": TENSOR},
        {"name": "integrated_gradients", "baseline": {"tensors": ["zero"]}},
        {"name": "feature_ablation", "feature_mask": TENSOR},
        {"name": "layer_feature_ablation", "layer": LAYER, "layer_mask": TENSOR},
        {"name": "layer_feature_ablation", "layer": LAYER, "layer_baselines": TENSOR},
    ],
)
def test_a_tensor_of_the_method_that_is_missing(model: ResidentModel, method: dict[str, Any]) -> None:
    """A default in its place would be an answer to another question."""
    with pytest.raises(Unreadable):
        prepared(model, "tensor", GOOD["tensor"], stored_method(method))
