"""Tables, bars and words in a terminal."""

from io import StringIO

import pytest
from rich.console import Console, RenderableType

from attribution_client.wire.answers import FeatureScore, Prediction, TextScore
from cli.client.score_bars import HALF_WIDTH, signed_bar, tint
from cli.client.terminal import feature_table, prediction_line, sentence, word_table


def shown(what: RenderableType) -> str:
    console = Console(file=StringIO(), width=100, color_system=None)
    console.print(what)
    written: str = console.file.getvalue()  # type: ignore[attr-defined]
    return written


@pytest.mark.parametrize(("score", "left", "right"), [(2.0, 0, 2 * HALF_WIDTH), (-2.0, 2 * HALF_WIDTH, 0), (0.0, 0, 0)])
def test_a_bar_grows_from_the_axis(score: float, left: int, right: int) -> None:
    before, _, after = signed_bar(score, 2.0).plain.partition("│")
    assert len(before) == len(after) == HALF_WIDTH
    assert 2 * before.count("█") + before.count("▐") == left
    assert 2 * after.count("█") + after.count("▌") == right


def test_half_a_character_is_drawn() -> None:
    assert "▌" in signed_bar(1.0 / (2 * HALF_WIDTH), 1.0).plain
    assert "▐│" in signed_bar(-1.0 / (2 * HALF_WIDTH), 1.0).plain


def test_all_zero_scores_draw_nothing() -> None:
    assert signed_bar(0.0, 0.0).plain.strip() == "│"
    assert tint(0.0, 0.0).bgcolor is None


def test_a_stronger_word_has_a_fuller_colour() -> None:
    strong, weak = tint(1.0, 1.0).bgcolor, tint(0.3, 1.0).bgcolor
    assert strong is not None
    assert weak is not None
    assert strong.triplet is not None
    assert weak.triplet is not None
    assert strong.triplet.blue < weak.triplet.blue
    assert tint(0.01, 1.0).bgcolor is None


def test_words_are_coloured_where_they_stand() -> None:
    text = "one\ttwo\rbad"  # a carriage return would move the cursor, and is one character all the same
    words = [TextScore(text="bad", start=8, end=11, score=-1.0)]
    coloured = sentence(text, words)
    assert coloured.plain == "one two bad"
    assert [(span.start, span.end) for span in coloured.spans if span.style] == [(8, 11)]


def test_a_table_of_words_keeps_the_order_of_the_text() -> None:
    words = [TextScore(text=word, start=0, end=1, score=score) for word, score in [("a", 0.5), ("b", 0.1), ("c", -2.0)]]
    table = shown(word_table(words, top=2))
    assert table.index("a ") < table.index("c ")
    assert "and 1 weaker" in table
    assert "-2.000" in table


def test_a_table_of_features_begins_with_the_strongest() -> None:
    features = [
        FeatureScore(name=name, value=3.5, score=score) for name, score in [("weak", 1e-6), ("[strong]", -4e-5)]
    ]
    table = shown(feature_table(features, top=5))
    assert table.index("[strong]") < table.index("weak")
    assert "-0.00004000" in table
    assert "3.5" in table


def test_predictions() -> None:
    likely, next_one = Prediction(index=1, label="cat", score=0.76), Prediction(index=2, score=0.2)
    assert prediction_line([likely, next_one], "classification").plain == "cat 76.0%   2 20.0%"
    assert prediction_line([Prediction(index=0, score=3.25)], "regression").plain == "output 0 3.25"
