"""What a checked request relies on of its model's card, so that a later card can be compared with it. Pure.

Each part is a digest of those facts of the card by which the request was checked and its input converted. Equal digests
mean that the request would be checked and converted the same way again. Facts that only the result depends on, such as
weights or means of features, are left out.
"""

import hashlib
from typing import Any, Literal, get_args

import orjson

from schemas.jobs import PREDICTED, JobSpec
from schemas.models import InputCard, ModelCard, OutputCard

Part = Literal["input", "target", "layer", "baseline"]
PARTS: tuple[Part, ...] = get_args(Part)
DIGEST_CHARS = 16  # hexadecimal: 64 bits, against chance; nobody gains by a collision


def requirements(card: ModelCard, spec: JobSpec) -> dict[Part, str]:
    """The digest of each part of the card that the job relies on. A part that it does not name is absent."""
    facts: dict[Part, Any] = {"input": _input(card.input, spec), "target": _target(card.output, spec)}
    layer, baseline = spec.method.get("layer"), spec.method.get("baseline")
    if isinstance(layer, str):
        facts["layer"] = [one.model_dump(mode="json") for one in card.layers if one.name == layer]
    if isinstance(baseline, str):
        facts["baseline"] = baseline in card.baselines
    return {part: _digest(fact) for part, fact in facts.items()}


def _input(given: InputCard | None, spec: JobSpec) -> Any:
    if given is None:
        return None
    match spec.input_kind:
        case "text":  # made into tokens by the worker
            return given.kind
        case "features":
            return [given.kind, [(one.name, one.unit) for one in given.features or ()]]
        case "image":
            preparation = given.preprocessing and given.preprocessing.model_dump(mode="json")
            return [given.kind, given.shapes, preparation]
        case _:
            return [given.shapes, given.datatype, given.vocabularies]


def _target(output: OutputCard | None, spec: JobSpec) -> Any:
    if output is None:
        return None
    return [len(output.shape), [_named(one, output) for one in spec.target or ()]]


def _named(target: int | list[int], output: OutputCard) -> Any:
    """A target with the name of its class, and whether there is such an output."""
    index, position = (target, []) if isinstance(target, int) else (target[0], target[1:])
    if index == PREDICTED:
        label, is_there = None, True
    else:
        is_there = index < output.size
        label = output.labels[index] if output.labels and index < len(output.labels) else None
    is_inside = all(at < size for at, size in zip(position, output.shape[1:], strict=False))
    return [label, is_there and is_inside]


def _digest(fact: Any) -> str:
    return hashlib.sha256(orjson.dumps(fact, option=orjson.OPT_SORT_KEYS)).hexdigest()[:DIGEST_CHARS]
