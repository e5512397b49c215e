"""Where on a path the next gradients are worth their rows, and what the rows so far add up to. Pure, and small: numbers
per node of the path, never the gradients themselves, of which only the inner products are needed.

On the path x(a) = baseline + a (input - baseline), 0 <= a <= 1, Integrated Gradients integrates the gradient. The
model's outputs at the nodes come with the gradients, so for every gap between nodes the integral of the slope dF/da is
known: it is the difference of the outputs. The error of a rule shows where the path is not resolved, without a row.

The rule: three Gauss-Legendre nodes, then Kronrod's four between them, as long as one polynomial explains every gap;
else gaps are halved where most of the error lies, judged by the outputs and by how much the gradients turn.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Rule = Literal["polynomial", "linear", "cubic"]

# Kronrod's extension of the three-point Gauss-Legendre rule on [-1, 1]; every second node is the latter's.
KRONROD = np.array([0.960491268708020283, 0.774596669241483377, 0.434243749346802558])
NODES = (np.concatenate([-KRONROD, [0.0], KRONROD[::-1]]) + 1) / 2
FIRST, SECOND = NODES[1::2], NODES[::2]
SLACK = 30.0  # errors of gaps may cancel out, but together (root of the sum of squares) be so many tolerances at most
SHARE = 0.2  # of the error: the fewest gaps that hold it are halved in one round
TURN = 2.5  # weight of the gradients' turning, relative to the outputs' differences
MIN_GAP = 2.0**-20  # float32 points nearer than that are hardly different


@dataclass(slots=True)
class Path:
    """What is known of one path, nodes in the order of their rows.

    Attributes:
        ends: F(0) and F(1), the model's outputs for baseline and input.
        alphas, outputs, slopes: (n,) a, F(a) and dF/da.
        gram: (n, n) inner products of the attributions that each node alone would give.
    """

    ends: tuple[float, float]
    alphas: Vector = field(default_factory=lambda: np.empty(0))
    outputs: Vector = field(default_factory=lambda: np.empty(0))
    slopes: Vector = field(default_factory=lambda: np.empty(0))
    gram: Matrix = field(default_factory=lambda: np.empty((0, 0)))

    @property
    def difference(self) -> float:
        return self.ends[1] - self.ends[0]

    def add(self, alphas: Vector, outputs: Vector, slopes: Vector, products: Matrix) -> None:
        """Adds k nodes; `products` is (k, n + k): those of the new ones with all."""
        known = len(self.alphas)
        gram = np.empty((known + len(alphas),) * 2)
        gram[:known, :known] = self.gram
        gram[known:] = products
        gram[:, known:] = products.T
        self.gram = gram
        self.alphas = np.concatenate([self.alphas, alphas])
        self.outputs = np.concatenate([self.outputs, outputs])
        self.slopes = np.concatenate([self.slopes, slopes])


@dataclass(frozen=True, slots=True)
class Estimate:
    """A weighted sum of the nodes' gradients.

    Attributes:
        weights: (n,) in the order of the path's nodes; they add up to 1.
        delta: its completeness error, sum of attributions minus difference of outputs.
        spread: root of the sum of squares of the gaps' errors, whose sum is `delta`.
        map_error: estimated L2 error of the attributions, relative to their norm.
        scores: (n + 1,) each gap's share of the error, from the baseline's end to the input's.
    """

    rule: Rule
    weights: Vector
    delta: float
    spread: float
    map_error: float
    scores: Vector

    def within(self, tolerance: float) -> bool:
        """Whether it misses at most `tolerance`, and not by luck alone."""
        slack = 1.0 if self.rule == "polynomial" else SLACK
        return abs(self.delta) <= tolerance and self.spread <= slack * tolerance


def estimates(path: Path) -> list[Estimate]:
    """What the nodes add up to: by one polynomial while its nodes are those of the first rounds, then piecewise."""
    order = np.argsort(path.alphas)
    alphas, gram = path.alphas[order], path.gram[np.ix_(order, order)]
    smooth = _polynomial(alphas) if len(alphas) in (len(FIRST), len(NODES)) else None
    linear = _linear(alphas)
    found = [] if smooth is None else [_estimate(path, "polynomial", smooth, linear, order, gram)]
    if len(alphas) >= len(NODES):
        cubic = _cubic(alphas) if _bends(alphas, gram) else None
        rule: Rule = "linear" if cubic is None else "cubic"
        found.append(_estimate(path, rule, linear if cubic is None else cubic, linear, order, gram))
    return found


def next_nodes(path: Path, estimate: Estimate | None, most: int) -> Vector:
    """At most `most` nodes for the next round; none where the path cannot be resolved further."""
    if estimate is None:
        return FIRST[:most]
    if len(path.alphas) == len(FIRST):
        return SECOND[:most]
    edges = np.concatenate([[0.0], np.sort(path.alphas), [1.0]])
    order = np.argsort(-estimate.scores, kind="stable")
    held = np.cumsum(estimate.scores[order])
    count = int(np.searchsorted(held, SHARE * held[-1])) + 1
    chosen = [gap for gap in order[:count] if edges[gap + 1] - edges[gap] > MIN_GAP]
    return np.array([(edges[gap] + edges[gap + 1]) / 2 for gap in chosen[:most]])


def _estimate(path: Path, rule: Rule, gaps: Matrix, linear: Matrix, order: Any, gram: Matrix) -> Estimate:
    """`gaps` and `linear` are (n + 1, n): the integral over each gap, in the slopes at the sorted nodes."""
    alphas = path.alphas[order]
    outputs = np.concatenate([[path.ends[0]], path.outputs[order], [path.ends[1]]])
    errors = gaps @ path.slopes[order] - np.diff(outputs)
    turns = _turns(alphas, gram)
    weights = gaps.sum(axis=0)
    if rule == "linear":
        missed = float(np.sqrt((turns**2).sum() / 3))
    else:
        missed = float(_norms((weights - linear.sum(axis=0))[None], gram)[0])
    size = float(_norms(weights[None], gram)[0])
    back = np.empty_like(weights)
    back[order] = weights
    return Estimate(
        rule,
        back,
        delta=float(errors.sum()),
        spread=float(np.sqrt((errors**2).sum())),
        map_error=missed / size if size > 0 else 0.0,
        scores=_shares(errors) + TURN * _shares(turns),
    )


def _shares(values: Vector) -> Vector:
    squares = values**2
    total = squares.sum()
    return squares / total if total > 0 else squares


def _turns(alphas: Vector, gram: Matrix) -> Vector:
    """(n + 1,) by how much the integral over a gap is unsure, from how much the gradients at its ends differ.

    Along a path through a ReLU network gradients wander like a Brownian motion, so what lies between two nodes h apart
    whose gradients differ by d misses the trapezoid by h d / sqrt(12) on average; `turns` is h d / 2. The end gaps have
    one node, and take the pace of the neighbouring gap.
    """
    steps = np.eye(len(alphas))[1:] - np.eye(len(alphas))[:-1]
    inner, differences = np.diff(alphas), _norms(steps, gram)
    pace = differences / np.sqrt(inner)
    ends = np.array([alphas[0], 1.0 - alphas[-1]]) ** 1.5 * pace[[0, -1]]
    return np.concatenate([ends[:1], inner * differences / 2, ends[1:]])


def _norms(combinations: Matrix, gram: Matrix) -> Vector:
    """(k, n) coefficients to (k,) norms of those sums of the nodes' attributions."""
    squares = (combinations @ gram * combinations).sum(axis=1)
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)))


