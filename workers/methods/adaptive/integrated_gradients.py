"""Integrated Gradients that refines its path until the attributions add up: `"n_steps": "auto"`.

Captum's `IntegratedGradients` takes a number of steps and a rule, not nodes one by one, so this loop is our own, over
the same gradient seam. `quadrature` decides where; here rows are made, and gradients kept until their weights are
known. Every example refines by itself, and a round's rows of all examples go as one block.
"""

from dataclasses import dataclass, field
from math import isfinite

import numpy as np
import torch
from captum._utils.common import _select_targets
from torch import Tensor

from schemas import methods as spec
from schemas.jobs import Targets
from schemas.limits import MAX_AUTO_STEPS, MAX_PATH_BYTES, TOLERANCE
from schemas.results import Convergence
from workers.engine.seams import Seams
from workers.methods.adaptive.quadrature import Estimate, Path, Vector, estimates, next_nodes
from workers.methods.adaptive.result import AdaptiveResult
from workers.methods.calls import AdaptiveCalls
from workers.methods.explain_inputs import MIN_CHUNK_ROWS, ExplainInputs, Tensors, captum_target, chunk_rows
from workers.methods.path_sums import PathSums, last_nodes

SLAB = 32  # gradients that are widened to float64 at once


@dataclass(frozen=True, slots=True)
class PartialSums:
    """One example's points: (3, points) float64 alphas, outputs and weights so far; (points, elements) attributions."""

    numbers: Tensor
    attributions: Tensor


@dataclass(slots=True)
class Refined:
    """One example: its path, the attributions that each node alone would give, flat, and the latest estimate."""

    example: int
    path: Path
    scale: Tensor  # (elements,) input - baseline
    rows: list[Tensor] = field(default_factory=list)  # (elements,) each
    estimate: Estimate | None = None

    def add(self, alphas: Vector, gradients: Tensor, outputs: Tensor, *, multiply: bool) -> None:
        """Takes (k, elements) gradients and (k,) outputs in."""
        given = gradients * self.scale
        slopes = given.sum(dim=1, dtype=torch.float64)
        rows = given if multiply else gradients
        self.rows.extend(rows)
        wide = rows.double()
        products = torch.cat([wide @ slab.double().T for slab in _slabs(self.rows)], dim=1)
        self.path.add(alphas, *(t.double().cpu().numpy() for t in (outputs, slopes, products)))

    def settle(self, tolerance: float) -> bool:
        """Estimates anew; True when nothing is left to do: good enough, or not finite."""
        found = estimates(self.path)
        bound = tolerance * abs(self.path.difference)
        self.estimate = next((one for one in found if one.within(bound)), found[-1])
        return self.estimate.within(bound) or not isfinite(self.estimate.delta)

    @property
    def reached(self) -> Estimate:
        if self.estimate is None:
            raise RuntimeError("no round was run")
        return self.estimate

    @property
    def error(self) -> float:
        """The completeness error, relative to the difference of the outputs."""
        missed, whole = abs(self.reached.delta), abs(self.path.difference)
        return missed / whole if whole > 0 else missed

    def attributions(self) -> Tensor:
        """(elements,) the weighted sum, added up in float64."""
        weights = torch.from_numpy(self.reached.weights).to(self.scale.device)
        parts = [w @ slab.double() for w, slab in zip(torch.split(weights, SLAB), _slabs(self.rows), strict=True)]
        return torch.stack(parts).sum(dim=0).to(self.scale.dtype)

    def partial_sums(self, points: int) -> "PartialSums":
        """The sums at so many nodes, in the order of the path; fewer if there are fewer nodes."""
        order = np.argsort(self.path.alphas, kind="stable")
        weights = self.reached.weights[order]
        shown = last_nodes(len(order), points)
        running = torch.zeros_like(self.scale, dtype=torch.float64)
        sums = []
        for number, (node, weight) in enumerate(zip(order.tolist(), weights.tolist(), strict=True), start=1):
            running = running + weight * self.rows[node].double()
            if number in shown:
                sums.append(running.to(self.scale.dtype))
        at = np.array(shown) - 1
        numbers = np.stack([self.path.alphas[order][at], self.path.outputs[order][at], weights.cumsum()[at]])
        return PartialSums(torch.from_numpy(numbers), torch.stack(sums))


