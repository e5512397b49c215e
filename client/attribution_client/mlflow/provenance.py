"""Where explanations come from, as MLflow's tags."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from attribution_client.explained import Explained

MAX_TAG = 500  # characters; every tracking store takes as many


class Provenance:
    """Collects the provenance of results. Where they differ, a tag lists each value."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, None]] = {}

    def add(self, result: Explained) -> None:
        """Adds one result."""
        for name, value in provenance_of(result).items():
            self._values.setdefault(name, {})[value] = None

    def tags(self) -> dict[str, str]:
        """The tags, without a prefix."""
        return {name: _cut("; ".join(values)) for name, values in self._values.items()}


def provenance_of(result: Explained) -> dict[str, str]:
    """Versions, the model and its digest, the method with all its parameters, and the seed."""
    explanation = result.explanation
    source = explanation.provenance
    found: dict[str, Any] = {
        "service": source.service,
        "captum": source.captum,
        "torch": source.torch,
        "device": source.device,
        "dtype": source.dtype,
        "precision": source.precision.name,
        "seed": source.seed,
        "model": explanation.model.name,
        "model_version": explanation.model.version,
        "model_digest": explanation.model.digest,
        "method": explanation.method.get("name", ""),
        "layer": explanation.layer,
        **{f"method.{name}": value for name, value in explanation.method.items() if name != "name"},
    }
    return {name: _text(value) for name, value in found.items() if value is not None}


def _text(value: Any) -> str:
    """A value as text; a long one, such as a tensor, by its digest."""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    if len(text) <= MAX_TAG:
        return text
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}, {len(text)} characters of JSON"


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TAG else f"{text[: MAX_TAG - 1]}…"