def _polynomial(alphas: Vector) -> Matrix:
    """Integrals over the gaps of the polynomial through all nodes."""
    powers = np.arange(len(alphas))
    edges = 2.0 * np.concatenate([[0.0], alphas, [1.0]]) - 1.0
    primitives = edges[:, None] ** (powers + 1) / (powers + 1) / 2
    return np.asarray(np.diff(primitives, axis=0) @ np.linalg.inv((2.0 * alphas[:, None] - 1.0) ** powers))


def _linear(alphas: Vector) -> Matrix:
    """Trapezoids between the nodes; the first and the last gradient hold to the ends."""
    count = len(alphas)
    gaps = np.zeros((count + 1, count))
    inner = np.arange(1, count)
    gaps[inner, inner - 1] = gaps[inner, inner] = np.diff(alphas) / 2
    gaps[0, 0], gaps[count, count - 1] = alphas[0], 1.0 - alphas[-1]
    return gaps


def _cubic(alphas: Vector) -> Matrix:
    """Integrals of the natural spline through the nodes; straight on to the ends."""
    from scipy.interpolate import CubicSpline  # noqa: PLC0415  # takes half a second, and few paths need it

    spline = CubicSpline(alphas, np.eye(len(alphas)), bc_type="natural")
    primitive = spline.antiderivative()
    gaps = np.zeros((len(alphas) + 1, len(alphas)))
    gaps[1:-1] = np.diff(primitive(alphas), axis=0)
    slopes = spline(alphas[[0, -1]], 1)
    first, last = alphas[0], 1.0 - alphas[-1]
    gaps[0] = -(first**2) / 2 * slopes[0]
    gaps[-1] = last**2 / 2 * slopes[1]
    gaps[0, 0] += first
    gaps[-1, -1] += last
    return gaps


def _bends(alphas: Vector, gram: Matrix) -> bool:
    """Whether cubics foretell left-out nodes from four neighbours better than lines do from two: True on smooth models,
    False on ReLU networks, where gradients jump at every bend."""
    lines: list[Vector] = []
    cubics: list[Vector] = []
    for node in range(2, len(alphas) - 2):
        for found, reach in ((lines, 1), (cubics, 2)):
            around = [node + step for step in range(-reach, reach + 1) if step]
            left_out = np.zeros(len(alphas))
            left_out[around] = -_lagrange(alphas[around], alphas[node])
            left_out[node] = 1.0
            found.append(left_out * (alphas[node + 1] - alphas[node - 1]))
    if not lines:
        return False
    return bool((_norms(np.array(cubics), gram) ** 2).sum() < (_norms(np.array(lines), gram) ** 2).sum())


def _lagrange(points: Vector, at: float) -> Vector:
    """Weights of the values at `points` in the value at `at` of the polynomial through them."""
    return np.array([np.prod([(at - q) / (p - q) for q in points if q != p]) for p in points])
