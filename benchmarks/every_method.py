"""One small request for every method that a model's card offers: few steps, few samples, few features."""

import json
import math
from base64 import b64encode
from pathlib import Path
from typing import Any

from schemas.methods import METHODS

ROOT = Path(__file__).parents[1]
Body = dict[str, Any]
SEED = 7
SMALL: Body = {"n_steps": 20, "n_samples": 12, "nt_samples": 4}
NOISE = {"smooth_grad", "gradient_shap"}  # with noise on the input, in addition to random baselines
STDEV = 0.2
ORDERED = "shapley_values"  # every coalition of the features: only three of them
PERMUTED = {"feature_permutation", "layer_feature_permutation"}  # exchange features between several examples
ROWS = 3


def requests(card: Body, unit: list[int]) -> dict[str, Body]:
    """Bodies of `POST /explain` by method, for the methods that the card of a picture's or table's model supports.

    Args:
        unit: of the default layer, one index per dimension, that neuron methods explain.
    """
    supported = [method["name"] for method in card["methods"] if method["supported"]]
    return {name: request(card, name, unit) for name in supported}


def request(card: Body, name: str, unit: list[int]) -> Body:
    """The body for one method."""
    given = _several(card) if name in PERMUTED else _sample(card)
    return {"model": card["name"], "input": given, "method": _method(card, name, unit), "seed": SEED}


def _method(card: Body, name: str, unit: list[int]) -> Body:
    known = METHODS[name].model_fields
    shape = card["input"]["shapes"][0]
    layer = next(one for one in card["layers"] if one["name"] == card["defaults"]["layer"])
    method: Body = {"name": name, **{field: value for field, value in SMALL.items() if field in known}}
    if name in NOISE:
        method["stdevs"] = STDEV
    if name == "smooth_grad":
        del method["n_steps"]  # of Integrated Gradients, if that is what gets the noise
    if "neuron_selector" in known:
        method["neuron_selector"] = unit
    if name == "occlusion":
        method["sliding_window_shapes"] = method["strides"] = [shape[0], *(size // 4 for size in shape[1:])]
        if len(shape) == 1:
            method["sliding_window_shapes"] = method["strides"] = [3]
    if "feature_mask" in known:
        picture = len(shape) == 3
        few = 3 if name == ORDERED else 6
        method["feature_mask"] = {"grid": [few // 3, 3]} if picture else _mask(shape, few)
    if "layer_mask" in known:
        method["layer_mask"] = _mask(layer["output_shape"], 4)
    return method


def _mask(shape: list[int], features: int) -> Body:
    """Runs of equal length are a feature each."""
    count = math.prod(shape)
    ids = [features * index // count for index in range(count)]
    return {"tensor": {"datatype": "INT64", "shape": [1, *shape], "data": ids}}


def _sample(card: Body) -> Body:
    """What ships with the model."""
    if card["input"]["kind"] == "tabular":
        return {"features": _row()}
    picture = (ROOT / "models" / card["name"] / "chelsea.jpg").read_bytes()
    return {"image": b64encode(picture).decode()}


def _several(card: Body) -> Body:
    """Rows of a table, or tensors that are no picture of anything."""
    if card["input"]["kind"] == "tabular":
        return {"features": [{key: value * (1 + k / 10) for key, value in _row().items()} for k in range(ROWS)]}
    shape = [ROWS, *card["input"]["shapes"][0]]
    return {"tensor": {"shape": shape, "data": [((k * 7919) % 1000) / 500 - 1 for k in range(math.prod(shape))]}}


def _row() -> dict[str, float]:
    row: dict[str, float] = json.loads((ROOT / "models" / "breast-cancer-mlp" / "sample.json").read_text())
    return row
