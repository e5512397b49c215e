"""What a method is asked to explain, in model space."""

from dataclasses import dataclass

from torch import Tensor

Tensors = tuple[Tensor, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """All tensors lie on the model's device, examples first.

    Attributes:
        inputs: (examples, …) each, as `ModelView.module` takes them.
        extras: (examples, …), passed on after the inputs.
        targets: one output index per example, or None for a scalar output.
        baselines: (examples, …) each, or None where the method has none.
        distribution: (samples, …) each, for methods that draw their baselines.
        feature_mask: (1 or examples, …) int64 each: elements of equal number are one feature.
        layer_inputs, layer_extras, layer_baselines: the same examples as `ModelView.layer_module` takes them.
    """

    inputs: Tensors
    extras: Tensors
    targets: list[int] | None
    baselines: Tensors | None
    distribution: Tensors | None
    feature_mask: Tensors | None
    layer_inputs: Tensors
    layer_extras: Tensors
    layer_baselines: Tensors | None

    @property
    def examples(self) -> int:
        return int(self.inputs[0].shape[0])
