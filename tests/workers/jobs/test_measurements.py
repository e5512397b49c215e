"""What a worker measures between two reports."""

import math
import threading

import pytest

from schemas.model_key import ModelKey
from schemas.telemetry.names import EXPLAINED_SCORE, JOB_ROWS, STAGE_SECONDS
from workers.jobs.measurements import Measurements

MODEL = ModelKey("m", "1")
TOTAL = STAGE_SECONDS.series("saliency", "batch", "total")


def observe(measurements: Measurements, value: float, trace_id: str = "") -> None:
    with measurements.of(MODEL) as measured:
        measured.observe(STAGE_SECONDS, "saliency", "batch", "total", value=value, trace_id=trace_id)


def test_a_value_counts_in_its_bucket_and_in_the_sum() -> None:
    measurements = Measurements()
    for value in (0.3, 0.5, 2000.0):
        observe(measurements, value)
    counts = measurements.take()[MODEL].counts
    assert counts == {f"{TOTAL} 0.5": 2, f"{TOTAL} +Inf": 1, f"{TOTAL} sum": pytest.approx(2000.8)}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_left_out(value: float) -> None:
    measurements = Measurements()
    observe(measurements, value)
    assert not any(one.counts for one in measurements.take().values())


def test_a_bucket_keeps_its_latest_trace() -> None:
    measurements = Measurements()
    observe(measurements, 0.3, "a" * 32)
    observe(measurements, 0.4, "b" * 32)
    observe(measurements, 0.45)
    ((series, text),) = measurements.take()[MODEL].exemplars.items()
    trace, value, at = text.split()
    assert (series, trace, value) == (f"{TOTAL} 0.5 exemplar", "b" * 32, "0.4")
    assert float(at) > 1.7e9


def test_a_wrong_number_of_labels_is_a_mistake() -> None:
    with Measurements().of(MODEL) as measured, pytest.raises(ValueError, match="takes values"):
        measured.count(JOB_ROWS, "saliency")


def test_no_count_is_lost_between_threads_and_takes() -> None:
    measurements, totals, done = Measurements(), [0.0], threading.Event()

    def collect() -> None:
        for increments in measurements.take().values():
            totals[0] += sum(value for name, value in increments.counts.items() if not name.endswith("sum"))

    def take() -> None:
        while not done.is_set():
            collect()

    def measure() -> None:
        for _ in range(1000):
            with measurements.of(MODEL) as measured:
                measured.observe(EXPLAINED_SCORE, value=0.5)

    taker = threading.Thread(target=take)
    threads = [threading.Thread(target=measure) for _ in range(4)]
    for thread in (taker, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    taker.join()
    collect()
    assert totals == [4000]
