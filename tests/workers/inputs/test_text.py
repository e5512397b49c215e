"""Texts, from characters to embeddings, and back to tokens and words."""

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import Tensor, nn

from schemas.errors import InputRejected
from workers.inputs.prepared import Prepared
from workers.inputs.text import TextAdapter, read_tokenizer
from workers.repository.model_toml import InputConfig

CPU = torch.device("cpu")
DEVICES = [CPU, *([torch.device("cuda:0")] if torch.cuda.is_available() else [])]


def as_bytes(data: bytes) -> Tensor:
    return torch.frombuffer(bytearray(data), dtype=torch.uint8)


class TinyText(nn.Module):
    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary, 4)

    def get_input_embeddings(self) -> nn.Embedding:
        return self.words


@pytest.fixture
def text(tmp_path: Path) -> TextAdapter:
    """Word pieces as BERT has them, over a vocabulary that splits some words."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    words += ["don", "'", "t", "wonder", "##ful", "film", ",", "the", "-", "known", "well", "¡", "acción", "!"]
    vocabulary = {word: index for index, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.enable_padding(length=64)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    config = InputConfig.model_validate({"kind": "text", "tokenizer": "tokenizer.json", "max_tokens": 12})
    return TextAdapter(config, TinyText(len(words)), read_tokenizer(config, tmp_path))


def prepare(adapter: TextAdapter, text: str) -> Prepared:
    return adapter.prepare({"text": as_bytes(text.encode())}, CPU)


def test_words_are_tokens_merged_with_their_offsets(text: TextAdapter) -> None:
    sentence = "don't film, well-known ¡acción! wonderful"
    text._tokenizer.enable_truncation(64)
    prepared = prepare(text, sentence)
    count = prepared.inputs[0].shape[1]
    described = text.describe(prepared, (torch.arange(1.0, count + 1).unsqueeze(0),), layered=False)
    assert described.words is not None
    assert described.tokens is not None
    words = [(w.text, w.score) for w in described.words[0]]
    # [CLS] is 1; don ' t are 2 3 4; film 5; , 6; well - known 7 8 9; ¡ 10; acción 11; ! 12; wonder ##ful 13 14
    assert words == [
        ("don't", 9),
        ("film", 5),
        (",", 6),
        ("well-known", 24),
        ("¡", 10),
        ("acción", 11),
        ("!", 12),
        ("wonderful", 27),
    ]
    assert all(sentence[w.start : w.end] == w.text for w in described.words[0])
    assert len(described.tokens[0]) == count
    assert described.tokens[0][-2].text == "##ful"


def test_words_as_features(text: TextAdapter) -> None:
    prepared = prepare(text, "don't film wonderful !")
    (by_token,) = text.feature_mask(None, prepared) or ()
    (by_word,) = text.feature_mask("words", prepared) or ()
    assert by_token[0, :, 0].tolist() == list(range(9))
    # [CLS] don ' t film wonder ##ful ! [SEP]
    assert by_word[0, :, 0].tolist() == [0, 1, 1, 1, 2, 3, 3, 4, 5]
    assert by_word.shape == prepared.inputs[0].shape


def test_too_long_is_cut_and_said(text: TextAdapter) -> None:
    prepared = prepare(text, "film " * 40)
    assert prepared.inputs[0].shape == (1, 12, 4)
    assert prepared.warnings == ["the text was cut after 12 tokens"]


def test_the_pad_baseline_keeps_the_frame(text: TextAdapter) -> None:
    prepared = prepare(text, "the film")
    (embedded,), (ids,) = text.baseline("pad", prepared)
    assert ids.tolist() == [[2, 0, 0, 3]]
    assert torch.equal(embedded[0, 0], prepared.inputs[0][0, 0])
    assert not torch.equal(embedded[0, 1], prepared.inputs[0][0, 1])


def test_nothing_to_explain(text: TextAdapter) -> None:
    with pytest.raises(InputRejected, match="no tokens"):
        prepare(text, "  \n ")


def test_shared_scores_are_not_added_up(text: TextAdapter) -> None:
    attributions = (torch.full((1, 3, 4), 2.0),)
    assert text.on_wire(attributions, shared=True)[0].tolist() == [[2.0] * 3]
    assert text.on_wire(attributions, shared=False)[0].tolist() == [[8.0] * 3]


def test_hooks_of_others_are_not_seen(text: TextAdapter) -> None:
    """A job of the solo lane may have its hooks on the embeddings while the text of another is prepared."""
    before = text.prepare({"text": as_bytes(b"good")}, CPU).inputs[0]
    handle = text.embeddings.register_forward_hook(lambda module, args, out: torch.zeros_like(out))
    during = text.prepare({"text": as_bytes(b"good")}, CPU).inputs[0]
    handle.remove()
    assert torch.equal(before, during)
    assert bool(before.any())
