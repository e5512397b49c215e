"""The nodes are numpy's, each order is computed once, and nobody waits for nodes of a cancelled job."""

import threading
from concurrent.futures import ThreadPoolExecutor
from time import process_time

import numpy as np
import pytest

from schemas.errors import JobCancelled
from schemas.methods import IntegratedGradients, Saliency
from workers.engine.task import Task
from workers.methods.captum_changes.quadrature_nodes import (
    TABLE,
    Nodes,
    NodeTable,
    alphas,
    compute_nodes,
    prepare_nodes,
    step_sizes,
)

LIMIT_S = 60.0


@pytest.mark.parametrize("count", [1, 2, 3, 20, 50, 256, 257, 333])
def test_the_nodes_are_numpys(count: int) -> None:
    points, weights = np.polynomial.legendre.leggauss(count)
    assert np.allclose(alphas(count), 0.5 * (1 + points), rtol=0, atol=1e-15)
    assert np.allclose(step_sizes(count), 0.5 * weights, rtol=1e-9, atol=0)
    assert np.isclose(sum(step_sizes(count)), 1.0)


def test_two_thousand_nodes_integrate_polynomials_exactly() -> None:
    nodes = compute_nodes(2_000)
    for power in (1, 2, 7, 40):
        assert np.isclose(nodes.step_sizes @ nodes.alphas**power, 1 / (power + 1), rtol=1e-11)


def test_two_thousand_nodes_take_a_fraction_of_numpys_time() -> None:
    compute_nodes(500)
    began_s = process_time()
    np.polynomial.legendre.leggauss(1_500)
    between_s = process_time()
    compute_nodes(1_500)
    assert 2 * (process_time() - between_s) < between_s - began_s


class Slow:
    """Computes one order when the test opens the door."""

    def __init__(self) -> None:
        self.entered, self.door = threading.Event(), threading.Event()
        self.calls: list[int] = []

    def __call__(self, count: int) -> Nodes:
        self.calls.append(count)
        self.entered.set()
        assert self.door.wait(LIMIT_S)
        return Nodes(np.ones(count), np.ones(count))


def test_an_order_is_computed_once_for_many_jobs() -> None:
    slow = Slow()
    table = NodeTable(slow)
    with ThreadPoolExecutor(16) as threads:
        jobs = [threads.submit(table.get, 5, Task(str(number))) for number in range(16)]
        assert slow.entered.wait(LIMIT_S)
        slow.door.set()
        assert len({id(job.result(LIMIT_S)) for job in jobs}) == 1
    assert slow.calls == [5]


def test_abandoned_jobs_compute_nothing() -> None:
    slow = Slow()
    table = NodeTable(slow)
    abandoned = [Task(str(number)) for number in range(30)]
    with ThreadPoolExecutor(32) as threads:
        first = threads.submit(table.get, 1)
        assert slow.entered.wait(LIMIT_S)
        jobs = [threads.submit(table.get, 100 + number, task) for number, task in enumerate(abandoned)]
        for task in abandoned:
            task.cancelled.set()
        slow.door.set()
        assert len(first.result(LIMIT_S).alphas) == 1
        for job in jobs:
            with pytest.raises(JobCancelled):
                job.result(LIMIT_S)
    assert slow.calls == [1]


def test_the_table_is_bounded_and_keeps_what_is_used() -> None:
    table = NodeTable(compute_nodes, most=3)
    kept = table.get(1)
    for count in range(2, 9):
        table.get(count)
        assert table.get(1) is kept
        assert len(table) <= 3


def test_a_methods_nodes_are_ready_before_its_job_is_live() -> None:
    before = len(TABLE)
    prepare_nodes(IntegratedGradients(n_steps=271), Task("job"))
    assert len(TABLE) == before + 1
    prepare_nodes(IntegratedGradients(n_steps=272, method="riemann_trapezoid"), Task("job"))
    prepare_nodes(IntegratedGradients(n_steps="auto"), Task("job"))
    prepare_nodes(Saliency(), Task("job"))
    assert len(TABLE) == before + 1
