"""Results of each kind of input, without a service."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from attribution_client.core.explaining import Fetched
from attribution_client.decode import decode
from attribution_client.explained import Explained
from attribution_client.wire.answers import Explanation, Job
from tests.client.core.scripted import job


def document(**fields: Any) -> dict[str, Any]:
    """An `Explanation` document of one example."""
    return {
        "id": "j1",
        "model": {"name": "net", "version": "1", "digest": "sha256:0"},
        "method": {"name": "integrated_gradients", "n_steps": 50, "baseline": "zero"},
        "target": [{"index": 1, "label": "yes"}],
        "predictions": [[{"index": 1, "label": "yes", "score": 0.75}]],
        "attributions": [{"name": "input", "datatype": "FP32", "shape": [1, 2]}],
        "timing": {"queued_ms": 1.0, "prepare_ms": 1.0, "run_ms": 1.0, "rows": 1, "passes": 1},
        "provenance": {"service": "1", "captum": "0", "torch": "2", "device": "cpu", "dtype": "float32", "seed": 0},
        **fields,
    }


def result(arrays: dict[str, NDArray[Any]] | None = None, **fields: Any) -> Explained:
    """A result with these arrays (examples, …) and these fields of the document."""
    arrays = {"input": np.zeros((1, 2), np.float32)} if arrays is None else arrays
    specs = [{"name": name, "datatype": "FP32", "shape": list(array.shape)} for name, array in arrays.items()]
    explanation = decode(Explanation, document(attributions=specs, **fields))
    return Explained(Fetched(decode(Job, job("succeeded")), explanation, arrays, single=True))


def row(**scores: float) -> Explained:
    """A result for a row of a table, whose values are ten times the scores."""
    features = [{"name": name, "value": 10 * score, "score": score} for name, score in scores.items()]
    return result(features=[features])


def text(*words: tuple[str, float]) -> Explained:
    """A result for a text."""
    return result(words=[[{"text": word, "start": 0, "end": len(word), "score": score} for word, score in words]])


def picture(pixels: NDArray[Any]) -> Explained:
    """A result for a picture, from attributions (channels, height, width)."""
    height, width = pixels.shape[-2:]
    seen = {"crop": [0.0, 0.0, float(width), float(height)], "width": width, "height": height}
    return result({"input": pixels[None].astype(np.float32)}, picture=seen)
