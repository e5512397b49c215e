"""What is known of the examples explained so far: small whatever the size of their attributions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attribution_client.display.words import class_name
from attribution_client.explained import Explained
from attribution_client.mlflow.failures import Failure
from attribution_client.mlflow.importances import Importances
from attribution_client.mlflow.measures import Measures
from attribution_client.mlflow.parts import parts_of
from attribution_client.mlflow.provenance import Provenance

MAX_PARTS = 200  # of one example in the table; the strongest
MAX_TABLE_ROWS = 100_000


class Findings:
    """Collects results and failures. No result is kept."""

    def __init__(self, sample: int) -> None:
        self.explained = 0
        self.failures: list[Failure] = []
        self.table: list[dict[str, Any]] = []
        self.importances = Importances()
        self.measures = Measures()
        self.provenance = Provenance()
        self._most = max(1, min(MAX_PARTS, MAX_TABLE_ROWS // max(1, sample)))

    def add(self, row: int, label: Any, result: Explained) -> None:
        """Adds the result of one example. `label` is what the data set says of it; None if nothing."""
        self.explained += 1
        self.table += table_rows(result, 0, row, label, self._most)
        self.importances.add(parts_of(result))
        self.measures.add(result)
        self.provenance.add(result)

    def metrics(self) -> dict[str, float]:
        """The metrics, without a prefix."""
        failed = sum(one.stage == "explain" for one in self.failures)
        return {"examples": float(self.explained), "failed_examples": float(failed), **self.measures.summary()}


def table_rows(
    result: Explained, example: int, row: int, label: Any, most: int = MAX_PARTS
) -> Iterator[dict[str, Any]]:
    """Rows of the table of attributions: one for each of the strongest parts of one example."""
    parts = parts_of(result, example)
    target = result.target[example] if result.target else None
    best = next(iter(result.predictions[example]), None) if example < len(result.predictions) else None
    head = {
        "example": row,
        "label": label,
        "prediction": (best.label or str(best.index)) if best else None,
        "score": best.score if best else None,
        "target": class_name(target) if target else None,
    }
    for place in parts.strongest(most):
        yield {
            **head,
            "kind": parts.kind,
            "part": parts.name(place),
            "value": parts.values[place] if parts.values is not None else None,
            "attribution": float(parts.scores[place]),
            "job": result.id,
        }
