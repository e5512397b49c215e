"""What every kind of input offers to the rest of the worker."""

from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import torch
from torch import Tensor

from schemas.methods import BaselineName, FeatureMask
from schemas.models import InputCard
from schemas.results import FeatureScore, TextScore

Tensors = tuple[Tensor, ...]
Payload = dict[str, Tensor]  # names as in schemas.jobs.JobSpec


@dataclass(frozen=True, slots=True)
class Prepared:
    """Model-ready examples on the model's device; fields as in `workers.methods.explain_inputs.ExplainInputs`.

    `source` is the adapter's own memory of where they came from (an encoding, raw values).
    """

    inputs: Tensors
    additional_forward_args: Tensors
    layer_inputs: Tensors
    layer_additional_forward_args: Tensors
    source: Any = None
    warnings: list[str] = field(default_factory=list)

    def twice(self) -> "Prepared":
        """The examples, and the same again."""

        def doubled(tensors: Tensors) -> Tensors:
            return tuple(torch.cat([tensor, tensor]) for tensor in tensors)

        return replace(
            self,
            inputs=doubled(self.inputs),
            additional_forward_args=doubled(self.additional_forward_args),
            layer_inputs=doubled(self.layer_inputs),
            layer_additional_forward_args=doubled(self.layer_additional_forward_args),
        )


@dataclass(frozen=True, slots=True)
class Described:
    """Attributions in the client's own terms; what does not apply is None."""

    tokens: list[list[TextScore]] | None = None
    words: list[list[TextScore]] | None = None
    features: list[list[FeatureScore]] | None = None


class InputAdapter(Protocol):
    """One kind of input, set up for one model."""

    card: InputCard
    baselines: list[BaselineName]

    def prepare(self, payload: Payload, device: torch.device) -> Prepared:
        """Preprocesses, once.

        Raises:
            InputRejected: the input cannot be used; the message is for the client.
        """
        ...

    def sample(self, device: torch.device) -> Prepared:
        """Some valid input, to learn shapes from."""
        ...

    def baseline(self, name: BaselineName, prepared: Prepared) -> tuple[Tensors, Tensors]:
        """A named baseline, for `inputs` and for `layer_inputs`: (examples, …) each."""
        ...

    def feature_mask(self, wanted: FeatureMask | None, prepared: Prepared) -> Tensors | None:
        """The elements that make one feature, as asked for or by default; None: each element by itself."""
        ...

    def on_wire(self, attributions: Tensors, *, shared: bool) -> Tensors:
        """Attributions of `inputs` in the shape that clients know: (examples, …) of the model's input.

        `shared` says that the elements of a feature each carry its whole attribution, as perturbation methods give it,
        and not a part of their own.
        """
        ...

    def describe(self, prepared: Prepared, attributions: Tensors, *, layered: bool) -> Described:
        """Attributions (as `on_wire` gives them, or of a layer) in the client's own terms."""
        ...
