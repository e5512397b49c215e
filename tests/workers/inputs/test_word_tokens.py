"""Words over the tokens of each family of tokenizers: none is lost, none is cut, each is taken away whole."""

from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from captum.attr import FeatureAblation
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from torch import Tensor, nn

from schemas.results import TextScore
from tests.workers.inputs.tokenizer_families import CORPUS, FAMILIES, SPECIAL
from workers.inputs.prepared import Prepared
from workers.inputs.text import FromEmbeddings, TextAdapter, read_tokenizer
from workers.repository.model_toml import InputConfig

CPU = torch.device("cpu")
FAMILY = pytest.mark.parametrize("family", sorted(FAMILIES))


class Reader(nn.Module):
    """A text model whose output is no sum over its tokens."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.words = nn.Embedding(vocabulary, 5)
        self.head = nn.Linear(5, 2)

    def get_input_embeddings(self) -> nn.Embedding:
        return self.words

    def forward(self, *, inputs_embeds: Tensor, attention_mask: Tensor) -> Tensor:
        place = torch.arange(1, inputs_embeds.shape[1] + 1).view(1, -1, 1)
        summed = (inputs_embeds / place.sqrt() * attention_mask.unsqueeze(-1)).sum(dim=1)
        out: Tensor = self.head(torch.tanh(summed))
        return out


@cache
def written(family: str) -> str:
    return str(FAMILIES[family]().to_str())


def adapter(family: str, folder: Path | None = None) -> TextAdapter:
    """With its tokenizer read back from a file where there is a folder for it."""
    config = InputConfig.model_validate(
        {"kind": "text", "tokenizer": "tokenizer.json", "max_tokens": 400, "pad_token": SPECIAL[0]}
    )
    if folder is None:
        tokenizer = Tokenizer.from_str(written(family))
    else:
        (folder / "tokenizer.json").write_text(written(family), encoding="utf-8")
        tokenizer = read_tokenizer(config, folder)
    return TextAdapter(config, Reader(tokenizer.get_vocab_size()).double(), tokenizer)


@cache
def kept(family: str) -> TextAdapter:
    return adapter(family)


def plain(prepared: Prepared) -> list[bool]:
    return [not special for special in prepared.source.texts[0].encoding.special_tokens_mask]


def described(text: TextAdapter, prepared: Prepared, scores: list[float]) -> list[TextScore]:
    found = text.describe(prepared, (torch.tensor([scores], dtype=torch.float64),), layered=False)
    assert found.words is not None
    return list(found.words[0])


def has_tokens(text: TextAdapter, sentence: str) -> bool:
    return 0 in text._tokenizer.encode(sentence).special_tokens_mask


# Without punctuation, which some tokens of most families join to words.
SENTENCES = [
    "I love playing",
    "नमस्ते दुनिया",
    "مرحبا بالعالم",
    "שלום עולם",
    "été 👍🏽 ❤️ \N{MAN}\u200d\N{GIRL}",
    "한국어 텍스트",
]


@FAMILY
@pytest.mark.parametrize("sentence", SENTENCES)
def test_words_are_what_stands_between_blanks(family: str, sentence: str, tmp_path: Path) -> None:
    text = adapter(family, tmp_path)
    prepared = text.prepare_text(sentence, CPU)
    words = [word.text for word in described(text, prepared, [1.0] * len(plain(prepared)))]
    joined = {"I love"} if family == "unigram over blanks" else set()  # it has a token over both
    assert [part for word in words for part in (word.split() if word in joined else [word])] == sentence.split()


@FAMILY
def test_the_space_before_a_word_counts_for_the_word(family: str) -> None:
    text = kept(family)
    prepared = text.prepare_text("नमस्ते playing", CPU)
    encoding = prepared.source.texts[0].encoding
    first, second = described(text, prepared, [float(one) for one in plain(prepared)])
    assert (first.text, second.text) == ("नमस्ते", "playing")
    begins = next(index for index, (_, end) in enumerate(encoding.offsets) if end > 6)  # beyond the first word
    assert second.score == sum(plain(prepared)[begins:])
    assert first.score == sum(plain(prepared)[:begins])


ALPHABET = st.one_of(
    st.sampled_from([*"  \n\t\u00a0\u200b\u200d\ufe0f\u0301\u093f,.-'\u2019\"«»!ﬁ①Ǆ", "🇩", "🇪", "👩", "🏽", "▁", "Ġ"]),
    st.sampled_from(sorted(set("".join(CORPUS)))),
    st.characters(exclude_categories=["Cs"]),
)
TEXTS = st.one_of(
    st.lists(ALPHABET, max_size=25).map("".join),
    st.lists(st.sampled_from([*" ".join(CORPUS).split(), " ", "  ", "<s>", "</s>"]), max_size=8).map(" ".join),
)


@FAMILY
@settings(max_examples=60, deadline=None)
@given(sentence=TEXTS)
def test_no_score_is_lost_and_no_token_is_cut(family: str, sentence: str) -> None:
    text = kept(family)
    assume(has_tokens(text, sentence))
    prepared = text.prepare_text(sentence, CPU)
    scores = weights(prepared)
    words = described(text, prepared, scores)
    assert sum(word.score for word in words) == sum(s for s, one in zip(scores, plain(prepared), strict=True) if one)
    assert all(sentence[word.start : word.end] == word.text for word in words)
    assert all(left.end <= right.start for left, right in pairwise(words))
    spans = zip(prepared.source.texts[0].encoding.offsets, plain(prepared), strict=True)
    for start, end in (span for span, one in spans if one):
        letters = [index for index in range(start, end) if sentence[index].isalnum()]
        if letters:
            assert any(word.start <= letters[0] <= letters[-1] < word.end for word in words)


@FAMILY
@settings(max_examples=30, deadline=None)
@given(sentence=TEXTS)
def test_the_features_are_the_words(family: str, sentence: str) -> None:
    """One number for each word and each special token, without gaps; the tokens of a number make the word's score."""
    text = kept(family)
    assume(has_tokens(text, sentence))
    prepared = text.prepare_text(sentence, CPU)
    scores = weights(prepared)
    words = described(text, prepared, scores)
    (mask,) = text.feature_mask("words", prepared) or ()
    numbers = mask[0, :, 0].tolist()
    assert sorted(set(numbers)) == list(range(len(words) + plain(prepared).count(False)))
    sums: dict[int, float] = {}
    for number, score, one in zip(numbers, scores, plain(prepared), strict=True):
        if one:
            sums[number] = sums.get(number, 0.0) + score
    assert sorted(sums.values()) == sorted(word.score for word in words)


