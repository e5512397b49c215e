"""Texts and tables as HTML fragments: what they show, and that no name or text becomes markup."""

from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from schemas.errors import InvalidRequest, NotAcceptable
from schemas.results import FeatureScore, ModelRef, Prediction, Provenance, ResultMeta, TextScore, Timing
from service.results.html_fragment import html_fragment
from tests.service.drawing.test_svg_pen import HOSTILE

TAGS = {"div", "p", "span", "table", "tr", "th", "td"}


class Reader(HTMLParser):
    """Collects tags, attributes and text; fails on tags that are not closed in order."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.titles: list[str] = []
        self.text = ""
        self.feed(document)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.titles += [value or "" for name, value in attrs if name == "title"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


def result(**more: Any) -> ResultMeta:
    return ResultMeta(
        id="x",
        model=ModelRef(name="a-model", version="1", digest=""),
        method={"name": "integrated_gradients"},
        target=None,
        predictions=[[Prediction(index=0, score=0.5)]],
        attributions=[],
        timing=Timing(queued_ms=1, prepare_ms=1, run_ms=1, rows=1, passes=1),
        provenance=Provenance(service="", captum="", torch="", device="cpu", dtype="float32", seed=0),
        **more,
    )


def words_of(text: str) -> tuple[ResultMeta, bytes]:
    scores, end = [], 0
    for index, word in enumerate(text.split(" ")):
        start = end
        end = start + len(word)
        scores.append(TextScore(text=word, start=start, end=end, score=(-1) ** index * (index + 1.0)))
        end += 1
    return result(words=[scores]), save({"text": np.frombuffer(text.encode(), dtype=np.uint8)})


def read(meta: ResultMeta, payload: bytes = b"", language: Any = "en") -> Reader:
    reader = Reader(html_fragment(meta, payload, 0, language).decode())
    assert set(reader.tags) <= TAGS
    assert reader.attributes <= {"class", "lang", "style", "title", "dir", "scope"}
    return reader


def test_a_text_is_whole_and_its_words_have_scores() -> None:
    reader = read(*words_of("what a lovely film"))
    assert "what a lovely film" in reader.text
    assert reader.titles == ["+1", "\N{MINUS SIGN}2", "+3", "\N{MINUS SIGN}4"]
    assert "a-model" in reader.text
    assert "Integrated Gradients" in reader.text


def test_words_follow_the_language() -> None:
    spanish = read(*words_of("qué película"), language="es")
    assert "Gradientes integrados" in spanish.text
    assert "aumenta" in spanish.text


def test_a_row_has_its_strongest_columns_first() -> None:
    scores = [0.5, -2.0, 1.0]
    features = [FeatureScore(name=f"c{k}", value=10.0 * k, score=score) for k, score in enumerate(scores)]
    reader = read(result(features=[features]))
    assert reader.tags.count("tr") == 3
    assert reader.text.index("c1") < reader.text.index("c2") < reader.text.index("c0")
    assert "\N{MINUS SIGN}2" in reader.text


def test_many_columns_are_summed_up() -> None:
    features = [FeatureScore(name=f"c{k}", value=0.0, score=1.0 / (k + 1)) for k in range(5_000)]
    document = html_fragment(result(features=[features]), b"", 0, "en")
    assert Reader(document.decode()).tags.count("tr") == 101
    assert b"4900 more" in document
    assert len(document) < 100_000


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_text_becomes_markup(hostile: str) -> None:
    meta, payload = words_of(hostile)
    shown = read(meta, payload).text
    assert not {chr(code) for code in range(32) if code not in (9, 10)} & set(shown)
    read(result(features=[[FeatureScore(name=hostile, value=1.0, score=-1.0)]]))
    read(meta.model_copy(update={"model": ModelRef(name=hostile, version="1", digest="")}), payload)


def test_offsets_that_do_not_fit_are_left_out() -> None:
    scores = [
        TextScore(text="b", start=1, end=99, score=1.0),
        TextScore(text="a", start=0, end=2, score=2.0),
        TextScore(text="c", start=1, end=2, score=3.0),
        TextScore(text="", start=2, end=2, score=4.0),
    ]
    reader = read(result(words=[scores]), save({"text": np.frombuffer(b"abc", dtype=np.uint8)}))
    assert reader.titles == ["+2"]
    assert "abc" in reader.text


def test_what_has_no_fragment() -> None:
    with pytest.raises(NotAcceptable, match="texts and tables"):
        html_fragment(result(), b"", 0, "en")
    with pytest.raises(InvalidRequest):
        html_fragment(result(features=[[]]), b"", 1, "en")
