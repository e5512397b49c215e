"""Gauss-Legendre nodes: each order is computed once for all jobs, and kept in a bounded table.

Captum asks numpy for them several times in every call. numpy takes all eigenvalues of a dense matrix, which is O(n³):
two seconds and some hundred megabytes for 2,000 nodes, in every job's thread at once. Here one thread at a time
computes them. Up to `NUMPY_NODES` they are numpy's, as Captum's are. For more, the eigenvalues are those of the same
matrix in tridiagonal form, O(n²): the nodes agree to the last bits, the weights to 1e-8, the resolution of Captum's
float32.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from captum.attr._utils import approximation_methods
from numpy.polynomial import legendre
from numpy.typing import NDArray

from schemas.errors import JobCancelled
from schemas.methods import AnyMethod
from workers.engine.task import Task
from workers.methods.tuning import MAX_NODE_ORDERS, NUMPY_NODES

Builder = Callable[[int], list[float]]
Vector = NDArray[np.float64]


class Nodes(NamedTuple):
    """(n,) each: the weights of the nodes, and their places on the path, between 0 and 1."""

    step_sizes: Vector
    alphas: Vector


class NodeTable:
    """Nodes by their number, the least recently used dropped first. Every method may be called from any thread."""

    def __init__(self, compute: Callable[[int], Nodes], most: int = MAX_NODE_ORDERS) -> None:
        self._compute = compute
        self._most = most
        self._reading = threading.Lock()
        self._computing = threading.Lock()  # held by the one thread that computes
        self._found: OrderedDict[int, Nodes] = OrderedDict()

    def get(self, count: int, task: Task | None = None) -> Nodes:
        """The rule of `count` nodes; waits while another thread computes one.

        Raises:
            JobCancelled: the task was cancelled before its turn came.
        """
        found = self._known(count)
        if found is not None:
            return found
        with self._computing:
            found = self._known(count)  # the thread that this one waited for may have computed it
            if found is not None:
                return found
            if task is not None and task.cancelled.is_set():
                raise JobCancelled("the job was cancelled")
            found = self._compute(count)
            with self._reading:
                self._found[count] = found
                if len(self._found) > self._most:
                    self._found.popitem(last=False)
            return found

    def __len__(self) -> int:
        with self._reading:
            return len(self._found)

    def _known(self, count: int) -> Nodes | None:
        with self._reading:
            found = self._found.get(count)
            if found is not None:
                self._found.move_to_end(count)
            return found


def compute_nodes(count: int) -> Nodes:
    """`numpy.polynomial.legendre.leggauss`, scaled to the path as Captum does, in O(n²)."""
    if count < 1:
        raise AssertionError("The number of steps has to be larger than zero")  # Captum's own
    if count <= NUMPY_NODES:
        x, weights = legendre.leggauss(count)
        return Nodes(0.5 * weights, 0.5 * (1 + x))
    k = np.arange(1.0, count)
    between = k / np.sqrt((2 * k - 1) * (2 * k + 1))
    from scipy.linalg import eigvalsh_tridiagonal  # noqa: PLC0415  # takes a quarter of a second

    x = eigvalsh_tridiagonal(np.zeros(count), between, lapack_driver="sterf")
    polynomial = np.zeros(count + 1)
    polynomial[-1] = 1.0
    derivative = legendre.legval(x, legendre.legder(polynomial))
    x = x - legendre.legval(x, polynomial) / derivative  # one step of Newton's method
    previous = legendre.legval(x, polynomial[1:])
    weights = 1.0 / (previous / np.abs(previous).max() * derivative / np.abs(derivative).max())
    weights = weights + weights[::-1]
    return Nodes(weights / weights.sum(), 0.5 * (1.0 + (x - x[::-1]) / 2))


TABLE = NodeTable(compute_nodes)


def prepare_nodes(method: AnyMethod, task: Task) -> None:
    """Computes the nodes that a method asks for, before its job is live and the engine waits for its rows.

    Raises:
        JobCancelled: the task was cancelled meanwhile.
    """
    count = getattr(method, "n_steps", None)
    if isinstance(count, int) and getattr(method, "method", "gausslegendre") == "gausslegendre":
        TABLE.get(count, task)


def step_sizes(count: int) -> list[float]:
    """The weights of `count` nodes of the path."""
    return [float(size) for size in TABLE.get(count).step_sizes]


def alphas(count: int) -> list[float]:
    """The places of `count` nodes on the path, between 0 and 1."""
    return [float(alpha) for alpha in TABLE.get(count).alphas]


def _builders() -> tuple[Builder, Builder]:
    return step_sizes, alphas


def install() -> None:
    """Puts the table in place of Captum's own nodes."""
    approximation_methods.gauss_legendre_builders = _builders
