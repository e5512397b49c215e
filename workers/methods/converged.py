"""What methods answer that stop by themselves."""

from dataclasses import dataclass

from schemas.results import Convergence
from workers.methods.explain_inputs import Tensors


@dataclass(frozen=True, slots=True)
class Stopped:
    """Attributions (examples, …), and how they were arrived at."""

    attributions: Tensors
    convergence: Convergence
