"""Which examples are explained, and how they are given."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

from attribution_client.mlflow.sampling import inputs_of, sampled_rows
from tests.client.cards import IMAGE, TABLE, TENSOR, TEXT


def test_a_sample_is_drawn_once_each_and_in_order() -> None:
    rows = sampled_rows(100, 10, 0)
    assert len(set(rows)) == 10
    assert rows == sorted(rows)
    assert set(rows) < set(range(100))
    assert rows == sampled_rows(100, 10, 0)
    assert rows != sampled_rows(100, 10, 1)


def test_fewer_examples_than_the_sample_are_all_taken() -> None:
    assert sampled_rows(3, 10, 0) == [0, 1, 2]
    assert sampled_rows(0, 10, 0) == []


def test_rows_of_a_frame_have_the_models_columns_alone() -> None:
    frame = pd.DataFrame({"id": [7, 8], "age": [1.0, 2.0], "income": [3.0, 4.0]}, index=["x", "y"])
    assert inputs_of(frame, [1], TABLE, None) == [{"age": 2.0, "income": 4.0}]


def test_where_a_column_is_missing_the_service_may_say_so() -> None:
    frame = pd.DataFrame({"age": [1.0], "incom": [3.0]})
    assert inputs_of(frame, [0], TABLE, None) == [{"age": 1.0, "incom": 3.0}]


def test_the_column_of_texts() -> None:
    only = pd.DataFrame({"text": ["a", "b", "c"]})
    assert inputs_of(only, [0, 2], TEXT, None) == ["a", "c"]
    several = pd.DataFrame({"text": ["a"], "other": ["b"]})
    assert inputs_of(several, [0], TEXT, "other") == ["b"]
    with pytest.raises(MlflowException, match="say which column holds the inputs; the data has 'text', 'other'"):
        inputs_of(several, [0], TEXT, None)
    with pytest.raises(MlflowException, match="no column 'texts'"):
        inputs_of(several, [0], TEXT, "texts")


def test_rows_of_dictionaries_in_one_column() -> None:
    cells: list[Any] = [{"age": 1.0, "income": 2.0}]
    assert inputs_of(pd.DataFrame({"row": cells}), [0], TABLE, "row") == cells


def test_arrays() -> None:
    table = np.arange(6.0).reshape(3, 2)
    assert [one.tolist() for one in inputs_of(table, [0, 2], TABLE, None)] == [[0.0, 1.0], [4.0, 5.0]]
    paths = np.array([["a.jpg"], ["b.jpg"]])  # as MLflow arranges a flat list
    assert inputs_of(paths, [1], IMAGE, None) == ["b.jpg"]
    assert inputs_of(np.ones((2, 1)), [0], TENSOR, None)[0].tolist() == [1.0]
