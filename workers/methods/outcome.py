"""What an explanation yields, before it is described in the client's terms."""

from dataclasses import dataclass

from torch import Tensor

from schemas.jobs import Targets
from schemas.results import Convergence
from workers.methods.explain_inputs import Tensors
from workers.methods.path_sums import PathSums


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an explanation yields, in model space.

    Attributes:
        attributions: (examples, …) for each input, or for each output of a layer.
        outputs: (examples, …), the model's.
        targets: the outputs explained; None for a scalar output.
        delta: (examples,), sum(attributions) - `difference`; None where the method does not promise that it vanishes.
        difference: (examples,), f(input) - f(baseline).
        convergence: of a method that stopped by itself.
        path: what the method had added up at points of its path, where the request wants them.
    """

    attributions: Tensors
    outputs: Tensor
    targets: Targets | None
    delta: Tensor | None
    difference: Tensor | None
    convergence: Convergence | None = None
    path: PathSums | None = None