def weights(prepared: Prepared) -> list[float]:
    """Whole numbers, so that sums are exact."""
    return [float(3**index % 9973 - 5000) for index in range(len(plain(prepared)))]


@FAMILY
def test_a_word_is_taken_away_whole(family: str) -> None:
    """Ablated by words, each word's score is what the output loses without all of its tokens."""
    text = kept(family)
    prepared = text.prepare_text("नमस्ते लव playing 👍🏽", CPU)
    model = FromEmbeddings(Reader(text._tokenizer.get_vocab_size()).double())
    (embedded,), (padded,) = prepared.inputs, text.baseline("pad", prepared)[0]
    mask = text.feature_mask("words", prepared)
    ablated = FeatureAblation(model).attribute(
        (embedded,),
        baselines=(padded,),
        target=1,
        feature_mask=mask,
        additional_forward_args=prepared.additional_forward_args,
    )
    scores = text.on_wire(ablated, shared=True)[0][0].tolist()
    with torch.no_grad():
        full = model(embedded, *prepared.additional_forward_args)[0, 1]
        edges = [word.end for word in described(text, prepared, scores)]
        assert edges == [6, 9, 17, 20]
        for low, high in pairwise([0, *edges]):
            tokens = [
                one and (low < end <= high or (low == 0 == end))
                for one, (_, end) in zip(plain(prepared), prepared.source.texts[0].encoding.offsets, strict=True)
            ]
            without = torch.where(torch.tensor(tokens).view(1, -1, 1), padded, embedded)
            lost = (full - model(without, *prepared.additional_forward_args)[0, 1]).item()
            assert any(tokens)
            assert [score for score, one in zip(scores, tokens, strict=True) if one] == pytest.approx(
                [lost] * sum(tokens), rel=1e-12
            )
