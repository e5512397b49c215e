"""DeepLIFT's rules for activations and max pools, put into Captum's table: Captum calls these.

Of the rules that Captum 0.9.0 brings, two are wrong: softmax subtracts a mean over the whole batch, and max pooling
takes row 0's gradient for every row and loses what overlapping windows share. And it has none for many activations,
where it takes the plain gradient. `docs/captum-differences.md` lists what this changes.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from captum.attr._core.deep_lift import SUPPORTED_NON_LINEAR, nonlinear
from torch import Tensor, nn

Rule = Callable[..., Tensor]
Pooled = tuple[Tensor, Tensor]
Pool = Callable[[nn.Module, Tensor], Pooled]  # gives values and flat indices


class ClippedReLU(nn.ReLU):
    """`min(max(x, 0), upper)`: a ReLU for the methods that alter every ReLU."""

    def __init__(self, upper: float) -> None:
        super().__init__()
        self.upper = upper

    def forward(self, x: Tensor) -> Tensor:
        return F.hardtanh(x, 0.0, self.upper)


# For these the rescale rule (Shrikumar, Greenside, Kundaje 2017, section 3.5.1) says what to do: each multiplier is the
# difference of outputs over the difference of inputs. It sums up exactly for softmax, too.
ELEMENTWISE: tuple[type[nn.Module], ...] = (
    ClippedReLU,
    nn.CELU,
    nn.ELU,
    nn.GELU,
    nn.Hardshrink,
    nn.Hardsigmoid,
    nn.Hardswish,
    nn.Hardtanh,
    nn.LeakyReLU,
    nn.LogSigmoid,
    nn.Mish,
    nn.PReLU,
    nn.ReLU,
    nn.ReLU6,
    nn.SELU,
    nn.SiLU,
    nn.Sigmoid,
    nn.Softplus,
    nn.Softshrink,
    nn.Softsign,
    nn.Tanh,
    nn.Tanhshrink,
)
RESCALED: tuple[type[nn.Module], ...] = (*ELEMENTWISE, nn.LogSoftmax, nn.Softmax, nn.Softmin)


def max_pool_rule(dimensions: int, pool: Pool) -> Rule:
    """The rule for a max pool over the last `dimensions`."""

    def rule(
        module: nn.Module,
        inputs: Tensor,
        outputs: Tensor,
        grad_input: Tensor,
        grad_output: Tensor,
        eps: float = 1e-10,
    ) -> Tensor:
        """Multipliers of the inputs; all tensors are (examples, then their baselines, channels, …).

        As Captum's, a window gives what it rises above both its values' maximum to the element that is its maximum in
        the example, and the rest to the one that is in the baseline. What an element gets from several windows is
        added up.
        """
        with torch.no_grad():
            _, indices = pool(module, inputs)
            out, out_ref = outputs.chunk(2)
            top = torch.maximum(out, out_ref)
            given = grad_output * torch.cat([top - out_ref, out - top])
            received = torch.zeros_like(inputs).flatten(-dimensions)
            received.scatter_add_(-1, indices.flatten(-dimensions), given.flatten(-dimensions))
            together = sum(received.view_as(inputs).chunk(2))
            example, baseline = inputs.chunk(2)
            difference = example - baseline
            multipliers = torch.cat(2 * [together / difference])
            return torch.where(torch.cat(2 * [difference]).abs() < eps, grad_input, multipliers)

    return rule


def _windows(pool: Callable[..., Pooled]) -> Pool:
    def run(module: nn.Module, inputs: Tensor) -> Pooled:
        m = module
        return pool(inputs, m.kernel_size, m.stride, m.padding, m.dilation, m.ceil_mode, return_indices=True)

    return run


def _adaptive(pool: Callable[..., Pooled]) -> Pool:
    return lambda module, inputs: pool(inputs, module.output_size, return_indices=True)


# The dimensions over which each max pool goes, and the function that computes it with indices.
POOLS: dict[type[nn.Module], tuple[int, Pool]] = {
    nn.MaxPool1d: (1, _windows(F.max_pool1d_with_indices)),
    nn.MaxPool2d: (2, _windows(F.max_pool2d_with_indices)),
    nn.MaxPool3d: (3, _windows(F.max_pool3d_with_indices)),
    nn.AdaptiveMaxPool1d: (1, _adaptive(F.adaptive_max_pool1d_with_indices)),
    nn.AdaptiveMaxPool2d: (2, _adaptive(F.adaptive_max_pool2d_with_indices)),
    nn.AdaptiveMaxPool3d: (3, _adaptive(F.adaptive_max_pool3d_with_indices)),
}
RULES: dict[type[nn.Module], Rule] = {
    **dict.fromkeys(RESCALED, nonlinear),
    **{kind: max_pool_rule(dimensions, pool) for kind, (dimensions, pool) in POOLS.items()},
}


def install() -> None:
    """Puts the rules into Captum's table."""
    SUPPORTED_NON_LINEAR.update(RULES)
