"""What one call of a method yields."""

from dataclasses import dataclass

from schemas.results import Convergence
from workers.methods.explain_inputs import Tensors
from workers.methods.path_sums import PathSums


@dataclass(frozen=True, slots=True)
class Attributed:
    """Attributions, (examples, …) for each input or output of a layer; the rest as in `Outcome`."""

    attributions: Tensors
    convergence: Convergence | None = None
    path: PathSums | None = None
