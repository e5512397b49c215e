"""What one forward shows of a layer: number of calls, output shape, complex inputs and outputs."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from workers.tracing.samples import tensors_in


@dataclass(slots=True)
class LayerSeen:
    """Filled by `note`, which is a forward hook.

    Attributes:
        calls: number of calls in the forward.
        shape: of the output of the last call. For an output that is not one tensor, the shapes of its parts, None for a
            part that is not a tensor.
        complex_input: name of the first complex type among the inputs, such as `complex64`; None: no complex input.
        complex_output: the same of the outputs.
    """

    calls: int = 0
    shape: torch.Size | list[torch.Size | None] | None = None
    complex_input: str | None = None
    complex_output: str | None = None

    def note(self, _module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        """The forward hook. Register it `with_kwargs`."""
        self.calls += 1
        self.shape = output.shape if isinstance(output, Tensor) else _shapes(output)
        self.complex_input = self.complex_input or _complex_type((args, kwargs))
        self.complex_output = self.complex_output or _complex_type(output)

    def refusals(self) -> dict[str, str]:
        """Why methods at this layer are refused, by field of `schemas.models.LayerCard`."""
        if self.calls > 1:
            return {
                "refused": f"one forward calls the layer {self.calls} times, and methods at a layer answer for one call"
            }
        complex_types = {"input_refused": self.complex_input, "output_refused": self.complex_output}
        sides = {"input_refused": "takes", "output_refused": "gives"}
        return {
            field: f"the layer {sides[field]} complex numbers ({name}), which have no attributions here"
            for field, name in complex_types.items()
            if name is not None
        }


def _shapes(output: object) -> list[torch.Size | None]:
    parts = output if isinstance(output, tuple | list) else [output]
    return [part.shape if isinstance(part, Tensor) else None for part in parts]


def _complex_type(value: object) -> str | None:
    types = (str(tensor.dtype).removeprefix("torch.") for tensor in tensors_in(value) if tensor.is_complex())
    return next(types, None)
