"""Similarity of attributions."""

import numpy as np
import pytest

from workers.evaluation.similarity import map_similarity, rank_correlation


def test_similarity_where_there_is_nothing_to_compare() -> None:
    line = np.arange(4.0)
    assert rank_correlation(line, -line) == pytest.approx(-1)
    assert rank_correlation(line, np.ones(4)) is None
    assert rank_correlation(line, np.array([0, 1, np.nan, 2])) is None
    assert map_similarity(np.ones((9, 9)), np.zeros((9, 9))) is None
    assert map_similarity(np.ones((2, 2)), np.ones((2, 2))) is None
    assert map_similarity(np.eye(4), np.eye(4)) == pytest.approx(1)
