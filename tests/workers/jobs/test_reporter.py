"""What a worker reports, and when."""

import threading
import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from broker import JobProgress, WorkerInfo
from schemas.errors import StoreUnavailable
from schemas.jobs import JobSpec
from schemas.model_key import ModelKey
from schemas.models import ModelCard
from schemas.telemetry.names import JOB_ROWS
from tests.workers.jobs.claims import claimed
from tests.workers.jobs.test_statistics import DEVICE, PoolDouble
from workers.jobs.job import ClaimedJob
from workers.jobs.measurements import Measurements
from workers.jobs.pace import PaceMeter
from workers.jobs.reporter import HEARTBEAT_S, Reporter
from workers.jobs.statistics import JobStatistics

TIMEOUT_S = 10.0
CARD = ModelCard(name="m", version="1", status="ready")
SPEC = JobSpec(model="m", version="1", input_kind="features", examples=2, method={"name": "saliency"}, rows=8)


class Pool(PoolDouble):
    status = "ready"

    def cards(self) -> list[ModelCard]:
        return [CARD]

    def residence(self, worker_id: str) -> dict[str, Any]:
        return {}

    def state(self) -> str:
        return self.status


class Store:
    """Records calls. `lost` are ids of jobs that are no longer this worker's."""

    def __init__(self) -> None:
        self.registration = self.claimed_jobs = self.measurements = self.idle_workers = self
        self.measured: list[tuple[ModelKey, dict[str, float]]] = []
        self.paces: list[tuple[ModelKey, str, float, float]] = []
        self.announced: list[WorkerInfo] = []
        self.renewed: list[str] = []
        self.reports: list[tuple[int, int]] = []
        self.lost: set[str] = set()
        self.is_away = False
        self.changed = threading.Condition()

    def announce(self, info: WorkerInfo, cards: list[ModelCard]) -> None:
        assert cards == [CARD]
        self._record(self.announced, info)

    def renew(self, claims: list[Any]) -> set[str]:
        self._record(self.renewed, *(claim.job_id for claim in claims))
        return self.lost

    def progress_all(self, reports: list[JobProgress]) -> list[bool]:
        self._record(self.reports, *((one.done, one.total) for one in reports))
        return [one.claim.job_id not in self.lost for one in reports]

    def add(self, model: ModelKey, counts: Any, exemplars: Any) -> None:
        self._record(self.measured, (model, dict(counts)))

    def tell_pace(self, model: ModelKey, group: str, rows: float, busy_s: float) -> None:
        self._record(self.paces, (model, group, rows, busy_s))

    def count(self, models: list[ModelKey]) -> dict[ModelKey, int]:
        return dict.fromkeys(models, 0)

    def until(self, wanted: Any) -> None:
        with self.changed:
            assert self.changed.wait_for(wanted, TIMEOUT_S)

    def _record(self, calls: list[Any], *entries: Any) -> None:
        with self.changed:
            if self.is_away:
                raise StoreUnavailable("away")
            calls.extend(entries)
            self.changed.notify_all()


class Reporting:
    """A reporter with doubles around it, and one active job."""

    def __init__(self) -> None:
        self.store, self.pool = Store(), Pool()
        self.job: ClaimedJob = claimed(SPEC, b"")
        self.job.model = cast(Any, SimpleNamespace(card=CARD))
        self.cancelled: list[str] = []
        self.commands = SimpleNamespace(executed="0-0")
        self.measurements, self.pace = Measurements(), PaceMeter()
        runner = SimpleNamespace(
            active=lambda: [self.job],
            admission=SimpleNamespace(active=lambda: [self.job]),
            settling=SimpleNamespace(statistics=JobStatistics(), measurements=self.measurements),
            pace=self.pace,
            cancel=self._cancel,
        )
        parts: list[Any] = [self.store, runner, self.pool, self.commands]
        self.reporter = Reporter(*parts, device=DEVICE, worker_id="w", group="g", lease_ms=400)

    def _cancel(self, job_id: str) -> None:
        with self.store.changed:
            self.cancelled.append(job_id)
            self.store.changed.notify_all()


@pytest.fixture
def reporting() -> Any:
    one = Reporting()
    one.reporter.start()
    yield one
    one.reporter.end()
    assert not one.reporter.is_alive()


