"""Words and numbers for people, in English and Spanish."""

from __future__ import annotations

from typing import Literal

from attribution_client.wire.answers import ClassRef, ModelCard, Prediction

Language = Literal["en", "es"]
WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "prediction": "prediction",
        "explained": "explained",
        "method": "method",
        "model": "model",
        "missed": "completeness error",
        "warning": "warning",
        "shape": "shape",
        "no_picture": "no picture",
        "agreement": "agreement (rank correlation)",
        "undefined": "undefined",
        "attribution": "attribution",
        "importance": "mean absolute attribution",
        "examples": "examples",
        "row": "row",
        "column": "column",
    },
    "es": {
        "prediction": "predicción",
        "explained": "explicado",
        "method": "método",
        "model": "modelo",
        "missed": "error de completitud",
        "warning": "aviso",
        "shape": "forma",
        "no_picture": "sin imagen",
        "agreement": "acuerdo (correlación de rangos)",
        "undefined": "sin definir",
        "attribution": "atribución",
        "importance": "atribución absoluta media",
        "examples": "ejemplos",
        "row": "fila",
        "column": "columna",
    },
}


def language_of(header: str) -> Language:
    """The language in which results show themselves, from what the client sends as `Accept-Language`."""
    return "es" if header.strip().lower().startswith("es") else "en"


def class_name(reference: ClassRef) -> str:
    """`Egyptian cat`, or `road (40, 12)` for an output of several dimensions."""
    name = reference.label or str(reference.index)
    return f"{name} ({', '.join(map(str, reference.position))})" if reference.position else name


def score_text(prediction: Prediction, card: ModelCard | None) -> str:
    """A probability in percent; the value itself for a regression, or where the kind of the output is not known."""
    kind = card.output.kind if card and card.output else None
    return f"{prediction.score:.4g}" if kind in {"regression", None} else percent(prediction.score)


def percent(share: float) -> str:
    """A share with three significant digits, in percent."""
    return f"{100 * share:.3g} %"
