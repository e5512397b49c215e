"""Results of adaptive methods, which choose their number of steps or samples."""

from dataclasses import dataclass

from schemas.results import Convergence
from workers.methods.explain_inputs import Tensors


@dataclass(frozen=True, slots=True)
class AdaptiveResult:
    """Attributions (examples, …), and the number of steps or samples that they took."""

    attributions: Tensors
    convergence: Convergence
