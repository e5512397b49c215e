"""A worker's double: real on the side of the broker, and with arithmetic in place of a model."""

import threading
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

from broker import Claim, WorkerInfo, WorkerQueue
from broker.records import NO_COMMAND
from schemas.errors import InputRejected
from schemas.jobs import ClassRef, JobFailure
from schemas.metrics import Curve, Curves, DeletionInsertionMetric, QualityReport
from schemas.model_key import ModelKey
from schemas.models import ModelCard, Residence
from schemas.results import (
    AttributionPath,
    FeatureScore,
    ModelRef,
    PathPoints,
    Prediction,
    Provenance,
    ResultMeta,
    TextScore,
    Timing,
)
from schemas.sentences import Sentence, SentenceParts
from schemas.statistics import JobCounters, ModelCounters, WorkerStatistics
from schemas.tensors import DATATYPES, TensorSpec
from tests.service.cards import ALL_CARDS

BLOCK_MS = 100
HEARTBEAT_S = 2.0
Array = NDArray[np.generic]


class WorkerDouble:
    """Attributes to each element of the input its own value.

    Claims from `start` on. While `gate` is clear it holds what it has claimed, unfinished; a text that says "fail"
    fails. `claimed` is set once a job has been claimed.
    """

    def __init__(self, url: str, namespace: str, cards: list[ModelCard] = ALL_CARDS) -> None:
        self.queue = WorkerQueue(url, "double", namespace=namespace)
        self.cards = cards
        self.command = NO_COMMAND  # the latest that it claims to have executed
        self.gate = threading.Event()
        self.gate.set()
        self.claimed = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.announce()

    def announce(self) -> None:
        models = [ModelKey(card.name, card.version) for card in self.cards if card.status == "ready"]
        counters = ModelCounters(jobs=JobCounters(jobs_total=4))
        info = WorkerInfo(
            id="double",
            device="cpu",
            host="here",
            pid=1,
            started_ms=int(time.time() * 1000),
            models=models,
            statistics=WorkerStatistics(models=dict.fromkeys(models[:1], counters)),
            residence={
                ModelKey(card.name, card.version): Residence(
                    worker="double", status=card.status, error=card.error, bytes=None if card.error else 1_048_576
                )
                for card in self.cards
            },
            executed_command=self.command,
        )
        self.queue.registration.announce(info, self.cards)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.gate.set()
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()
        self.queue.close()

    def _run(self) -> None:
        room = {ModelKey(card.name, card.version): 4 for card in self.cards if card.status == "ready"}
        announced_at = time.monotonic()
        while not self._stop.is_set():
            if time.monotonic() - announced_at > HEARTBEAT_S:
                self.announce()
                announced_at = time.monotonic()
            for claim in self.queue.claims.take(room, BLOCK_MS):
                self.claimed.set()
                self.gate.wait()
                self._finish(claim)

    def _finish(self, claim: Claim) -> None:
        payload = load(claim.payload)
        if "text" in payload and b"fail" in payload["text"].tobytes():
            error = InputRejected("the text has no tokens")
            self.queue.claimed_jobs.fail(claim, JobFailure.of(error))
            return
        card = next(card for card in self.cards if (card.name, card.version) == (claim.spec.model, claim.spec.version))
        meta, arrays = explain(claim, card, payload)
        self.queue.claimed_jobs.progress(claim, meta.timing.rows, meta.timing.rows, meta.target)
        self.queue.claimed_jobs.finish(claim, meta.model_dump_json().encode(), save(arrays))


