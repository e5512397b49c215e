"""The punctuation of every sentence for clients, in both languages."""

import pytest

from schemas.sentences import words
from service.http.translation import table
from service.languages import LANGUAGES, Language
from tests.service.http.punctuation import faults
from tests.service.http.test_translation import raised_sentences


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_well_punctuated(language: Language) -> None:
    spanish = table("es")
    sentences = set(spanish.values()) if language == "es" else spanish.keys() | raised_sentences().keys()
    assert {sentence: found for sentence in sentences if (found := faults(sentence))} == {}


def test_a_spanish_question_is_opened() -> None:
    for sentence in table("es").values():
        assert sentence.count("¿") == sentence.count("?"), sentence


def test_a_question_inside_a_sentence_is_found() -> None:
    """`did you mean 'x'?` inside another sentence would stand before its comma or semicolon."""
    question = words("did you mean x?")
    assert "two marks in a row" in faults(f"{question}; known: a, b")
    assert faults(f"{question} known: a, b") == ["a question in the middle"]
    assert faults(f"method: unknown field; {question}") == []
    assert faults(f"method: unknown field; {question} (and 2 more)") == []


@pytest.mark.parametrize(
    "clumsy", ["a ,b", "a,b", "a;; b", "a.: b", "; a", "a:", "a (b", "a  b", "nombre desconocido; ¿a", "a ()"]
)
def test_what_is_clumsy_is_found(clumsy: str) -> None:
    assert faults(clumsy) != []
