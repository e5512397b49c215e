"""Folders as transformers' `save_pretrained` writes them: tiny models with random weights, and their model.toml."""

from pathlib import Path
from typing import Any

import torch
import transformers as hf
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from torch import nn
from transformers.image_processing_backends import PilBackend
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
from transformers.models.convnext.image_processing_pil_convnext import ConvNextImageProcessorPil
from transformers.models.deit.image_processing_pil_deit import DeiTImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

from workers.models.loaders.weights import read_tensors

SIDE = 32  # pixels
WORDS = ["the", "acting", "is", "superb", "but", "plot", "a", "mess", "not", "good", "un", "##like", "##ly"]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
TOML = """
name = "{name}"
loader = "transformers"
path = "{path}"
[input]
kind = "{kind}"
{fields}
"""
ATTENTION: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "initializer_range": 0.5,
}
LABELS: dict[str, Any] = {"id2label": {0: "cat", 1: "dog", 2: "hat"}, "label2id": {"cat": 0, "dog": 1, "hat": 2}}


def describe(folder: Path, kind: str, path: str = ".", **fields: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = "\n".join(f"{name} = {value!r}" for name, value in fields.items()).replace("'", '"')
    text = TOML.format(name=folder.name, path=path, kind=kind, fields=lines)
    (folder / "model.toml").write_text(text)


def vit_model(**fields: Any) -> nn.Module:
    torch.manual_seed(0)
    config = hf.ViTConfig(**ATTENTION, image_size=SIDE, patch_size=8, **{**LABELS, **fields})
    return hf.ViTForImageClassification(config)


def resnet_model() -> nn.Module:
    torch.manual_seed(0)
    config = hf.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic", **LABELS)
    return hf.ResNetForImageClassification(config)


def swin_model() -> nn.Module:
    torch.manual_seed(0)
    sizes: dict[str, Any] = {"embed_dim": 8, "depths": [1, 1], "num_heads": [2, 2], "window_size": 4}
    return hf.SwinForImageClassification(hf.SwinConfig(image_size=SIDE, patch_size=4, **sizes, **LABELS))


def vit_processor(**fields: Any) -> PilBackend:
    return ViTImageProcessorPil(**{"size": {"height": SIDE, "width": SIDE}, **fields})


PROCESSORS: dict[str, PilBackend] = {
    "stretch": vit_processor(),
    "not square": vit_processor(size={"height": 24, "width": 40}, resample=3),
    "nearest": vit_processor(resample=0),
    "no normalising": vit_processor(do_normalize=False),
    "values of bytes": vit_processor(do_rescale=False, image_mean=[120.0, 110.0, 100.0], image_std=[60.0, 50.0, 40.0]),
    "minus one to one": vit_processor(rescale_factor=1 / 127.5, image_mean=[1.0] * 3, image_std=[1.0] * 3),
    "short side, then crop": BitImageProcessorPil(size={"shortest_edge": 37}, crop_size={"height": 32, "width": 32}),
    "odd margins": BitImageProcessorPil(size={"shortest_edge": 40}, crop_size={"height": 33, "width": 31}),
    "box, then crop": DeiTImageProcessorPil(size={"height": 41, "width": 36}, crop_size={"height": 32, "width": 32}),
    "crop_pct": ConvNextImageProcessorPil(size={"shortest_edge": 32}, crop_pct=0.875),
    "warped": ConvNextImageProcessorPil(size={"shortest_edge": 384}),
}


def save_image_model(folder: Path, model: nn.Module, processor: PilBackend | None = None) -> Path:
    describe(folder, "image")
    model.save_pretrained(folder)  # type: ignore[operator]
    (processor or vit_processor()).save_pretrained(folder)
    return folder


def word_piece() -> Tokenizer:
    vocabulary = {word: index for index, word in enumerate([*SPECIAL, *WORDS])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer


def bert_model(**fields: Any) -> nn.Module:
    torch.manual_seed(0)
    config = hf.BertConfig(**ATTENTION, vocab_size=len(SPECIAL + WORDS), max_position_embeddings=40, **fields)
    return hf.BertForSequenceClassification(config)


def save_text_model(folder: Path, model: nn.Module, **fields: Any) -> Path:
    describe(folder, "text", **fields)
    model.save_pretrained(folder)  # type: ignore[operator]
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    fast = hf.PreTrainedTokenizerFast(tokenizer_object=word_piece(), model_max_length=40, **special)
    fast.save_pretrained(folder)
    return folder


def plain(model: nn.Module, folder: Path) -> nn.Module:
    """The model as it was saved, frozen, for Captum to be asked directly."""
    model.load_state_dict(read_tensors(folder / "model.safetensors"), strict=False)
    return model.eval().requires_grad_(False)
