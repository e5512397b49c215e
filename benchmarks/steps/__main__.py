"""`python -m benchmarks.steps`: measures pictures, and writes `steps.json` and `steps.png`."""

import argparse
import json
import os
from pathlib import Path

import torch

from benchmarks.pictures import pictures
from benchmarks.steps.chart import draw
from benchmarks.steps.measure import MODEL, measure
from benchmarks.steps.summary import summarize
from workers.engine.device.allocator import keep_freed_memory
from workers.engine.device.gate import DeviceGate
from workers.methods.captum_changes import install as install_captum_changes
from workers.models.pipeline import load_model
from workers.models.resident import Device

CHECK_EVERY = 7  # pictures; for these the worker also runs the fixed count that was found
BATCH_ROWS = 16


def main() -> None:
    """Measures the pictures that a previous, interrupted run has not measured yet."""
    parser = argparse.ArgumentParser(description="Rows of n_steps auto against the fixed rule, at equal error")
    parser.add_argument("--pictures", type=int, default=50)
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    install_captum_changes()
    keep_freed_memory()  # as a CPU worker does
    arguments.out.mkdir(parents=True, exist_ok=True)
    unfinished = arguments.out / "steps.jsonl"  # one line per picture, from which an interrupted run continues
    measured = [json.loads(line) for line in unfinished.read_text().splitlines()] if unfinished.exists() else []
    device = Device(torch.device("cpu"), arguments.threads, BATCH_ROWS, DeviceGate())
    model = load_model(arguments.models / MODEL, device)
    model.engine.start()
    names = {entry["name"] for entry in measured}
    for number, (name, picture) in enumerate(pictures(arguments.pictures)):
        if name in names:
            continue
        measured.append(measure(model, name, picture, check=number % CHECK_EVERY == 0))
        with unfinished.open("a") as lines:
            lines.write(json.dumps(measured[-1]) + "\n")
        print(name, measured[-1]["auto"]["rows"], measured[-1]["fixed_rows"], flush=True)
    model.engine.stop()
    report = {"command": "python -m benchmarks.steps", "summary": summarize(measured), "pictures": measured}
    (arguments.out / "steps.json").write_text(json.dumps(report, indent=1) + "\n")
    draw(measured, arguments.out / "steps.png")
    unfinished.unlink(missing_ok=True)
    print(json.dumps(report["summary"], indent=1))


if __name__ == "__main__":
    main()