def explain(claim: Claim, card: ModelCard, payload: dict[str, Array]) -> tuple[ResultMeta, dict[str, Array]]:
    """A result of the shape that a worker gives: each element's attribution is its value."""
    spec = claim.spec
    arrays, words, features = _attributions(card, payload)
    labels = card.output.labels if card.output else None
    indices = spec.target or [0] * spec.examples
    classes = [ClassRef(index=index, label=labels[index] if labels else None) for index in indices]
    meta = ResultMeta(
        id=claim.job_id,
        model=ModelRef(name=card.name, version=card.version, digest=card.digest or ""),
        method=spec.method,
        target=classes,
        predictions=[[Prediction(index=one.index, label=one.label, score=0.5)] for one in classes],
        attributions=[
            TensorSpec(name=name, datatype=DATATYPES[str(array.dtype)], shape=list(array.shape))
            for name, array in arrays.items()
        ],
        tokens=words,
        words=words,
        features=features,
        picture=spec.picture,
        quality=_curves(spec.quality, spec.examples),
        timing=Timing(queued_ms=1.0, prepare_ms=1.0, run_ms=1.0, rows=spec.examples, passes=1),
        provenance=Provenance(service="0", captum="0", torch="0", device="cpu", dtype="float32", seed=spec.seed),
    )
    if "text" in payload and b"cut" in payload["text"].tobytes():
        warning = Sentence("the text was cut after {count} tokens", count=3)
        meta = meta.model_copy(update={"warnings": [warning], "warning_parts": [SentenceParts.of(warning)]})
    return _with_path(meta, arrays, payload) if spec.method.get("frames") else (meta, arrays)


def _with_path(
    meta: ResultMeta, arrays: dict[str, Array], payload: dict[str, Array]
) -> tuple[ResultMeta, dict[str, Array]]:
    """The result with a path of as many points as it asks for, whose k-th of n holds k / n of each attribution."""
    whole, frames = arrays["input"], meta.method["frames"]
    alphas = [(index + 1) / frames for index in range(frames)]
    steps = np.stack([whole * np.float32(alpha) for alpha in alphas], axis=1)
    points = PathPoints(
        alphas=alphas, outputs=alphas, covered=alphas, sums=alphas, input_output=1.0, baseline_output=0.0
    )
    spec = TensorSpec(name="path.input", datatype="FP32", shape=list(steps.shape))
    path = AttributionPath(examples=[points] * len(whole), attributions=[spec])
    arrays = {**arrays, "path.input": np.ascontiguousarray(steps)}
    if "pixels" in payload:
        arrays["path.baseline"] = np.zeros_like(payload["pixels"])[None]
    return meta.model_copy(update={"path": path}), arrays


def _attributions(
    card: ModelCard, payload: dict[str, Array]
) -> tuple[dict[str, Array], list[list[TextScore]] | None, list[list[FeatureScore]] | None]:
    if "pixels" in payload:
        shown = payload["pixels"].astype(np.float32) / 255
        pixels = (shown if shown.ndim == 4 else shown[None]).transpose(0, 3, 1, 2)
        return {"input": np.ascontiguousarray(pixels)}, None, None
    if "text" in payload:
        words = _words(payload["text"].tobytes().decode())
        return {"input": np.array([[word.score for word in words]], dtype=np.float32)}, [words], None
    if "text.0" in payload:
        rows = [_words(payload[f"text.{index}"].tobytes().decode()) for index in range(len(payload))]
        return {"input": np.array([[word.score for word in row] for row in rows], dtype=np.float32)}, rows, None
    if "features" in payload:
        assert card.input is not None
        columns = card.input.features or []
        table = [
            [FeatureScore(name=c.name, value=v, score=v) for c, v in zip(columns, row, strict=True)]
            for row in payload["features"].tolist()
        ]
        return {"input": payload["features"].astype(np.float32)}, None, table
    inputs = {name: payload[name] for name in sorted(payload) if name.startswith("input.")}
    return ({"input": inputs["input.0"]} if len(inputs) == 1 else inputs), None, None


def _curves(asked: list[dict[str, Any]], examples: int) -> QualityReport | None:
    """Deletion curves that fall from 1 and insertion curves that rise to 1, where they are asked for."""
    if not any(metric["name"] == "deletion_insertion" for metric in asked):
        return None
    curves = [
        Curves(
            deletion=Curve(values=[1.0, 0.5 / (index + 1), 0.0], auc=(0.5 + 0.5 / (index + 1)) / 2),
            insertion=Curve(values=[0.0, 0.75, 1.0], auc=0.625),
        )
        for index in range(examples)
    ]
    return QualityReport(
        deletion_insertion=DeletionInsertionMetric(
            unit="elements",
            units=2,
            value="probability",
            deletion_baseline="zero",
            insertion_baseline="zero",
            fractions=[0.0, 0.5, 1.0],
            examples=curves,
        )
    )


def _words(text: str) -> list[TextScore]:
    words, end = [], 0
    for word in text.split():
        start = text.index(word, end)
        end = start + len(word)
        words.append(TextScore(text=word, start=start, end=end, score=float(len(word))))
    return words
