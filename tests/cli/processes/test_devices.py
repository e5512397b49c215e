"""The workers that a machine gets."""

import pytest

from cli.processes.devices import plan_gateways, plan_workers, share_device


def plan(
    count: int | None = None, cuda: int = 0, cores: int = 8, per_device: int = 1, **environment: str
) -> list[tuple[str, str]]:
    plans = plan_workers(count, cuda, cores, environment, per_device)
    return [(variables["ATTRIBUTION_DEVICE"], variables["ATTRIBUTION_THREADS"]) for variables in plans]


def test_without_a_gpu_one_worker_takes_all_cores() -> None:
    assert plan() == [("cpu", "8")]


def test_one_worker_for_each_gpu() -> None:
    assert plan(cuda=3) == [("cuda:0", "2"), ("cuda:1", "2"), ("cuda:2", "2")]


def test_workers_share_gpus_in_turn() -> None:
    assert [device for device, _ in plan(count=3, cuda=2)] == ["cuda:0", "cuda:1", "cuda:0"]


def test_cpu_workers_share_the_cores() -> None:
    assert plan(count=3) == [("cpu", "2")] * 3


def test_a_worker_never_has_less_than_one_thread() -> None:
    assert plan(count=4, cores=2) == [("cpu", "1")] * 4


@pytest.mark.parametrize("device", ["cpu", "cuda:1"])
def test_the_operator_chooses_the_device(device: str) -> None:
    assert plan(cuda=2, ATTRIBUTION_DEVICE=device) == [(device, "8")]


def test_auto_is_no_choice() -> None:
    assert plan(cuda=1, ATTRIBUTION_DEVICE="auto") == [("cuda:0", "8")]


def test_the_operator_chooses_the_threads() -> None:
    assert plan(ATTRIBUTION_THREADS="3") == [("cpu", "3")]


@pytest.mark.parametrize("threads", ["3", "8", ""])
def test_threads_times_processes_never_exceed_the_cores(threads: str) -> None:
    assert plan(count=4, cores=8, ATTRIBUTION_THREADS=threads) == [("cpu", "2")] * 4


def test_what_is_no_number_of_threads_is_left_to_the_worker() -> None:
    assert plan(ATTRIBUTION_THREADS="many") == [("cpu", "many")]


def test_several_workers_for_each_device() -> None:
    assert plan(cuda=2, per_device=2) == [("cuda:0", "2"), ("cuda:1", "2")] * 2
    assert plan(per_device=3) == [("cpu", "2")] * 3
    assert plan(cuda=2, per_device=2, ATTRIBUTION_DEVICE="cuda:1") == [("cuda:1", "4")] * 2


@pytest.mark.parametrize(
    ("count", "cuda", "per_device", "sharing"),
    [(None, 0, 1, ["1"]), (None, 2, 2, ["2"] * 4), (3, 2, 1, ["2", "1", "2"]), (2, 0, 1, ["2", "2"])],
)
def test_each_worker_knows_how_many_share_its_device(
    count: int | None, cuda: int, per_device: int, sharing: list[str]
) -> None:
    plans = plan_workers(count, cuda, 8, {}, per_device)
    assert [variables["ATTRIBUTION_WORKERS_PER_DEVICE"] for variables in plans] == sharing


@pytest.mark.parametrize(
    ("cores", "count", "given", "threads"),
    [(8, 2, None, "4"), (8, 2, "4", "2"), (8, 3, "8", "2"), (8, 2, "64", "4"), (2, 4, None, "1"), (8, 2, "no", "no")],
)
def test_workers_of_one_device_share_the_threads_that_one_would_have(
    cores: int, count: int, given: str | None, threads: str
) -> None:
    environment = {} if given is None else {"ATTRIBUTION_THREADS": given}
    assert share_device("cuda:0", count, cores, environment) == {
        "ATTRIBUTION_DEVICE": "cuda:0",
        "ATTRIBUTION_THREADS": threads,
        "ATTRIBUTION_WORKERS_PER_DEVICE": str(count),
    }


@pytest.mark.parametrize(
    ("workers", "cuda", "cores", "gateways"), [(1, 0, 64, 1), (1, 1, 16, 1), (4, 4, 64, 4), (4, 4, 6, 2), (2, 2, 2, 1)]
)
def test_gateways_are_as_many_as_workers_on_gpus_where_cores_are_left(
    workers: int, cuda: int, cores: int, gateways: int
) -> None:
    assert plan_gateways(None, workers, cuda, cores) == gateways


def test_the_operator_chooses_the_gateways() -> None:
    assert plan_gateways(3, workers=1, cuda=0, cores=2) == 3
