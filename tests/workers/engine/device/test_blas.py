"""Threads of jobs compute alone: no library starts more threads for them."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import scipy.linalg
import sklearn.linear_model
from threadpoolctl import threadpool_info

from workers.jobs.running import _use_one_thread


def threads_of_libraries() -> dict[str, int]:
    np.linalg.eigvalsh(np.eye(3))
    scipy.linalg.eigvalsh(np.eye(3))
    sklearn.linear_model.LinearRegression().fit(np.eye(3), np.ones(3))
    return {str(library["filepath"]): int(library["num_threads"]) for library in threadpool_info()}


def test_a_thread_of_jobs_has_one_thread_in_every_library() -> None:
    with ThreadPoolExecutor(1, initializer=_use_one_thread) as jobs:
        found = jobs.submit(threads_of_libraries).result(60)
    assert any("openblas" in path for path in found)
    assert set(found.values()) == {1}
