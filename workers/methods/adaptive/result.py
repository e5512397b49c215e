"""Results of adaptive methods, which choose their number of steps or samples."""

from dataclasses import dataclass

from schemas.results import Convergence
from workers.methods.explain_inputs import Tensors
from workers.methods.path_sums import PathSums


@dataclass(frozen=True, slots=True)
class AdaptiveResult:
    """Attributions (examples, …), the number of steps or samples that they took, and points of the path if wanted."""

    attributions: Tensors
    convergence: Convergence
    path: PathSums | None = None
