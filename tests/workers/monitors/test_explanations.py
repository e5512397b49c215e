"""Results as monitors see them: what is reduced to what, and that it is bounded."""

from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from schemas.jobs import ClassRef
from schemas.limits import MAX_WATCHED_FEATURES
from schemas.results import Prediction, TextScore
from schemas.tensors import TensorSpec
from tests.workers.monitors.streams import COLUMNS, meta, text_meta
from workers.monitors.explanations import NO_CLASS, Explanation, explanations
from workers.monitors.reference import OTHER_WORDS, make_reference
from workers.monitors.tuning import BLOCKS, GRID, MAX_OBSERVED_WORDS, MAX_REFERENCE_WORDS, MAX_WORD_CHARS


def of_arrays(*arrays: np.ndarray[Any, Any]) -> list[Explanation]:
    named = {f"input.{index}": array for index, array in enumerate(arrays)}
    specs = [TensorSpec(name=name, datatype="FP32", shape=list(array.shape)) for name, array in named.items()]
    predictions = [[Prediction(index=0, score=0.5)]] * len(arrays[0])
    return explanations(meta(features=None, attributions=specs, predictions=predictions), save(named))


def test_a_row_is_its_columns_with_their_sign() -> None:
    (one,) = explanations(meta(np.arange(8) - 4.0, score=0.25, target=1), b"")
    assert (one.kind, one.names, one.target, one.label, one.score) == ("columns", tuple(COLUMNS), 1, "yes", 0.25)
    assert one.values.tolist() == [-4, -3, -2, -1, 0, 1, 2, 3]


def test_a_map_is_the_mean_magnitude_of_each_cell_over_channels() -> None:
    maps = np.zeros((2, 3, 14, 21), np.float32)
    maps[1, :, 2, 20] = [1.0, 1.0, -8.0]  # row 2 of the cells, their last column; a cell has 2 x 3 pixels
    first, second = of_arrays(maps)
    assert first.kind == "cells"
    assert not first.values.any()
    expected = np.zeros(GRID * GRID)
    expected[1 * GRID + 6] = 1.0
    np.testing.assert_allclose(second.values, expected)


@pytest.mark.parametrize(
    ("shape", "kind", "features"),
    [
        ((1, 4), "units", 4),
        ((1, 2, 64), "units", MAX_WATCHED_FEATURES),
        ((1, 129), "cells", BLOCKS),
        ((1, 5, 3, 2), "cells", 6),
        ((1, 1, 224, 224), "cells", GRID * GRID),
        ((1, 16, 1, 1), "units", 16),
        ((1, 1_000_000), "cells", BLOCKS),
    ],
)
def test_other_attributions_are_bounded(shape: tuple[int, ...], kind: str, features: int) -> None:
    (one,) = of_arrays(np.ones(shape, np.float32))
    assert (one.kind, len(one.values)) == (kind, features)
    np.testing.assert_allclose(np.abs(one.values).min(), 5 if shape[1:] == (5, 3, 2) else 1)


def test_several_tensors_are_one_explanation_and_tensors_without_examples_none() -> None:
    (one,) = of_arrays(np.ones((1, 3), np.float32), np.full((1, 2), 2.0, np.float32))
    assert one.values.tolist() == [1, 1, 1, 2, 2]
    assert of_arrays(np.ones((1, 3), np.float32), np.ones((7, 2), np.float32)) == []


def test_the_heaviest_words_of_a_text_are_kept_cut_and_without_case() -> None:
    words = {f"word{number}": float(number) for number in range(40)} | {"A" * 99: -50.0}
    (one,) = explanations(text_meta(words), b"")
    assert one.kind == "words"
    assert len(one.words) == MAX_OBSERVED_WORDS
    assert next(iter(one.words.items())) == ("a" * MAX_WORD_CHARS, 50.0)
    assert sum(one.words.values()) + one.other_words == sum(range(40)) + 50


def test_repeats_of_a_word_add_up() -> None:
    scores = [TextScore(text=text, start=0, end=1, score=score) for text, score in (("Good", 1.0), ("good", -2.0))]
    (one,) = explanations(meta(features=None, words=[scores]), b"")
    assert one.words == {"good": 3.0}


def test_the_class_and_its_score() -> None:
    predictions = [[Prediction(index=3, score=0.9), Prediction(index=1, score=0.1)]]
    (known,) = explanations(meta(np.ones(8), predictions=predictions, target=1), b"")
    assert (known.target, known.score) == (1, 0.1)
    (given,) = explanations(meta(np.ones(8), predictions=predictions, target=7), b"", [0.01])
    assert (given.target, given.score) == (7, 0.01)
    unknown = meta(np.ones(8), predictions=predictions).model_copy(update={"target": [ClassRef(index=7)]})
    assert explanations(unknown, b"")[0].score is None
    (scalar,) = explanations(unknown.model_copy(update={"target": None}), b"")
    assert (scalar.target, scalar.score) == (NO_CLASS, 0.9)


@pytest.mark.parametrize(
    "one",
    [
        Explanation("cells", np.array([1.5, -2.0], np.float32), 4, "cat", 0.5),
        Explanation("words", np.empty(0, np.float32), words={"café\n": 1.5}, other_words=0.25),
    ],
)
def test_what_is_packed_comes_back(one: Explanation) -> None:
    back = Explanation.unpacked(one.packed())
    assert back._replace(values=one.values) == one
    np.testing.assert_array_equal(back.values, one.values)


def test_words_of_the_reference_are_those_of_several_texts() -> None:
    texts = [{"good": 1.0, f"name{number}": 100.0} for number in range(50)]
    made = make_reference([explanations(text_meta(words), b"")[0] for words in texts], None)
    assert made is not None
    assert made.reference.names == ["good", OTHER_WORDS]
    assert made.reference.means == [1.0, 100.0]
    many = [{f"word{number}": 1.0 + number for number in range(12 * k, 12 * k + 24)} for k in range(10)] * 3
    made = make_reference([explanations(text_meta(words), b"")[0] for words in many], None)
    assert made is not None
    assert len(made.reference.names) == MAX_REFERENCE_WORDS + 1


def test_a_reference_is_of_the_most_frequent_form() -> None:
    rows = [explanations(meta(np.full(8, 1.0)), b"")[0]] * 3
    made = make_reference([*rows, *of_arrays(np.ones((1, 4), np.float32))], COLUMNS)
    assert made is not None
    assert (made.reference.count, made.skipped, made.reference.names) == (3, 1, COLUMNS)
    assert make_reference([], None) is None
    assert make_reference([Explanation("units", np.array([np.nan], np.float32))], None) is None


@pytest.mark.parametrize("value", [0.0, 2.5, -1e-3])
def test_a_constant_has_a_bin_of_its_own_that_rounding_does_not_leave(value: float) -> None:
    given = [Explanation("units", np.array([value, 5.0 + k], np.float32)) for k in range(20)]
    made = make_reference(given, None)
    assert made is not None
    histogram = made.reference.histograms[0]
    near = np.array([value - 1e-7, value, value + 1e-7])
    assert set(histogram.places(near)) == {1}
    assert histogram.counts == [0, 20, 0]
    assert histogram.places(np.array([value - 1, value + 1])).tolist() == [0, 2]
