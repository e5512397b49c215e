"""Draws each case in a forked process. Prints a JSON object of the memory taken and its estimate, in MiB, by case."""

import json
import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors.numpy import save

from schemas.jobs import ClassRef
from schemas.metrics import Curve, Curves, DeletionInsertionMetric, QualityReport
from schemas.pictures import Picture
from schemas.results import AttributionPath, FeatureScore, ModelRef, PathPoints, Provenance, ResultMeta, TextScore
from schemas.results import Timing as Times
from schemas.tensors import TensorSpec
from service.results.draw_overlay import OverlayQuery, draw_overlay, sheet_width
from service.results.draw_path import PathQuery, draw_path
from service.results.draw_quality import QualityQuery, draw_quality
from service.results.drawing_memory import overlay_bytes, path_bytes, plot_bytes

MIB = 2**20
FRAMES = 32
RANDOM = np.random.default_rng(0)
WORDS = [f"word{number}" for number in range(2_000)]


class Case(NamedTuple):
    draw: Callable[[], object]
    estimate: int


def meta_of(attribution: list[int], **more: Any) -> ResultMeta:
    return ResultMeta(
        id="job",
        model=ModelRef(name="model", version="1", digest=""),
        method={"name": "saliency"},
        target=[ClassRef(index=0, label="cat")],
        predictions=[[]],
        attributions=[TensorSpec(name="input", datatype="FP32", shape=attribution)],
        timing=Times(queued_ms=0, prepare_ms=0, run_ms=0, rows=1, passes=1),
        provenance=Provenance(service="0", captum="0", torch="0", device="cpu", dtype="float32", seed=0),
        **more,
    )


def overlay(meta: ResultMeta, payload: bytes, **options: Any) -> Case:
    query = OverlayQuery(**options)
    tensors = save({"input": RANDOM.normal(size=meta.attributions[0].shape).astype(np.float32)})
    estimate = overlay_bytes(meta, query, sheet_width(query))
    return Case(partial(draw_overlay, meta, tensors, payload, query, "en"), estimate)


def path() -> Case:
    steps = RANDOM.normal(size=(1, FRAMES, 3, 224, 224)).astype(np.float32)
    at = [(number + 1) / FRAMES for number in range(FRAMES)]
    points = PathPoints(alphas=at, outputs=at, covered=at, sums=at, input_output=1, baseline_output=0)
    spec = TensorSpec(name="path.input", datatype="FP32", shape=list(steps.shape))
    meta = meta_of([1, 3, 224, 224], path=AttributionPath(examples=[points], attributions=[spec]), picture=SEEN)
    tensors = save({"input": steps[:, -1], "path.input": steps, "path.baseline": PIXELS[None]})
    query = PathQuery(size=512)
    return Case(partial(draw_path, meta, tensors, PAYLOAD, query, "en"), path_bytes(meta, query.overlay()))


def curves() -> Case:
    curve = Curve(values=[1.0, 0.5, 0.0], auc=0.5)
    metric = DeletionInsertionMetric(
        unit="elements",
        units=2,
        value="probability",
        deletion_baseline="zero",
        insertion_baseline="zero",
        fractions=[0.0, 0.5, 1.0],
        examples=[Curves(deletion=curve, insertion=curve)],
    )
    meta = meta_of([1, 1], quality=QualityReport(deletion_insertion=metric))
    return Case(partial(draw_quality, meta, QualityQuery(size=2048), "en"), plot_bytes(2048))


def words() -> list[list[TextScore]]:
    found, start = [], 0
    for word in WORDS:
        found.append(TextScore(text=word, start=start, end=start + len(word), score=1.0))
        start += len(word) + 1
    return [found]


PIXELS = RANDOM.integers(0, 256, (224, 224, 3), dtype=np.uint8)
PAYLOAD = save({"pixels": PIXELS})
SEEN = Picture(crop=[0, 0, 224, 224], width=224, height=224)
COLUMNS = [[FeatureScore(name=f"column {number}", value=1.0, score=number) for number in range(300)]]
TEXT = save({"text": np.frombuffer(" ".join(WORDS).encode(), dtype=np.uint8)})


def cases() -> dict[str, Case]:
    seen = meta_of([1, 3, 224, 224], picture=SEEN)
    return {
        "small": overlay(seen, PAYLOAD),
        "largest": overlay(seen, PAYLOAD, size=4096, smooth=0.0, sign="all"),
        "three panels": overlay(seen, PAYLOAD, size=2048, style="side_by_side"),
        "fine map": overlay(meta_of([1, 1, 2_800, 2_900]), b"", smooth=0.02),
        "thin": overlay(meta_of([1, 1, 2, 4_000]), b"", size=4096),
        "words": overlay(meta_of([1, len(WORDS)], words=words()), TEXT, size=4096),
        "columns": overlay(meta_of([1, len(COLUMNS[0])], features=COLUMNS), b"", size=4096),
        "path": path(),
        "curves": curves(),
    }


def peak_mib() -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


def measured(draw: Callable[[], object]) -> float:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        before = peak_mib()
        draw()
        os.write(writer, str(peak_mib() - before).encode())
        os._exit(0)
    os.waitpid(child, 0)
    return float(os.read(reader, 100))


if __name__ == "__main__":
    prepared = cases()
    for warm in ("small", "words", "columns"):
        measured(prepared[warm].draw)
    print(json.dumps({name: (measured(case.draw), case.estimate / MIB) for name, case in prepared.items()}))
