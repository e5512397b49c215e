"""The workers that a machine gets."""

import pytest

from cli.processes.devices import plan_gateways, plan_workers


def plan(count: int | None = None, cuda: int = 0, cores: int = 8, **environment: str) -> list[tuple[str, str]]:
    plans = plan_workers(count, cuda, cores, environment)
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


@pytest.mark.parametrize(
    ("workers", "cuda", "cores", "gateways"), [(1, 0, 64, 1), (1, 1, 16, 1), (4, 4, 64, 4), (4, 4, 6, 2), (2, 2, 2, 1)]
)
def test_gateways_are_as_many_as_workers_on_gpus_where_cores_are_left(
    workers: int, cuda: int, cores: int, gateways: int
) -> None:
    assert plan_gateways(None, workers, cuda, cores) == gateways


def test_the_operator_chooses_the_gateways() -> None:
    assert plan_gateways(3, workers=1, cuda=0, cores=2) == 3
