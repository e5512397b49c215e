"""The picture of one example: by the service, or bars where it draws none."""

from __future__ import annotations

from attribution_client.display.words import WORDS
from attribution_client.errors import AttributionError, NotAcceptable
from attribution_client.mlflow.charts import MAX_BARS, bar_chart
from attribution_client.mlflow.failures import Failure
from attribution_client.mlflow.parts import parts_of
from attribution_client.mlflow.record import Record
from attribution_client.result import Result


def log_picture(record: Record, name: str, result: Result, row: int, example: int = 0) -> Failure | None:
    """Logs the picture of one example; `row` is its position in the data. Returns what went wrong."""
    try:
        record.picture(name, picture_of(result, example))
    except AttributionError as error:
        return Failure.of(row, "picture", error)
    return None


def picture_of(result: Result, example: int = 0) -> bytes:
    """An overlay over a picture, coloured words, or bars of a row, as PNG; of tensors the strongest elements as bars.

    Raises:
        AttributionError: the service cannot draw it now; it may have deleted the result.
    """
    try:
        return result.overlay(example=example) if example else result.overlay()
    except NotAcceptable:
        parts = parts_of(result, example)
        places = sorted(parts.strongest(MAX_BARS), key=lambda place: -abs(parts.scores[place]))
        names = [parts.name(place) for place in places]
        scores = [float(parts.scores[place]) for place in places]
        title = f"{result.explanation.model.name}, {result.method['name']}"
        return bar_chart(names, scores, title, WORDS[result.language]["attribution"])
