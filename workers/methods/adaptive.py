"""Integrated Gradients that refines its path until the attributions add up: `"n_steps": "auto"`.

Captum's `IntegratedGradients` takes a number of steps and a rule, not nodes one by one, so this loop is our own, over the
same gradient seam. `workers.methods.quadrature` decides; here rows are made, and gradients kept until their weights are
known. Every example refines by itself, and a round's rows of all examples go as one block.
"""

from dataclasses import dataclass, field
from math import isfinite

import numpy as np
import torch
from captum._utils.common import _select_targets
from torch import Tensor

from schemas import methods as spec
from schemas.limits import MAX_AUTO_STEPS, MAX_NOISE_BYTES, MAX_ROWS_PER_JOB, TOLERANCE
from workers.engine.seams import Seams
from workers.methods.problem import MIN_CHUNK_ROWS, Problem, Tensors, captum_target, chunk_rows
from workers.methods.quadrature import Estimate, Path, Vector, estimates, next_nodes
from workers.methods.stopped import Convergence, Stopped

ROOM = 128  # nodes that every example may keep, before examples of a large job wait for each other
SLAB = 32  # gradients that are widened to float64 at once


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
    def error(self) -> float:
        """The completeness error, relative to the difference of the outputs."""
        missed, whole = abs(self.estimate.delta) if self.estimate else 0.0, abs(self.path.difference)
        return missed / whole if whole > 0 else missed

    def attributions(self) -> Tensor:
        """(elements,) the weighted sum, added up in float64."""
        assert self.estimate is not None
        weights = torch.from_numpy(self.estimate.weights).to(self.scale.device)
        parts = [w @ slab.double() for w, slab in zip(weights.split(SLAB), _slabs(self.rows), strict=True)]
        return torch.stack(parts).sum(dim=0).to(self.scale.dtype)


def integrated_gradients(m: spec.IntegratedGradients, seams: Seams, p: Problem, batch_rows: int) -> Stopped:
    """Sundararajan, Taly and Yan (2017), on as few points of the path as its tolerance allows.

    Stops when |sum of attributions - (f(input) - f(baseline))| is at most `tolerance` of that difference, or at
    `most_steps`.
    """
    assert p.baselines is not None
    tolerance = TOLERANCE if m.tolerance is None else m.tolerance
    target = captum_target(p.targets)
    at_baseline, at_input = (
        _select_targets(seams.forward(*tensors, *p.extras), target).reshape(-1).tolist()
        for tensors in (p.baselines, p.inputs)
    )
    scales = _flat(tuple(i - b for i, b in zip(p.inputs, p.baselines, strict=True)))
    each, together = most_steps(p)
    done: list[Refined] = []
    for start in range(0, p.examples, together):
        group = [
            Refined(e, Path((at_baseline[e], at_input[e])), scales[e])
            for e in range(start, min(start + together, p.examples))
        ]
        _refine(group, seams, p, tolerance, each, m.multiply_by_inputs, chunk_rows(batch_rows, 1))
        done += group
    answer = torch.stack([one.attributions() for one in done])
    steps = Convergence(
        "steps",
        tolerance,
        counts=[len(one.rows) for one in done],
        errors=[one.error for one in done],
        map_errors=[one.estimate.map_error if one.estimate else 0.0 for one in done],
    )
    sizes = [i[0].numel() for i in p.inputs]
    shaped = (part.reshape(i.shape) for part, i in zip(answer.split(sizes, dim=1), p.inputs, strict=True))
    return Stopped(tuple(shaped), steps)


def most_steps(p: Problem) -> tuple[int, int]:
    """How many nodes an example may take, and how many examples are refined together, within the job's memory."""
    each = sum(tensor[0].numel() * tensor.element_size() for tensor in p.inputs)
    held = max(MIN_CHUNK_ROWS, MAX_NOISE_BYTES // each)
    together = max(1, min(p.examples, held // ROOM))
    return min(MAX_AUTO_STEPS, held // together, MAX_ROWS_PER_JOB // p.examples - 2), together


def _refine(
    group: list[Refined], seams: Seams, p: Problem, tolerance: float, most: int, multiply: bool, chunk: int
) -> None:
    """Rounds of new nodes, until every example of the group is settled or has `most`."""
    active = group
    while active:
        wanted = [(one, next_nodes(one.path, one.estimate, most - len(one.rows))) for one in active]
        wanted = [(one, alphas) for one, alphas in wanted if len(alphas)]
        if not wanted:
            return
        gradients, outputs = _rows(wanted, seams, p, chunk)
        counts = [len(alphas) for _, alphas in wanted]
        for (one, alphas), g, f in zip(wanted, gradients.split(counts), outputs.split(counts), strict=True):
            one.add(alphas, g, f, multiply=multiply)
        active = [one for one, _ in wanted if not one.settle(tolerance)]


def _rows(wanted: list[tuple[Refined, Vector]], seams: Seams, p: Problem, chunk: int) -> tuple[Tensor, Tensor]:
    """Gradients (rows, elements) and outputs (rows,) of all the nodes wanted, `chunk` rows at a time."""
    assert p.baselines is not None
    device = p.inputs[0].device
    examples = torch.tensor([one.example for one, alphas in wanted for _ in alphas], device=device)
    alphas = torch.from_numpy(np.concatenate([alphas for _, alphas in wanted])).to(device)
    seams.expect(len(alphas))
    answers = []
    for which, at in zip(examples.split(chunk), alphas.split(chunk), strict=True):
        points = tuple(_between(b[which], i[which], at) for i, b in zip(p.inputs, p.baselines, strict=True))
        targets = None if p.targets is None else [p.targets[e if len(p.targets) > 1 else 0] for e in which.tolist()]
        gradients, outputs = seams.gradient_and_output(points, targets, tuple(e[which] for e in p.extras))
        answers.append((_flat(gradients), outputs))
    return torch.cat([g for g, _ in answers]), torch.cat([f for _, f in answers])


def _between(baselines: Tensor, inputs: Tensor, alphas: Tensor) -> Tensor:
    """(rows, …) points of the path, as Captum computes them."""
    return baselines + alphas.to(inputs.dtype).reshape(-1, *[1] * (inputs.dim() - 1)) * (inputs - baselines)


def _flat(tensors: Tensors) -> Tensor:
    return torch.cat([tensor.reshape(tensor.shape[0], -1) for tensor in tensors], dim=1)


def _slabs(rows: list[Tensor]) -> list[Tensor]:
    return [torch.stack(rows[start : start + SLAB]) for start in range(0, len(rows), SLAB)]
