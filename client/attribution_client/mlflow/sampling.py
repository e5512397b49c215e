"""Which examples of a data set are explained, and how each is given to the client."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from attribution_client.mlflow.options import refused
from attribution_client.wire.answers import ModelCard


def sampled_rows(count: int, sample: int, seed: int) -> list[int]:
    """Positions of at most `sample` of `count` examples, drawn without replacement, in ascending order."""
    drawn = np.random.default_rng(seed).choice(count, size=min(sample, count), replace=False)
    return sorted(int(row) for row in drawn)


def inputs_of(features: Any, rows: Sequence[int], card: ModelCard, column: str | None) -> list[Any]:
    """The inputs of these rows, as `Client.explain` takes them.

    Args:
        features: of MLflow's data set: a pandas frame, or an array (examples, columns).
        column: of a frame, the one with the pictures, texts or tensors.

    Raises:
        MlflowException: it is not clear which column holds the inputs.
    """
    kind = card.input.kind if card.input else None
    if hasattr(features, "iloc"):
        if kind == "tabular" and column is None:
            return _table_rows(features, rows, card)
        cells = features[_column(list(features.columns), column)]
        return [cells.iloc[row] for row in rows]
    array = np.asarray(features)
    if array.ndim == 2 and array.shape[1] == 1 and kind in {"image", "text"}:
        return [array[row, 0] for row in rows]  # a flat list of paths or texts, as MLflow arranges it
    return [array[row] for row in rows]


def _table_rows(frame: Any, rows: Sequence[int], card: ModelCard) -> list[dict[str, Any]]:
    """Rows as dictionaries, with the model's columns alone if all of them are there."""
    names = [feature.name for feature in (card.input.features if card.input else None) or []]
    known = frame[names] if names and set(names) <= set(frame.columns) else frame
    return [known.iloc[row].to_dict() for row in rows]


def _column(columns: list[Any], column: str | None) -> Any:
    if column is not None:
        if column not in columns:
            raise refused(f"input_column: the data has no column {column!r}; it has {_listed(columns)}")
        return column
    if len(columns) != 1:
        raise refused(f"input_column: say which column holds the inputs; the data has {_listed(columns)}")
    return columns[0]


def _listed(columns: list[Any]) -> str:
    return ", ".join(repr(column) for column in columns[:20]) + (", …" if len(columns) > 20 else "")
