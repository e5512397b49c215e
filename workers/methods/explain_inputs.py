"""The inputs of a method, in model space."""

from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from schemas.jobs import Targets

Tensors = tuple[Tensor, ...]


@dataclass(frozen=True, slots=True)
class ExplainInputs:
    """All tensors lie on the model's device, examples first.

    Attributes:
        inputs: (examples, …) each, as `ModelView.module` takes them.
        additional_forward_args: (examples, …), passed on after the inputs.
        targets: one output per example, by its index or by its place in each dimension; None for a scalar output.
        baselines: (examples, …) each, or None where the method has none.
        baseline_distribution: (samples, …) each, for methods that draw their baselines.
        feature_mask: (1 or examples, …) int64 each: elements of equal number are one feature.
        layer_mask: (1 or examples, …) int64 each, of a layer's output.
        layer_values: (examples, …) each, what a layer's units are set to when they are taken away.
        layer_inputs, layer_additional_forward_args, layer_baselines: the same examples for `ModelView.layer_module`.
        digest, baseline_digest: equal only for equal inputs and additional arguments, and for equal baselines of equal
            inputs; None where no later job can reuse the outputs.
    """

    inputs: Tensors
    additional_forward_args: Tensors
    targets: Targets | None
    baselines: Tensors | None
    baseline_distribution: Tensors | None
    feature_mask: Tensors | None
    layer_mask: Tensors | None
    layer_inputs: Tensors
    layer_additional_forward_args: Tensors
    layer_baselines: Tensors | None
    layer_values: Tensors | None = None
    digest: bytes | None = None
    baseline_digest: bytes | None = None

    @property
    def examples(self) -> int:
        return int(self.inputs[0].shape[0])

    def only(self, example: int) -> "ExplainInputs":
        """The inputs of one example."""
        return self.chosen([example])

    def chosen(self, examples: list[int]) -> "ExplainInputs":
        """The inputs of some examples, for methods that take one baseline for each. What all share, all still share."""

        def own(tensors: Tensors | None) -> Tensors | None:
            return tensors and tuple(t[examples] if len(t) == self.examples else t for t in tensors)

        targets: Any = self.targets
        if targets is not None and len(targets) > 1:
            targets = [targets[example] for example in examples]
        return replace(
            self,
            inputs=own(self.inputs) or (),
            additional_forward_args=own(self.additional_forward_args) or (),
            targets=targets,
            baselines=own(self.baselines),
            feature_mask=own(self.feature_mask),
            layer_mask=own(self.layer_mask),
            layer_values=own(self.layer_values),
            layer_inputs=own(self.layer_inputs) or (),
            layer_additional_forward_args=own(self.layer_additional_forward_args) or (),
            layer_baselines=own(self.layer_baselines),
        )


MIN_CHUNK_ROWS = 32  # rows a job hands over at once; bounds its memory, and is enough to keep a batch full


def chunk_rows(batch_rows: int, examples: int) -> int:
    """Rows that Captum should expand at once: two batches, so that passes stay full while a job comes back for more."""
    return max(MIN_CHUNK_ROWS, 2 * batch_rows, examples)


def captum_target(targets: Targets | None) -> Any:
    """One output for all examples, or one each: Captum repeats a list along the path only if it is longer than one.

    A place in several dimensions is a tuple to Captum.
    """
    if targets is None:
        return None
    each = [one if isinstance(one, int) else tuple(one) for one in targets]
    return each[0] if len(each) == 1 else each


def detached(attributions: Any) -> Tensors:
    """One tensor or several, as Captum gives them, always as a tuple."""
    tensors = attributions if isinstance(attributions, tuple) else (attributions,)
    return tuple(tensor.detach() for tensor in tensors)
