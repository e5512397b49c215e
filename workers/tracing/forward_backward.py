"""One forward and backward of a module, as the proofs compare them."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from workers.tracing.samples import Tensors, cloned, leaves, tensors_in


@dataclass(frozen=True, slots=True)
class OutputsAndGradients:
    """The result of one forward and backward.

    Attributes:
        outputs: (rows, …) each.
        gradients: of a weighted sum of the outputs, (rows, …), one for each attributed floating-point input. Empty
            where no output depends on such an input.
    """

    outputs: Tensors
    gradients: Tensors


def forward_backward(module: nn.Module, rows: Tensors, attributed: int | None) -> OutputsAndGradients:
    """Runs the module on a batch.

    The weights of the sum are random, the same at every call and for every row.

    Args:
        attributed: number of leading tensors that get gradients; None: all.

    Raises:
        Whatever the module raises.
    """
    inputs = leaves(rows, attributed)
    attributed_inputs = [leaf for leaf in inputs if leaf.requires_grad]
    gradients: Tensors = ()
    with torch.set_grad_enabled(bool(attributed_inputs)):
        outputs = tuple(tensors_in(module(*cloned(inputs))))
        weighted = _weighted_sums(outputs)
        if weighted and attributed_inputs:
            gradients = torch.autograd.grad(weighted, attributed_inputs, allow_unused=True, materialize_grads=True)
    return OutputsAndGradients(
        tuple(output.detach() for output in outputs), tuple(gradient.detach() for gradient in gradients)
    )


def _weighted_sums(outputs: Tensors) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [
        (output * _weights(output, generator)).sum()  # (rows, …) * (…)
        for output in outputs
        if output.requires_grad
    ]


def _weights(output: Tensor, generator: torch.Generator) -> Tensor:
    weights = torch.randn(output.shape[1:], generator=generator, dtype=torch.float64)
    return weights.to(output.device, output.dtype)