def test_the_worker_is_announced_with_its_statistics(reporting: Reporting) -> None:
    reporting.store.until(lambda: reporting.store.announced)
    info = reporting.store.announced[0]
    assert (info.id, info.group, info.device, info.executed_command) == ("w", "g", "cpu", "0-0")
    assert info.models == [ModelKey("m", "1"), ModelKey("m", "2")]
    assert set(info.statistics.models) == {ModelKey("m", version) for version in "123"}


def test_a_change_is_announced_before_the_next_heartbeat(reporting: Reporting) -> None:
    reporting.store.until(lambda: reporting.store.announced)
    began = time.monotonic()
    reporting.commands.executed = "5-0"
    reporting.store.until(lambda: reporting.store.announced[-1].executed_command == "5-0")
    reporting.pool.status = "idle"
    count = len(reporting.store.announced)
    reporting.store.until(lambda: len(reporting.store.announced) > count)
    assert time.monotonic() - began < HEARTBEAT_S


def test_leases_are_renewed_and_lost_jobs_cancelled(reporting: Reporting) -> None:
    reporting.store.until(lambda: reporting.store.renewed.count("job") >= 2)
    reporting.store.lost = {"job"}
    reporting.store.until(lambda: "job" in reporting.cancelled)


def test_progress_is_reported_once_for_each_change(reporting: Reporting) -> None:
    renewed = len(reporting.store.renewed)
    reporting.store.until(lambda: len(reporting.store.renewed) > renewed)
    assert reporting.store.reports == [], "no row is done"
    reporting.job.task.rows = 3
    reporting.store.until(lambda: reporting.store.reports == [(3, 8)])
    reporting.job.task.rows = 10
    reporting.store.until(lambda: reporting.store.reports[-1] == (10, 10))
    assert reporting.store.reports == [(3, 8), (10, 10)]


def test_an_outage_is_survived(reporting: Reporting) -> None:
    reporting.store.until(lambda: reporting.store.announced)
    with reporting.store.changed:
        reporting.store.is_away = True
    reporting.pool.status = "idle"
    time.sleep(0.3)
    with reporting.store.changed:
        reporting.store.is_away = False
        count = len(reporting.store.announced)
    reporting.store.until(lambda: len(reporting.store.announced) > count)


def count_rows(reporting: Reporting, model: ModelKey, rows: int) -> None:
    with reporting.measurements.of(model) as measured:
        measured.count(JOB_ROWS, "saliency", "batch", amount=rows)


def test_what_was_measured_is_told_once_also_at_the_end_and_after_an_outage() -> None:
    one, other = ModelKey("m", "1"), ModelKey("n", "1")
    rows = JOB_ROWS.series("saliency", "batch")
    reporting = Reporting()
    for model in (one, other):
        count_rows(reporting, model, 3)
    reporting.store.is_away = True
    with pytest.raises(StoreUnavailable):
        reporting.reporter._tell_measurements()
    count_rows(reporting, one, 4)
    reporting.store.is_away = False
    reporting.reporter.start()
    reporting.store.until(lambda: len(reporting.store.measured) == 2)
    assert dict(reporting.store.measured) == {one: {rows: 7}, other: {rows: 3}}
    count_rows(reporting, other, 5)
    reporting.reporter.end()
    assert reporting.store.measured[2:] == [(other, {rows: 5})]


def test_the_pace_is_told_with_the_group_and_kept_while_the_store_is_away() -> None:
    reporting = Reporting()
    reporting.pace.begin()
    reporting.pace.end(reporting.job, succeeded=True)
    reporting.store.is_away = True
    with pytest.raises(StoreUnavailable):
        reporting.reporter._tell_pace()
    assert reporting.store.paces == []
    reporting.store.is_away = False
    reporting.reporter._tell_pace()
    ((model, group, rows, busy_s),) = reporting.store.paces
    assert (model, group, rows) == (ModelKey("m", "1"), "g", 8)
    assert 0 <= busy_s < TIMEOUT_S


def test_a_job_is_cancelled_that_its_report_shows_to_be_lost() -> None:
    reporting = Reporting()
    reporting.job.task.rows = 3
    reporting.reporter._report_progress()
    assert (reporting.store.reports, reporting.cancelled) == ([(3, 8)], [])
    reporting.store.lost = {"job"}
    reporting.job.task.rows = 5
    reporting.reporter._report_progress()
    assert (reporting.store.reports, reporting.cancelled) == ([(3, 8), (5, 8)], ["job"])
