"""Answers of the Open Inference Protocol's dialect."""

from collections.abc import Sequence
from typing import Any

import orjson
from fastapi import Response

from schemas.dialects import V2Model, V2TensorMetadata
from schemas.methods import METHODS
from schemas.models import InputCard, ModelCard
from service.dialects.call import Call
from service.dialects.described_result import delta_of, predictions_of, target_of, words_of
from service.dialects.numbers import Numbers, document_response
from service.dialects.running import Explained, headers_of
from service.http.asked_language import asked_language
from service.http.translation import warnings_in_language
from service.release import RELEASE


async def infer_answer(call: Call, name: str, own_id: str | None, found: Sequence[Explained]) -> Response:
    """One BYTES output `explanation`, the JSON text of an Alibi explanation: `meta`, and `data` with a list of
    attributions for each input tensor."""
    numbers = Numbers()
    document = {"meta": _meta(found[0]), "data": _data(found, numbers)}
    output = {
        "name": "explanation",
        "datatype": "BYTES",
        "shape": [1, 1],
        "parameters": {"content_type": "str"},
        "data": [orjson.dumps(document).decode()],
    }
    return await document_response(
        call.gateway, _answer(call, name, own_id, found, output), numbers, headers_of(call, found)
    )


async def explain_answer(call: Call, name: str, own_id: str | None, found: Sequence[Explained]) -> Response:
    """One output `explain` for each attribution tensor: its numbers, or of texts their words as JSON text."""
    numbers = Numbers()
    words = [words_of(one) for one in found]
    if words[0] is not None:
        texts = [orjson.dumps(one).decode() for one in words]
        outputs = [{"name": "explain", "datatype": "BYTES", "shape": [len(texts)], "data": texts}]
    else:
        specs = found[0].meta.attributions
        outputs = [
            {
                "name": "explain" if len(specs) == 1 else f"explain.{spec.name}",
                "datatype": spec.datatype,
                "shape": [len(found), *spec.shape[1:]],
                "data": [numbers.of_example(one, spec.name) for one in found],
            }
            for spec in specs
        ]
    return await document_response(
        call.gateway, _answer(call, name, own_id, found, *outputs), numbers, headers_of(call, found)
    )


def _answer(
    call: Call, name: str, own_id: str | None, found: Sequence[Explained], *outputs: dict[str, Any]
) -> dict[str, Any]:
    first = found[0]
    return {
        "id": own_id or first.job_id,
        "model_name": name,
        "model_version": first.meta.model.version,
        "parameters": {"job": call.job_path(first.job_id)},
        "outputs": list(outputs),
    }


def _meta(one: Explained) -> dict[str, Any]:
    method = dict(one.meta.method)
    name = str(method.pop("name", ""))
    known = METHODS.get(name)  # a worker of a later version may know more methods
    return {
        "name": known.__name__ if known else name,
        "type": ["whitebox" if known and known.gradients else "blackbox"],
        "explanations": ["local"],
        "params": method,
        "version": RELEASE,
    }


def _data(found: Sequence[Explained], numbers: Numbers) -> dict[str, Any]:
    names = [spec.name for spec in found[0].meta.attributions]
    deltas = [delta_of(one) for one in found]
    data: dict[str, Any] = {
        "attributions": [[numbers.of_example(one, name) for one in found] for name in names],
        "predictions": [predictions_of(one) for one in found],
        "target": [target_of(one) for one in found],
        "deltas": None if None in deltas else deltas,
        "warnings": list(
            dict.fromkeys(warning for one in found for warning in warnings_in_language(one.meta, asked_language()))
        ),
    }
    if found[0].meta.words is not None:
        data["words"] = [[word.model_dump() for word in (one.meta.words or [])[one.example]] for one in found]
    if found[0].meta.features is not None:
        data["feature_names"] = [column.name for column in found[0].meta.features[found[0].example]]
        data["features"] = [[c.model_dump() for c in (one.meta.features or [])[one.example]] for one in found]
    return data


def model_document(card: ModelCard, name: str) -> V2Model:
    """The metadata of a model: what it takes, and what `infer` gives."""
    output = V2TensorMetadata(name="explanation", datatype="BYTES", shape=[1, 1])
    inputs = _inputs(card.input) if card.input else []
    return V2Model(name=name, versions=[card.version], platform="captum", inputs=inputs, outputs=[output])


def _inputs(card: InputCard) -> list[V2TensorMetadata]:
    if card.kind in ("image", "text"):
        return [V2TensorMetadata(name="input", datatype="BYTES", shape=[-1])]
    if card.kind == "tabular":
        return [V2TensorMetadata(name="input", datatype="FP64", shape=[-1, len(card.features or [])])]
    names = [f"input.{index}" for index in range(len(card.shapes))] if len(card.shapes) > 1 else ["input"]
    return [
        V2TensorMetadata(name=name, datatype=card.datatype, shape=[-1, *shape])
        for name, shape in zip(names, card.shapes, strict=True)
    ]
