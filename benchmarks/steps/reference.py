"""The path of one picture at many points: what every rule is compared with."""

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load
from torch import Tensor

from workers.engine.seams import Seams
from workers.engine.task import Task
from workers.models.resident import ResidentModel

POINTS = (32, 32, 24, 16, 16)  # by octave: from 1/2 to 1, from 1/4 to 1/2, …
NEAREST = 32  # points from the baseline to the last octave
BATCHES = 8  # blocks of rows for the engine
SKETCH = 2048  # random sums that stand for a gradient of 150,528 elements; they keep its norm within 3 %
Floats = NDArray[np.float64]


class Reference:
    """Outputs, slopes and gradients along the path of one picture.

    Attributes:
        alphas: (points,) from 0 at the baseline to 1 at the input.
        outputs: (points,) the target's output.
        slopes: (points,) its derivative by alpha.
        sketches: (points, SKETCH) random projections of gradient times input.
        map: (elements,) float64, the attributions: the trapezoid sum of gradient times input.
        difference: f(input) - f(baseline).
    """

    def __init__(self, model: ResidentModel, payload: bytes, target: int) -> None:
        prepared = model.adapter.prepare(load(payload), model.engine.view.device)
        (x,) = prepared.inputs
        self.alphas = path_points()
        generator = torch.Generator().manual_seed(0)
        self._cells = torch.randint(0, SKETCH, (x.numel(),), generator=generator)
        self._signs = torch.randint(0, 2, (x.numel(),), generator=generator) * 2.0 - 1.0
        self.map = torch.zeros(x.numel(), dtype=torch.float64)
        task = Task("reference")
        seams = Seams(model.engine, task)
        model.engine.enter(task)
        outputs, slopes, sketches = [], [], []
        weights = trapezoid_weights(self.alphas)
        for alphas, w in zip(np.array_split(self.alphas, BATCHES), np.array_split(weights, BATCHES), strict=True):
            a = torch.tensor(alphas, dtype=x.dtype).reshape(-1, 1, 1, 1)
            (gradients,), output = seams.gradient_and_output((a * x,), [target] * len(alphas))
            rows = (gradients * x).flatten(1)  # (points, elements)
            outputs.append(output.double().numpy())
            slopes.append(rows.sum(dim=1, dtype=torch.float64).numpy())
            sketches.append(self.sketch(rows).numpy())
            self.map += torch.from_numpy(w) @ rows.double()
        model.engine.leave(task)
        self.rows = task.rows
        self.outputs, self.slopes, self.sketches = (np.concatenate(p) for p in (outputs, slopes, sketches))
        self.difference = float(self.outputs[-1] - self.outputs[0])

    def sketch(self, rows: Tensor) -> Tensor:
        """(rows, elements) -> (rows, SKETCH): sums of random elements with random signs."""
        return torch.zeros(len(rows), SKETCH).index_add_(1, self._cells, rows * self._signs)

    def errors(self, attributions: Tensor) -> dict[str, float]:
        """Completeness error of a whole map, and its relative distances from the reference in L2 and L1."""
        flat = attributions.flatten().double()
        distance = flat - self.map
        return {
            "completeness": abs(float(flat.sum()) - self.difference) / abs(self.difference),
            "l2": float(distance.norm() / self.map.norm()),
            "l1": float(distance.abs().sum() / self.map.abs().sum()),
        }


def path_points() -> Floats:
    """The reference's alphas: denser by octaves towards the baseline, where gradients change fastest."""
    alphas = [2.0**-octave * (1 + k / n) / 2 for octave, n in enumerate(POINTS) for k in range(n)]
    alphas += [2.0 ** -len(POINTS) * k / NEAREST for k in range(NEAREST)]
    return np.unique([*alphas, 1.0])


def trapezoid_weights(alphas: Floats) -> Floats:
    """(points,) weights of the trapezoid rule."""
    widths = np.diff(alphas)
    return np.concatenate([widths, [0.0]]) / 2 + np.concatenate([[0.0], widths]) / 2
