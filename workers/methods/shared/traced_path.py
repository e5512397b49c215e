"""Captum's Integrated Gradients, whose path is recorded at the gradient seam."""

from collections.abc import Callable
from typing import Any

import torch
from captum.attr._utils.approximation_methods import approximation_parameters
from torch import Tensor

from schemas import methods as spec
from workers.engine.seams import Seams
from workers.methods.calls import TracedCalls
from workers.methods.explain_inputs import ExplainInputs, Tensors
from workers.methods.path_sums import PathSums, RunningSum, last_nodes
from workers.methods.shared.gradient import integrated_gradients


class RecordingSeams(Seams):
    """The seams of a job, whose gradients are also added up as they pass."""

    def __init__(self, seams: Seams, running: RunningSum) -> None:
        self._inner = seams
        self._running = running

    def forward(self, *args: Tensor) -> Tensor:
        return self._inner.forward(*args)

    def gradient(
        self,
        forward_fn: Callable[..., Tensor],
        inputs: Tensors,
        target_ind: Any = None,
        additional_forward_args: Any = None,
    ) -> Tensors:
        """As `Seams.gradient`; the outputs come from the same pass."""
        gradients, outputs = self._inner.gradient_and_output(inputs, target_ind, additional_forward_args)
        self._running.add(gradients, outputs)
        return gradients


def traced_integrated_gradients(
    method: spec.IntegratedGradients, seams: Seams, subject: ExplainInputs, batch_rows: int
) -> tuple[Tensors, PathSums]:
    """The attributions, and the sums at `method.frames` of the quadrature's own nodes. Takes as many rows as without.

    Captum hands all examples of a node together, and the nodes in the order of the path.
    """
    if subject.baselines is None or method.n_steps == "auto":
        raise ValueError("a fixed path needs a baseline and a number of steps")
    weights, alphas = (builder(method.n_steps) for builder in approximation_parameters(method.method))
    scales = tuple(
        i - b if method.multiply_by_inputs else torch.ones_like(i)
        for i, b in zip(subject.inputs, subject.baselines, strict=True)
    )
    running = RunningSum(weights, alphas, last_nodes(method.n_steps, method.frames), scales)
    attributions = integrated_gradients(method, RecordingSeams(seams, running), subject, batch_rows)
    return attributions, running.finished(attributions)


CALLS: TracedCalls = {spec.IntegratedGradients: traced_integrated_gradients}
