"""What Integrated Gradients has added up at points of its path: partial sums of the quadrature."""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from workers.methods.explain_inputs import Tensors


@dataclass(frozen=True, slots=True)
class PathSums:
    """Partial sums of the quadrature over its nodes, in the order of the path.

    Attributes:
        alphas, outputs, covered: (examples, points) float64: places on the path, the explained outputs there, and the
            weights so far.
        attributions: (examples, points, …) for each input: the attributions so far. The last are the method's own.
    """

    alphas: Tensor
    outputs: Tensor
    covered: Tensor
    attributions: Tensors


def last_nodes(nodes: int, points: int) -> list[int]:
    """The numbers of nodes, counted from 1, after which a point of the path is shown: evenly spread, the last one last.

    At most `points`, and as many as there are nodes.
    """
    count = min(nodes, points)
    return [-(-nodes * point // count) for point in range(1, count + 1)]


@dataclass(slots=True)
class RunningSum:
    """Adds up weighted gradients node by node, and keeps the sums after the nodes that are shown.

    Attributes:
        weights, alphas: of all nodes, in the order of the path.
        shown: numbers of nodes, as `last_nodes` gives them.
        scales: (examples, …) each: input - baseline, or 1 where attributions are rates.
    """

    weights: list[float]
    alphas: list[float]
    shown: list[int]
    scales: Tensors
    _nodes: int = 0
    _sums: list[Tensor] = field(default_factory=list)  # of gradients, so far
    _kept: list[list[Tensor]] = field(default_factory=list)  # for each point shown, the sums for each input
    _outputs: list[Tensor] = field(default_factory=list)  # (examples,) float64 for each point shown

    def add(self, gradients: Tensors, outputs: Tensor) -> None:
        """Takes the next nodes in: (nodes * examples, …) gradients and (nodes * examples,) outputs, node by node."""
        examples = self.scales[0].shape[0]
        for start in range(0, outputs.shape[0], examples):
            part = slice(start, start + examples)
            weight = float(np.float32(self.weights[self._nodes]))  # as in Captum, whatever the type of the gradients
            scaled = [gradient[part] * weight for gradient in gradients]
            self._sums = [a + b for a, b in zip(self._sums, scaled, strict=True)] if self._sums else scaled
            self._nodes += 1
            if self._nodes in self.shown:
                self._kept.append([a * scale for a, scale in zip(self._sums, self.scales, strict=True)])
                self._outputs.append(outputs[part].reshape(examples).double())

    def finished(self, attributions: Tensors) -> PathSums:
        """The sums; in place of the last one, which Captum adds up in another order, its own `attributions`."""
        columns = zip(*self._kept[:-1], attributions, strict=True)
        examples = attributions[0].shape[0]
        places = torch.tensor(self.alphas, dtype=torch.float64)[[node - 1 for node in self.shown]]
        covered = torch.tensor(self.weights, dtype=torch.float64).cumsum(0)[[node - 1 for node in self.shown]]
        return PathSums(
            places.expand(examples, -1),
            torch.stack(self._outputs, dim=1),
            covered.expand(examples, -1),
            tuple(torch.stack(column, dim=1) for column in columns),
        )
