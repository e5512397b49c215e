"""Streams of explained rows of a linear model, and a worker's monitors fed with them through a real store."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker import JobStore, MonitorRecord, WorkerQueue
from schemas.jobs import ClassRef, JobSpec
from schemas.monitors import MonitorDefinition
from schemas.results import FeatureScore, ModelRef, Prediction, Provenance, ResultMeta, TextScore, Timing
from workers.monitors.keeper import MonitorKeeper
from workers.monitors.watching import Watching

WEIGHTS = np.array([4.0, 2.0, 0.05, 1.0, 0.5, 0.3, 0.2, 0.1])
COLUMNS = [f"x{number}" for number in range(1, len(WEIGHTS) + 1)]
SPEC = JobSpec(model="linear", version="1", input_kind="features", examples=1, method={"name": "input_x_gradient"})
Rows = NDArray[np.float64]


def definition(**fields: Any) -> MonitorDefinition:
    given = {"model": "linear", "method": "input_x_gradient", "columns": COLUMNS, "first": 500, "window": 500}
    return MonitorDefinition(**{**given, **fields})


def stream(seed: int, count: int) -> Rows:
    """Attributions (rows, features) of the linear model on standard normal inputs: weight times input."""
    return WEIGHTS * np.random.default_rng(seed).standard_normal((count, len(WEIGHTS)))


def meta(row: Iterable[float] = (), score: float = 0.5, target: int = 0, **fields: Any) -> ResultMeta:
    features = [[FeatureScore(name=n, value=0.0, score=float(s)) for n, s in zip(COLUMNS, row, strict=False)]]
    given = {
        "id": "job",
        "model": ModelRef(name="linear", version="1", digest=""),
        "method": {"name": "input_x_gradient"},
        "target": [ClassRef(index=target, label="yes" if target else "no")],
        "predictions": [[Prediction(index=target, score=score)]],
        "attributions": [],
        "features": features,
        "timing": Timing(queued_ms=0, prepare_ms=0, run_ms=0, rows=1, passes=1),
        "provenance": Provenance(service="0", captum="0", torch="0", device="cpu", dtype="float32", seed=0),
    }
    return ResultMeta(**{**given, **fields})


def text_meta(words: dict[str, float]) -> ResultMeta:
    scores = [TextScore(text=word, start=0, end=1, score=score) for word, score in words.items()]
    return meta(features=None, words=[scores])


class Feeder:
    """One worker's part: observes results, and tells the store at `tell`."""

    def __init__(self, queue: WorkerQueue) -> None:
        self.watching = Watching()
        self.keeper = MonitorKeeper(queue.monitors, self.watching)

    def learn(self) -> None:
        self.keeper.step()

    def rows(self, rows: Rows, spec: JobSpec = SPEC) -> None:
        """Observes each row as a job of its own. The score is the logistic function of the sum."""
        for row in rows:
            score = float(1 / (1 + np.exp(-row.sum() / 4)))
            self.watching.observe(spec, meta(row, score, int(row.sum() > 0)), b"", ())

    def tell(self) -> None:
        self.keeper.step()


async def made(store: JobStore, name: str = "m", **fields: Any) -> MonitorDefinition:
    one = definition(**fields)
    assert await store.monitors.put(name, one)
    return one


async def seen(store: JobStore, name: str = "m", owner: str = "") -> MonitorRecord:
    return await store.monitors.get(name, owner)
