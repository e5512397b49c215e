"""One explanation under evaluation."""

from dataclasses import dataclass

from schemas.methods import AnyMethod
from workers.engine.engine import Engine
from workers.engine.seams import Seams
from workers.engine.task import Task
from workers.evaluation.evaluation_inputs import EvaluationInputs
from workers.methods.explain_inputs import ExplainInputs
from workers.methods.outcome import Outcome


@dataclass(frozen=True, slots=True)
class EvaluationRun:
    """What metrics are computed from, and what computes them.

    Attributes:
        seams: the model as a function; rows that it computes count for `task`.
        subject: what was explained, with the targets of the outcome.
        outcome: the explanation.
        seed: of the job; every metric that draws starts from it.
    """

    engine: Engine
    task: Task
    seams: Seams
    method: AnyMethod
    subject: ExplainInputs
    outcome: Outcome
    inputs: EvaluationInputs
    seed: int
