"""Path methods at layers and units whose number of steps doubles until the result is settled: `"n_steps": "auto"`.

Captum's sums over a layer take a number of steps and give no value for each node. So a result is one Captum call with
`n` steps, and uses no row of the calls before it, which take as many rows together. Every example stops by itself, with
the result that it has alone.
"""

from dataclasses import dataclass
from math import isfinite

import torch
from torch import Tensor

from schemas.limits import MAX_AUTO_STEPS, TOLERANCE
from schemas.methods import AnyMethod
from schemas.methods.families import PathMethod
from schemas.results import Convergence
from workers.engine.engine import Engine
from workers.engine.seams import Seams
from workers.engine.task import Task
from workers.methods.adaptive.result import AdaptiveResult
from workers.methods.adaptive.tuning import FIRST_STEPS, MAP_TOLERANCES
from workers.methods.explain_inputs import ExplainInputs, Tensors
from workers.methods.explained_output import explained_outputs
from workers.methods.solo.request import solo_request
from workers.methods.solo.unit_values import unit_differences


@dataclass(frozen=True, slots=True)
class Settled:
    """One example: its attributions, (1, …) each, the steps that they took, and their errors."""

    attributions: Tensors
    steps: int
    error: float
    map_error: float

    def within(self, tolerance: float) -> bool:
        """True when nothing is left to do: good enough, or not finite.

        A small error of the sum may be chance, so the attributions must have come to rest too.
        """
        if self.map_error != float("inf") and not isfinite(self.error + self.map_error):
            return True
        return self.error <= tolerance and self.map_error <= MAP_TOLERANCES * tolerance


def with_doubled_steps(
    engine: Engine, task: Task, method: AnyMethod, seams: Seams, subject: ExplainInputs
) -> AdaptiveResult:
    """The attributions with as many steps as the tolerance asks for, `MAX_AUTO_STEPS` at most.

    Where attributions add up to a difference, their error is that of the sum, relative to the difference. Elsewhere it
    is the change from half as many steps, in L2, relative to the attributions' norm.

    Raises:
        JobError: as `Engine.solo`.
    """
    if not isinstance(method, PathMethod):
        raise TypeError(f"{method.name} has no steps")
    tolerance = TOLERANCE if method.tolerance is None else method.tolerance
    differences = _differences(engine, task, method, seams, subject)
    settled: dict[int, Settled] = {}
    active, steps = list(range(subject.examples)), FIRST_STEPS
    while active and steps <= MAX_AUTO_STEPS:
        part = subject.chosen(active)
        numbered = method.model_copy(update={"n_steps": steps, "tolerance": None})
        seams.expect(steps * len(active))
        found = engine.solo(solo_request(engine, task, numbered, part))
        for place, example in enumerate(active):
            now = tuple(one[place : place + 1] for one in found)
            difference = None if differences is None else float(differences[example])
            settled[example] = _compared(now, settled.get(example), steps, difference)
        active = [example for example in active if not settled[example].within(tolerance)]
        steps *= 2
    each = [settled[example] for example in range(subject.examples)]
    convergence = Convergence(
        unit="steps",
        tolerance=tolerance,
        counts=[one.steps for one in each],
        errors=[one.error for one in each],
        map_errors=[one.map_error for one in each],
    )
    return AdaptiveResult(
        tuple(torch.cat(parts) for parts in zip(*(one.attributions for one in each), strict=True)), convergence
    )


def _compared(now: Tensors, before: Settled | None, steps: int, difference: float | None) -> Settled:
    """What a call with `steps` steps gives one example, beside the call with half of them."""
    flat = _flat(now)
    change = float("inf")
    if before is not None:
        change = _relative(float((flat - _flat(before.attributions)).norm()), float(flat.norm()))
    error = change if difference is None else _relative(float(flat.sum()) - difference, difference)
    return Settled(now, steps, error, change)


def _differences(engine: Engine, task: Task, method: PathMethod, seams: Seams, subject: ExplainInputs) -> Tensor | None:
    """(examples,) what the attributions add up to; None where they add up to nothing that is known."""
    if not method.sums_to_difference or subject.baselines is None:
        return None
    if method.kind == "neuron":
        return unit_differences(engine, task, method, subject)
    at_input, at_baseline = (
        explained_outputs(seams.forward(*ends, *subject.additional_forward_args), subject.targets)
        for ends in (subject.inputs, subject.baselines)  # the job knows both
    )
    return at_input - at_baseline


def _flat(attributions: Tensors) -> Tensor:
    """(elements,) float64."""
    return torch.cat([one.flatten() for one in attributions]).double()


def _relative(error: float, size: float) -> float:
    """A share of what is there; of nothing, no error is a share of zero and any other is beyond measure."""
    if error == 0:
        return 0.0
    return abs(error / size) if size else float("inf")
