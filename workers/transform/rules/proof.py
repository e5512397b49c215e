"""Proof on samples that a rule module gives what Captum's hooks give on the hookable module."""

import copy
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from schemas import methods as spec
from schemas.methods import AnyMethod, BackwardRule
from workers.engine.shared.batch import run_pass
from workers.engine.shared.block import AppliedRule, Block, Part
from workers.engine.solo.hooks import HookSnapshot
from workers.engine.solo.solo_call import SoloCall
from workers.engine.task import Task
from workers.engine.view import ModelView
from workers.methods.solo import lane as solo
from workers.tracing.closeness import is_close
from workers.tracing.float64_copy import as_float64
from workers.tracing.samples import Tensors, cloned, is_large
from workers.tracing.tuning import FLOAT64_COPY_BYTES
from workers.transform.optimize import repeat_steps

TOLERANCE = 1e-9  # of the largest value
# The method whose result the gradients of a rule module are.
METHODS: Mapping[BackwardRule, AnyMethod] = {
    "rescale": spec.DeepLift(multiply_by_inputs=False),
    "guided": spec.GuidedBackprop(),
    "deconvolution": spec.Deconvolution(),
}


class ExactModel:
    """A model in float64, with what Captum finds on its hookable module.

    Attributes:
        module: the float64 copy of the model.
        samples: in float64, one row each.
        input_count: as in `ModelView`.

    Args:
        view: with its hookable module.
        samples: what `view.module` takes, one row or more each.

    Raises:
        Exception: there is no such copy, or it does not run.
    """

    def __init__(self, view: ModelView, samples: list[Tensors]) -> None:
        weights = [t for t in (*view.module.parameters(), *view.module.buffers()) if t.is_floating_point()]
        if 8 * sum(weight.numel() for weight in weights) > FLOAT64_COPY_BYTES:
            raise ValueError("its weights are too large")
        module, hookable = copy.deepcopy((view.module, view.hookable))  # in one call: shared weights stay shared
        self.module: nn.Module = module.double()
        hookable = None if hookable is None else hookable.double()
        self._view = ModelView(self.module, self.module, view.device, view.input_count, hookable=hookable)
        rows = [as_float64(row) for sample in samples for row in _single_rows(sample)]
        self._others = [*rows[1:], rows[0]]
        self.samples = rows[:1] if is_large(rows[0]) else rows  # a pass of a large row takes seconds
        self.input_count = view.input_count
        self._found: dict[BackwardRule, list[Tensors]] = {}
        self._stepped: dict[tuple[str, ...], nn.Module] = {}
        with torch.no_grad():
            self._outputs = [self.module(*cloned(row)) for row in self.samples]

    def after(self, steps: tuple[str, ...]) -> nn.Module:
        """The copy that these steps of `workers.transform.optimize` make of the module. It is made once.

        Raises:
            Exception: a step cannot be applied.
        """
        if steps not in self._stepped:
            self._stepped[steps] = repeat_steps(self.module, steps, self.samples[0], self.input_count)
        return self._stepped[steps]

    def why_not_equal(self, rule: BackwardRule, made: nn.Module) -> str | None:
        """None if outputs and gradients of a rule module are the model's under Captum's hooks, else what differs.

        Args:
            made: the rule module of the float64 copy.

        Raises:
            Exception: whatever one of both raises.
        """
        view = ModelView(self.module, self.module, self._view.device, self._view.input_count, rule_modules={rule: made})
        expected = self._expected(rule)
        for call, outputs, attributions in zip(self._calls(), self._outputs, expected, strict=True):
            *gradients, given = _rule_pass(view, rule, call)
            if not is_close(outputs, given, TOLERANCE):
                return "outputs differ"
            for one, other in zip(attributions, gradients, strict=True):
                if not is_close(one, other, TOLERANCE):
                    return f"attributions differ from those of {METHODS[rule].name} with hooks"
        return None

    def _expected(self, rule: BackwardRule) -> list[Tensors]:
        """What Captum finds on each sample."""
        if rule not in self._found:
            hooks = HookSnapshot(self._view.module, self._view.hook_module)
            try:
                self._found[rule] = [solo.attribute(METHODS[rule], self._view, call, 2) for call in self._calls()]
            finally:
                hooks.restore()
        return self._found[rule]

    def _calls(self) -> Iterator[SoloCall]:
        """One call for each sample, each with a baseline and a target of its own."""
        count = self._view.input_count
        for number, (sample, outputs) in enumerate(zip(self.samples, self._outputs, strict=True)):
            other = self._others[number]
            baselines = tuple(_baseline(one, two, number) for one, two in zip(sample[:count], other, strict=False))
            yield SoloCall(sample[:count], sample[count:], baselines, _target(outputs, number))


def _rule_pass(view: ModelView, rule: BackwardRule, call: SoloCall) -> Tensors:
    """One gradient per input, and all outputs, from one pass as the engine runs it."""
    eps = spec.DeepLift.default("eps")
    block = Block(
        Task("proof"),
        "gradient",
        call.inputs,
        call.additional_forward_args,
        call.targets,
        all_outputs=True,
        rule=AppliedRule(rule, eps),
        baselines=call.baselines if rule == "rescale" else None,
    )
    return run_pass(view, "gradient", [Part(block, 0, block.size)])[0]


def _single_rows(sample: Tensors) -> Iterator[Tensors]:
    for row in range(sample[0].shape[0]):
        yield tuple(tensor[row : row + 1] for tensor in sample)


def _baseline(x: Tensor, other: Tensor, number: int) -> Tensor:
    """Another row, but for a half of the elements, whose differences are zero; another row; or zeros."""
    if number % 3 == 2 or other.shape != x.shape:
        return torch.zeros_like(x)
    if number % 3 == 1:
        return other
    return torch.where(torch.arange(x.numel(), device=x.device).view(x.shape) < x.numel() // 2, x, other)


def _target(outputs: Tensor, number: int) -> Tensor | None:
    """One of the outputs, (1, …), another for each sample; None for one output."""
    if outputs.dim() < 2:
        return None
    # torch's own function of this name imports sympy, which takes a third of a second.
    place = torch.tensor(np.unravel_index(number % outputs[0].numel(), outputs.shape[1:]))
    return place if outputs.dim() == 2 else place.reshape(1, -1)