@dataclass(frozen=True, slots=True)
class Walk:
    """The paths of a problem, and how far they are to be refined."""

    seams: Seams
    inputs: Tensors
    baselines: Tensors
    additional_forward_args: Tensors
    targets: Targets | None
    multiply: bool
    tolerance: float
    most: int  # nodes of one example
    chunk: int  # rows handed over at once

    def begin(self) -> list[Refined]:
        """Every example, with the outputs at both ends of its path."""
        target = captum_target(self.targets)
        ends = [
            _select_targets(self.seams.forward(*tensors, *self.additional_forward_args), target).reshape(-1).tolist()
            for tensors in (self.baselines, self.inputs)
        ]
        scales = _flat(tuple(i - b for i, b in zip(self.inputs, self.baselines, strict=True)))
        paths = (Path(both) for both in zip(*ends, strict=True))
        return [Refined(e, path, scale) for e, (path, scale) in enumerate(zip(paths, scales, strict=True))]

    def refine(self, group: list[Refined]) -> None:
        """Rounds of new nodes, until every example of the group is settled or has the most it may."""
        active = group
        while active:
            nodes = ((one, next_nodes(one.path, one.estimate, self.most - len(one.rows))) for one in active)
            wanted = [(one, alphas) for one, alphas in nodes if len(alphas)]
            if not wanted:
                return
            counts = [len(alphas) for _, alphas in wanted]
            gradients, outputs = (torch.split(answer, counts) for answer in self._rows(wanted))
            for (one, alphas), gradient, output in zip(wanted, gradients, outputs, strict=True):
                one.add(alphas, gradient, output, multiply=self.multiply)
            active = [one for one, _ in wanted if not one.settle(self.tolerance)]

    def _rows(self, wanted: list[tuple[Refined, Vector]]) -> tuple[Tensor, Tensor]:
        """Gradients (rows, elements) and outputs (rows,) of all the nodes wanted."""
        device = self.inputs[0].device
        examples = torch.tensor([one.example for one, alphas in wanted for _ in alphas], device=device)
        alphas = torch.from_numpy(np.concatenate([alphas for _, alphas in wanted])).to(device)
        self.seams.expect(len(alphas))
        gradients, outputs = [], []
        for which, at in zip(torch.split(examples, self.chunk), torch.split(alphas, self.chunk), strict=True):
            points = tuple(_between(b[which], i[which], at) for i, b in zip(self.inputs, self.baselines, strict=True))
            targets = self.targets and [self.targets[e if len(self.targets) > 1 else 0] for e in which.tolist()]
            found, output = self.seams.gradient_and_output(
                points, targets, tuple(e[which] for e in self.additional_forward_args)
            )
            gradients.append(_flat(found))
            outputs.append(output)
        return torch.cat(gradients), torch.cat(outputs)


def integrated_gradients(
    method: spec.IntegratedGradients, seams: Seams, subject: ExplainInputs, batch_rows: int
) -> AdaptiveResult:
    """Sundararajan, Taly and Yan (2017), on as few points of the path as its tolerance allows.

    Stops when |sum of attributions - (f(input) - f(baseline))| is at most `tolerance` of that difference, or at
    `most_steps`.
    """
    if subject.baselines is None:
        raise ValueError("a path needs a baseline")
    tolerance = TOLERANCE if method.tolerance is None else method.tolerance
    most, together = most_steps(subject)
    multiply, chunk = method.multiply_by_inputs, chunk_rows(batch_rows, 1)
    walk = Walk(
        seams,
        subject.inputs,
        subject.baselines,
        subject.additional_forward_args,
        subject.targets,
        multiply,
        tolerance,
        most,
        chunk,
    )
    examples = walk.begin()
    answer = torch.empty_like(_flat(subject.inputs))
    partial: list[PartialSums] = []
    for start in range(0, len(examples), together):
        group = examples[start : start + together]
        walk.refine(group)
        for one in group:
            answer[one.example] = one.attributions()
            if method.frames:
                partial.append(one.partial_sums(method.frames))
            one.rows.clear()
    steps = Convergence(
        unit="steps",
        tolerance=tolerance,
        counts=[len(one.path.alphas) for one in examples],
        errors=[one.error for one in examples],
        map_errors=[one.reached.map_error for one in examples],
    )
    path = _path(partial, subject.inputs) if partial else None
    return AdaptiveResult(_shaped(answer, subject.inputs), steps, path)


def most_steps(subject: ExplainInputs) -> tuple[int, int]:
    """How many nodes an example may take, and how many examples are refined together, within the job's memory.

    The first does not depend on the number of examples, so that each is answered as it would be alone.
    """
    each = sum(tensor[0].numel() * tensor.element_size() for tensor in subject.inputs)
    held = max(MIN_CHUNK_ROWS, MAX_PATH_BYTES // each)
    most = min(MAX_AUTO_STEPS, held)
    return most, min(subject.examples, held // most)


def _between(baselines: Tensor, inputs: Tensor, alphas: Tensor) -> Tensor:
    """(rows, …) points of the path, as Captum computes them."""
    return baselines + alphas.to(inputs.dtype).reshape(-1, *[1] * (inputs.dim() - 1)) * (inputs - baselines)


def _path(partial: list[PartialSums], inputs: Tensors) -> PathSums:
    """The points of all examples: as many of each as the example with the fewest nodes has."""
    common = min(len(one.attributions) for one in partial)
    chosen = [[node - 1 for node in last_nodes(len(one.attributions), common)] for one in partial]
    numbers = torch.stack([one.numbers[:, at] for one, at in zip(partial, chosen, strict=True)], dim=1)
    sums = torch.stack([one.attributions[at] for one, at in zip(partial, chosen, strict=True)])
    return PathSums(numbers[0], numbers[1], numbers[2], _shaped(sums, inputs))


def _shaped(flat: Tensor, inputs: Tensors) -> Tensors:
    """(…, elements) of all inputs together to the shape of each input."""
    parts = torch.split(flat, [tensor[0].numel() for tensor in inputs], dim=-1)
    return tuple(part.reshape(*flat.shape[:-1], *i.shape[1:]) for part, i in zip(parts, inputs, strict=True))


def _flat(tensors: Tensors) -> Tensor:
    """(rows, …) each to (rows, elements)."""
    return torch.cat([tensor.reshape(tensor.shape[0], -1) for tensor in tensors], dim=1)


def _slabs(rows: list[Tensor]) -> list[Tensor]:
    return [torch.stack(rows[start : start + SLAB]) for start in range(0, len(rows), SLAB)]


CALLS: AdaptiveCalls = {spec.IntegratedGradients: integrated_gradients}
