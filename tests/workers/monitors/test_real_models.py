"""Tables, pictures and texts through real models: what a worker's results become in a monitor."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save
from torch import Tensor

from broker import JobStore, MonitorRecord, NewJob, WorkerQueue
from schemas.jobs import JobSpec
from schemas.methods import FeatureAblation, IntegratedGradients, LayerGradCam, Saliency, stored_fields
from schemas.model_key import ModelKey
from schemas.monitors import MonitorDefinition
from tests.paths import MODELS
from tests.soak.model_folders import COLUMNS, PICTURE_SIDE, write_models
from tests.workers.toys import CPU
from workers.engine.device.gate import DeviceGate
from workers.jobs.job import ClaimedJob
from workers.jobs.settling import Settling
from workers.jobs.single import run_single
from workers.models.pool import ModelPool
from workers.models.resident import Device
from workers.monitors.keeper import MonitorKeeper
from workers.monitors.reference import OTHER_WORDS

pytestmark = pytest.mark.anyio
Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelPool]:
    directory: Path = write_models(tmp_path_factory.mktemp("repository") / "models")
    (directory / "breast-cancer-mlp").symlink_to(MODELS / "breast-cancer-mlp")
    pool = ModelPool([directory], Device(CPU, 1, 32, DeviceGate()))
    pool.start()
    yield pool
    pool.stop()


class Worker:
    """Runs each job by itself, as the threads of a worker do, and settles it."""

    def __init__(self, pool: ModelPool, store: JobStore, queue: WorkerQueue) -> None:
        self._pool, self._store, self._queue = pool, store, queue
        self.settling = Settling(queue.claimed_jobs)
        self.keeper = MonitorKeeper(queue.monitors, self.settling.watching)

    async def watch(self, model: str, method: Any, **fields: Any) -> None:
        given = {"model": model, "method": method.name, "first": 50, "window": 50, **fields}
        assert await self._store.monitors.put("m", MonitorDefinition(**given))
        self.keeper.step()

    async def explain(self, count: int, model: str, kind: Any, method: Any, make: Callable[[int], Any]) -> None:
        """Explains inputs one by one; `make` gives the tensors of each."""
        spec = JobSpec(model=model, version="1", input_kind=kind, examples=1, method=stored_fields(method), rows=1)
        key = ModelKey(model, "1")
        for number in range(count):
            await self._store.jobs.submit(NewJob(spec, save(make(number)), rows=1))
            (claim,) = self._queue.claims.take({key: 1}, 0)
            job = ClaimedJob(claim)
            with self._pool.use(key, job.task) as resident:
                self.settling.settle([run_single(resident, job)])

    async def found(self) -> MonitorRecord:
        self.keeper.step()
        return await self._store.monitors.get("m", "")


@pytest.fixture
def worker(pool: ModelPool, store: JobStore, queue: WorkerQueue) -> Worker:
    return Worker(pool, store, queue)


async def test_a_shifted_column_of_a_deep_model(worker: Worker, pool: ModelPool) -> None:
    """The lightest column of the shipped network, shifted after 100 rows until it outweighs all others."""
    card = pool.resident()[ModelKey("breast-cancer-mlp", "1")].card
    assert card.input is not None
    columns = card.input.features or []
    means, stds = np.array([one.mean for one in columns]), np.array([one.std for one in columns])
    random = np.random.default_rng(0)
    method = IntegratedGradients(n_steps=10, baseline="zero")

    def row(shifted: int, shift: float) -> dict[str, Tensor]:
        inputs = random.standard_normal(len(columns))
        inputs[shifted] += shift
        return {"features": torch.tensor(means + stds * inputs).unsqueeze(0)}

    await worker.watch("breast-cancer-mlp", method, columns=[one.name for one in columns])
    await worker.explain(100, "breast-cancer-mlp", "features", method, lambda _: row(0, 0.0))
    before = (await worker.found()).statistics
    assert before is not None
    assert before.ndcg > 0.95
    assert before.psi_max < before.psi_noise
    (shifted,) = [index for index, one in enumerate(before.features) if one.reference_rank == len(columns)]
    await worker.explain(50, "breast-cancer-mlp", "features", method, lambda _: row(shifted, 300.0))
    record = await worker.found()
    after = record.statistics
    assert after is not None
    assert (record.observed, record.skipped) == (100, 0)
    found = after.features[shifted]
    assert (found.name, found.window_rank) == (columns[shifted].name, 1)
    assert found.psi > after.psi_noise
    assert after.ndcg < 0.90
    assert {one.label for one in after.classes} <= {"malignant", "benign"}


def bright(left: bool, number: int) -> Pixels:
    """A picture whose left or right half is bright."""
    random = np.random.default_rng(number)
    pixels = random.integers(0, 40, (PICTURE_SIDE, PICTURE_SIDE, 3), np.uint8)
    half = slice(0, PICTURE_SIDE // 2) if left else slice(PICTURE_SIDE // 2, None)
    pixels[:, half] += 200
    return pixels


@pytest.mark.parametrize(
    "method", [IntegratedGradients(n_steps=4, baseline="black"), LayerGradCam(layer="0")], ids=lambda one: one.name
)
async def test_pictures_whose_object_moves(worker: Worker, method: Any) -> None:
    def picture(number: int, *, left: bool) -> dict[str, Tensor]:
        return {"pixels": torch.from_numpy(bright(left, number))}

    await worker.watch("picture", method)
    await worker.explain(100, "picture", "image", method, lambda number: picture(number, left=True))
    before = (await worker.found()).statistics
    await worker.explain(50, "picture", "image", method, lambda number: picture(number, left=False))
    after = (await worker.found()).statistics
    assert before is not None
    assert after is not None
    assert (after.kind, len(after.features)) == ("cells", 49)
    assert before.ndcg > 0.97
    assert after.ndcg < before.ndcg
    left = [one for one in after.features if one.name.endswith(("column 1", "column 2", "column 3"))]
    right = [one for one in after.features if one.name.endswith(("column 5", "column 6", "column 7"))]
    ratios = [np.mean([one.window_mean / max(one.reference_mean, 1e-12) for one in half]) for half in (left, right)]
    assert ratios[1] > 1.2 * ratios[0], "the attribution has moved to the right"
    assert max(one.psi for one in left + right) > max(one.psi for one in before.features)
    assert all(len(one.reference_means) == 49 for one in after.classes)


async def test_texts_with_new_words(worker: Worker) -> None:
    method = Saliency()
    old, new = ["the film was good .", "a very good plot .", "the plot was bad ."], ["I liked it ."]

    def text(words: list[str], number: int) -> dict[str, Tensor]:
        encoded = words[number % len(words)].encode()
        return {"text": torch.frombuffer(bytearray(encoded), dtype=torch.uint8)}

    await worker.watch("text", method)
    await worker.explain(100, "text", "text", method, lambda number: text(old, number))
    before = (await worker.found()).statistics
    await worker.explain(50, "text", "text", method, lambda number: text(new, number))
    after = (await worker.found()).statistics
    assert before is not None
    assert after is not None
    assert before.new_words == []
    assert before.ndcg > 0.99
    assert set(old[0].split()) - {"."} <= {one.name for one in after.features}
    others = next(one for one in after.features if one.name == OTHER_WORDS)
    assert (others.reference_mean, others.window_rank) == (0, 1)
    assert others.psi > 1
    assert after.ndcg < 0.90
    assert {one.word for one in after.new_words} == {"i", "liked", "it"}


async def test_a_method_that_perturbs(worker: Worker) -> None:
    method = FeatureAblation(baseline="zero")
    await worker.watch("table", method, columns=list(COLUMNS))
    random = np.random.default_rng(0)
    await worker.explain(
        100,
        "table",
        "features",
        method,
        lambda _: {"features": torch.tensor(random.standard_normal((1, len(COLUMNS))))},
    )
    record = await worker.found()
    assert record.statistics is not None
    assert [one.name for one in record.statistics.features] == list(COLUMNS)
    assert record.statistics.ndcg > 0.9
