"""What a rule module does at each activation instead of autograd's own backward."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from torch import Tensor, nn

from workers.tracing.samples import Tensors

Activation = Callable[[Tensor], Tensor]


class ActivationRule(ABC):
    """One rule, for all activations of one module. It serves one forward at a time."""

    @abstractmethod
    def covers(self, layer: nn.Module) -> bool:
        """Whether the backward of this module is replaced."""

    @abstractmethod
    def apply(self, layer: nn.Module, activation: Activation, x: Tensor) -> Tensor:
        """The activation's output, whose backward follows the rule.

        Args:
            layer: the activation as a module.
            activation: computes it; not in place.
            x: (rows, …).
        """

    @abstractmethod
    def run(self, module: nn.Module, rows: Tensors, baselines: Tensors, eps: float) -> Tensor:
        """The module's outputs for `rows`, with a graph whose gradients are those of the rule.

        Args:
            module: all activations of which call `apply`.
            rows: what the module takes.
            baselines: what the module takes, for a rule that compares rows with them.
            eps: of the rescale rule.
        """
