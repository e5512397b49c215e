"""Stacks of errors hold types and frames, but no message."""

import pytest

from workers.engine.error_trace import causes, frames, without_data
from workers.engine.tuning import MAX_LOGGED_FRAMES


def caught(depth: int = 0) -> BaseException:
    def fail(more: int) -> None:
        if more:
            fail(more - 1)
        try:
            raise KeyError("inner secret")
        except KeyError as error:
            raise ValueError("outer secret") from error

    with pytest.raises(ValueError, match="outer") as found:
        fail(depth)
    return found.value


def test_types_and_frames_of_all_causes_but_no_message() -> None:
    text = without_data(caught())
    assert text.index("KeyError") < text.index("which led to") < text.index("ValueError")
    assert "in fail" in text
    assert "ValueError: " not in text


def test_long_stacks_are_cut_in_the_middle() -> None:
    depth = 5 * MAX_LOGGED_FRAMES
    (cut,) = [line for line in frames(caught(depth)) if "more frames" in line]
    assert depth - 2 * MAX_LOGGED_FRAMES <= int(cut.split()[1]) <= depth
    assert not any("more frames" in line for line in frames(caught()))


def test_frames_may_begin_in_a_folder() -> None:
    error = caught()
    assert len(frames(error, below=__file__)) <= len(frames(error))
    assert __file__ in frames(error, below=__file__)[0]


def test_causes_of_a_cycle_end() -> None:
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    assert list(causes(first)) == [first, second]
