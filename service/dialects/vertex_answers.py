"""Answers of Vertex AI's dialect, and examples of its requests and answers."""

import base64
import io
from typing import Any

from PIL import Image

from schemas.errors import InvalidRequest
from service.dialects.call import Call
from service.dialects.described_result import words_of
from service.dialects.instances import Instance
from service.dialects.numbers import Numbers
from service.dialects.running import Explained
from service.http.asked_language import asked_language
from service.openapi.examples import NUCLEI, TINY_PNG
from service.results.draw_overlay import OverlayQuery
from service.results.representation import overlay_png
from service.tuning import MAX_DIALECT_PICTURE_PIXELS

JPEG_QUALITY = 90
REQUESTS: dict[str, Any] = {
    "table_row": {
        "summary": "A row with 20 steps and both classes, for breast-cancer-mlp",
        "value": {
            "instances": [NUCLEI],
            "explanationSpecOverride": {
                "parameters": {"topK": 2, "integratedGradientsAttribution": {"stepCount": 20}},
                "metadata": {"inputs": {"mean radius": {"inputBaselines": [12.0]}}},
            },
        },
    },
    "picture": {
        "summary": "A picture, answered by a drawing, for efficientnet-lite0",
        "value": {
            "instances": [{"b64": TINY_PNG}],
            "explanationSpecOverride": {
                "parameters": {"integratedGradientsAttribution": {"stepCount": 10}},
                "metadata": {
                    "inputs": {"image": {"visualization": {"polarity": "POSITIVE", "overlayType": "ORIGINAL"}}}
                },
            },
        },
    },
}
ANSWER: dict[str, Any] = {
    "explanations": [
        {
            "attributions": [
                {
                    "baselineOutputValue": 0.1,
                    "instanceOutputValue": 1.1,
                    "featureAttributions": {"age": 1.25, "income": -0.249},
                    "outputIndex": [1],
                    "outputDisplayName": "yes",
                    "approximationError": 0.001,
                    "outputName": "output",
                }
            ]
        }
    ],
    "deployedModelId": "1",
    "predictions": [[{"index": 1, "label": "yes", "score": 0.75}]],
}
ENDPOINT: dict[str, Any] = {
    "name": "projects/p/locations/l/endpoints/tiny-table",
    "displayName": "tiny-table",
    "deployedModels": [{"id": "1", "model": "tiny-table", "displayName": "tiny-table"}],
}


def attribution(one: Explained, instance: Instance, numbers: Numbers, picture: str | None) -> dict[str, Any]:
    """One attribution of an instance. Values that the method does not give are left out."""
    target = one.meta.target[one.example] if one.meta.target else None
    said: dict[str, Any] = {
        "featureAttributions": _features(one, numbers) if picture is None else {"image": {"b64_jpeg": picture}},
        "outputIndex": [] if target is None else [target.index, *(target.position or [])],
        "outputDisplayName": (target.label or "") if target else "",
        "outputName": "output",
    }
    metric = one.meta.quality.completeness[one.example] if one.meta.quality and one.meta.quality.completeness else None
    if metric is not None:
        said["approximationError"] = metric.relative_error
        if metric.output is not None:
            said["instanceOutputValue"] = metric.output
            said["baselineOutputValue"] = metric.output - metric.outputs_difference
    return said


def _features(one: Explained, numbers: Numbers) -> dict[str, Any]:
    """By the name of a column or of a tensor; a text's words with their importances."""
    if one.meta.features is not None:
        return {column.name: column.score for column in one.meta.features[one.example]}
    words = words_of(one)
    if words is not None:
        return {"words": words["words"], "importances": words["importances"]}
    return {spec.name: numbers.of_example(one, spec.name) for spec in one.meta.attributions}


async def drawn(call: Call, one: Explained, options: OverlayQuery) -> str:
    """The overlay of an example as a JPEG in base64.

    Raises:
        InvalidRequest: the model was given a tensor, and has seen no picture.
        Unavailable: other pictures hold the memory for too long.
    """
    if one.meta.picture is None:
        raise InvalidRequest.at(["explanationSpecOverride", "metadata", "inputs"], "only pictures are drawn")
    side = min(MAX_DIALECT_PICTURE_PIXELS, max(64, *one.meta.attributions[0].shape[-2:]))
    query = options.model_copy(update={"example": one.example, "size": side})
    png = await overlay_png(call.gateway, one.job_id, one.opened, query, asked_language())
    return await call.gateway.compute(_jpeg, png)


def _jpeg(png: bytes) -> str:
    file = io.BytesIO()
    with Image.open(io.BytesIO(png)) as picture:
        picture.convert("RGB").save(file, "JPEG", quality=JPEG_QUALITY)
    return base64.b64encode(file.getvalue()).decode("ascii")
