"""`python -m benchmarks.device_parity`: does a GPU answer as the CPU does? Every method, one request, one seed.

Three services answer one after another: a CPU worker, another CPU worker whose passes hold other rows, and a worker on
the device. The second tells how far float32 rounding alone moves an answer, where activations lie on the bend of a
ReLU. Printed are relative L2 differences from the first, and the completeness errors where a method has them.
"""

import argparse
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from benchmarks.ceiling import MODEL, TABLE
from benchmarks.every_method import Body, requests
from benchmarks.http_client import Client
from benchmarks.machine import device, machine
from benchmarks.processes import service

OTHER_ROWS = "3"  # of a pass of the second worker
NAMES = ("cpu", "rounding", "device")
LOADING = ("leaner", "layouts measured", "batch tuned", "runs alone", "rewritten for hooks", "model loaded")


def measure(models: tuple[str, ...] = (TABLE, MODEL)) -> Body:
    """Answers of all three, compared: `cards` and `loading` by worker, `methods` by model."""
    variables: dict[str, dict[str, str]] = {
        "cpu": {"ATTRIBUTION_DEVICE": "cpu"},
        "rounding": {"ATTRIBUTION_DEVICE": "cpu", "ATTRIBUTION_BATCH_ROWS": OTHER_ROWS},
        "device": {"ATTRIBUTION_DEVICE": str(device())},
    }
    told = {name: _answers(models, chosen) for name, chosen in variables.items()}
    return {
        "cards": {name: one["cards"] for name, one in told.items()},
        "loading": {name: one["loading"] for name, one in told.items()},
        "methods": {model: _compared(*(told[name]["answers"][model] for name in NAMES)) for model in models},
    }


def _answers(models: tuple[str, ...], variables: dict[str, str]) -> Body:
    """What one service answers, by model and method."""
    with service(**variables) as server, Client(server.url) as client:
        cards = {model: client.get(f"/models/{model}") for model in models}
        answers = {
            model: {name: client.explain(body) for name, body in requests(cards[model]).items()} for model in models
        }
        loading = [line for line in server.log().splitlines() if any(word in line for word in LOADING)]
    kept = ("device", "batch_rows", "execution", "execution_reason", "precision")
    return {
        "cards": {model: {key: card.get(key) for key in kept} for model, card in cards.items()},
        "loading": loading,
        "answers": answers,
    }


def _compared(cpu: Body, rounding: Body, other: Body) -> dict[str, Body]:
    """By method; a method that one of them refuses or fails has its words instead of numbers."""
    found: dict[str, Body] = {}
    for name, answer in cpu.items():
        failed = [one[name]["failed"] for one in (cpu, rounding, other) if "failed" in one.get(name, {"failed": "-"})]
        if failed:
            found[name] = {"failed": failed}
            continue
        found[name] = {
            "difference": difference(other[name], answer),
            "rounding": difference(rounding[name], answer),
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
    for name in NAMES:
        yield from (f"{name}: {model}: {json.dumps(card)}" for model, card in found["cards"][name].items())
    yield from found["loading"]["device"]
    for model, methods in found["methods"].items():
        yield f"\n## {model}\n"
        yield "| method | difference | of rounding on the CPU | completeness error, CPU | the same, device |"
        yield "|---|---|---|---|---|"
        yield from (f"| {name} | {_cells(one)} |" for name, one in methods.items())


def _cells(one: Body) -> str:
    if "failed" in one:
        return f"{one['failed']} | | | "
    deltas = ["" if delta is None else f"{delta:.2g}" for delta in one["delta"]]
    other = "" if one["same_target"] else " (another target)"
    return " | ".join([f"{one['difference']:.1e}{other}", f"{one['rounding']:.1e}", *deltas])


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
