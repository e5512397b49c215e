"""A slice of the soak: few jobs, few processes, two disturbances. The whole of it is `make soak`."""

import asyncio

import pytest

from tests.soak.invariants import faults_of_deaths, faults_of_jobs
from tests.soak.keeper import Death
from tests.soak.plan import METHODS, plan_jobs
from tests.soak.record import JobTrace
from tests.soak.run import SoakOptions, run_seed

SLICE = SoakOptions(jobs=100, sample=40, disturbances=2, clients=8, gateways=1, workers=1, killers=0, result_ttl_s=10)
(PLAN,) = plan_jobs(1, 1, kills=0)
KILLED = Death("worker-0", 5.0, -9, wanted=True)


@pytest.mark.slow
def test_a_hundred_jobs_keep_every_promise() -> None:
    report = asyncio.run(run_seed(1, SLICE))
    assert report.faults == []
    assert sum(report.statuses.values()) == SLICE.jobs
    assert report.compared == SLICE.sample


def test_a_seed_plans_the_same_jobs_and_every_method() -> None:
    plans = plan_jobs(7, 2_000)
    assert plans == plan_jobs(7, 2_000)
    assert plans != plan_jobs(8, 2_000)
    planned = {(plan.body["model"], plan.method) for plan in plans}
    assert planned >= {(model, method) for model, methods in METHODS.items() for method in methods}
    assert sum(plan.kills for plan in plans) == 1


def trace(status: str, **fields: object) -> JobTrace:
    error = fields.pop("error", None)
    job = {"status": status, "error": error}
    return JobTrace(PLAN, accepted_at_s=1.0, ended_at_s=9.0, job_id="a", job=job, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        (trace("succeeded", digests={"x", "y"}), "answered twice"),
        (trace("succeeded", repeated_ids={"b"}), "its key led to other jobs"),
        (trace("succeeded", confirmed_cancel=True), "it was cancelled and is succeeded"),
        (trace("cancelled"), "nobody asked for it"),
        (trace("failed", error={"code": "job_failed"}), "job_failed"),
        (trace("failed", error={"code": "worker_lost"}), "worker_lost after 2 real deaths"),
        (trace("succeeded", faults=["LOST"]), "LOST"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_broken_promise_is_seen(broken: JobTrace, fault: str) -> None:
    (found,) = faults_of_jobs([broken], [KILLED, KILLED])
    assert fault in found


def test_what_is_promised_is_no_fault() -> None:
    lost = trace("failed", error={"code": "worker_lost"})
    assert faults_of_jobs([lost], [KILLED] * 3) == []
    assert faults_of_jobs([trace("succeeded", digests={"x"}, repeated_ids={"a"})], []) == []


def test_deaths_that_nobody_wanted_are_seen() -> None:
    by_itself = Death("gateway-0", 5.0, 1, wanted=False)
    eaten = Death("worker-0", 5.0, -9, wanted=False)
    assert faults_of_deaths([KILLED, *[eaten] * 3], killers=1) == []
    assert len(faults_of_deaths([by_itself], killers=1)) == 1
    assert len(faults_of_deaths([eaten] * 4, killers=1)) == 1
