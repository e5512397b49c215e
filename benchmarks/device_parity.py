"""`python -m benchmarks.device_parity`: compares a GPU's results with the CPU's. Every method, one request, one seed.

A service with a CPU worker and a service with a worker on the device run the same requests, one after the other. The
report lists relative L2 differences, and completeness errors where a method has them. It also lists the error of
float32 input gradients against float64 on both devices, which shows how much of a difference is float32's own: an
activation within rounding of a ReLU's bend passes or not by chance.
"""

import argparse
import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import torch

from attribution_client import Client
from attribution_client.errors import ServiceError
from benchmarks.ceiling import MODEL, ROOT, TABLE
from benchmarks.every_method import Body, request, requests
from benchmarks.machine import device, machine
from benchmarks.processes import service
from workers.engine.device.gate import DeviceGate
from workers.models.pipeline import load_model
from workers.models.resident import Device
from workers.transform.optimize.reduced_precision import gradient_error

LOADING = ("leaner", "layouts measured", "batch tuned", "runs alone", "rewritten for hooks", "model loaded")
ROWS = 16  # of a pass of the gradients that are compared with float64


def measure(models: tuple[str, ...] = (TABLE, MODEL)) -> Body:
    """Both workers' answers, compared: `gradient_error`, `cards` and `loading` by device, `methods` by model."""
    devices = {"cpu": torch.device("cpu"), "device": device()}
    told = {name: _answers(models, str(place)) for name, place in devices.items()}
    return {
        "gradient_error": {
            name: {model: _gradient_error(model, place) for model in models} for name, place in devices.items()
        },
        "cards": {name: one["cards"] for name, one in told.items()},
        "loading": {name: one["loading"] for name, one in told.items()},
        "methods": {
            model: _compared(told["cpu"]["answers"][model], told["device"]["answers"][model]) for model in models
        },
    }


def _gradient_error(model: str, place: torch.device) -> float | None:
    """Of float32 against float64, relative L2, over inputs drawn around the model's sample."""
    loaded = load_model(ROOT / "models" / model, Device(place, torch.get_num_threads(), ROWS, DeviceGate()))
    sample = loaded.adapter.sample(place)
    return gradient_error(loaded.engine.view, (*sample.inputs, *sample.additional_forward_args))


def _answers(models: tuple[str, ...], place: str) -> Body:
    """What one service answers, by model and method."""
    with service(ATTRIBUTION_DEVICE=place) as server, Client(server.url) as client:
        cards = {card.name: asdict(card) for card in client.models() if card.name in models}
        answers = {model: _of_all_methods(client, cards[model]) for model in models}
        loading = [line for line in server.log().splitlines() if any(word in line for word in LOADING)]
    kept = ("device", "batch_rows", "execution", "execution_reason", "precision")
    return {
        "cards": {model: {key: card.get(key) for key in kept} for model, card in cards.items()},
        "loading": loading,
        "answers": answers,
    }


def _explain(client: Client, body: Body) -> Body:
    """The finished result, its numbers included, or `{"failed": why}`."""
    options = {name: value for name, value in body.items() if name != "input"}
    try:
        result = client.explain(body["input"], **options)
    except ServiceError as error:
        return {"failed": error.detail}
    tensors = [{"shape": list(array.shape), "data": array.ravel().tolist()} for array in result.arrays.values()]
    return {**asdict(result.explanation), "attributions": tensors}


def _of_all_methods(client: Client, card: Body) -> Body:
    """Neuron methods explain a unit of middling activity: a silent or a saturated one has no gradient."""
    (seen,) = _explain(client, request(card, "layer_activation", []))["attributions"]
    active = [index for index, value in enumerate(seen["data"]) if value > 0]
    middling = sorted(active, key=lambda index: seen["data"][index])[len(active) // 2]
    unit = np.unravel_index(middling, seen["shape"])[1:]
    asked = requests(card, [int(place) for place in unit])
    return {name: _explain(client, body) for name, body in asked.items()}


def _compared(cpu: Body, other: Body) -> dict[str, Body]:
    """By method; a method that one of them refuses or fails has its words instead of numbers."""
    found: dict[str, Body] = {}
    for name, answer in cpu.items():
        failed = [one[name]["failed"] for one in (cpu, other) if "failed" in one.get(name, {"failed": "not offered"})]
        if failed:
            found[name] = {"failed": failed}
            continue
        found[name] = {
            "difference": difference(other[name], answer),
            "same_target": other[name]["target"] == answer["target"],
            "delta": [_largest(one[name].get("convergence_delta")) for one in (cpu, other)],
        }
    return found


def difference(given: Body, expected: Body) -> float:
    """|given - expected| / |expected| over all attribution tensors, L2."""
    pairs = [
        (np.asarray(one["data"], dtype=np.float64), np.asarray(other["data"], dtype=np.float64))
        for one, other in zip(given["attributions"], expected["attributions"], strict=True)
    ]
    off = math.sqrt(sum(float(np.square(one - other).sum()) for one, other in pairs))
    size = math.sqrt(sum(float(np.square(other).sum()) for _, other in pairs))
    return off / size if size else off


def _largest(deltas: list[float] | None) -> float | None:
    return None if deltas is None else max(abs(delta) for delta in deltas)


def table(found: Body) -> Iterator[str]:
    """The report's lines."""
    for name, cards in found["cards"].items():
        yield from (f"{name}: {model}: {json.dumps(card)}" for model, card in cards.items())
        yield from found["loading"][name]
    for model, methods in found["methods"].items():
        errors = [one[model] for one in found["gradient_error"].values()]
        told = ", ".join("not known" if error is None else f"{error:.1e}" for error in errors)
        yield f"\n## {model}\n\nFloat32 gradients against float64, on the CPU and on the device: {told}\n"
        yield "| method | difference | completeness error, CPU | the same, device |"
        yield "|---|---|---|---|"
        yield from (f"| {name} | {_cells(one)} |" for name, one in methods.items())


def _cells(one: Body) -> str:
    if "failed" in one:
        return f"{one['failed']} | | "
    deltas = ["" if delta is None else f"{delta:.2g}" for delta in one["delta"]]
    return " | ".join([f"{one['difference']:.1e}{'' if one['same_target'] else ' (another target)'}", *deltas])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.device_parity")
    parser.add_argument("--out", type=Path, help="a JSON file for the numbers")
    parser.add_argument("--models", nargs="*", default=[TABLE, MODEL])
    asked = parser.parse_args()
    found: dict[str, Any] = {"machine": machine(), **measure(tuple(asked.models))}
    if asked.out is not None:
        asked.out.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2) + b"\n")
    print("\n".join(table(found)), flush=True)


if __name__ == "__main__":
    main()
