"""The interface of input adapters, one per kind of input, and what they return."""

from collections.abc import Callable
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
    """Examples as tensors on the model's device. Fields are those of `workers.methods.explain_inputs.ExplainInputs`.

    Attributes:
        source: what the adapter needs to describe attributions later, such as an encoding or raw values.
        warnings: for the client.
    """

    inputs: Tensors
    additional_forward_args: Tensors
    layer_inputs: Tensors
    layer_additional_forward_args: Tensors
    source: Any = None
    warnings: list[str] = field(default_factory=list)

    def twice(self) -> "Prepared":
        """The same examples twice, as one batch."""
        return self.changed(lambda tensors: tuple(torch.cat([tensor, tensor]) for tensor in tensors))

    def changed(self, change: Callable[[Tensors], Tensors]) -> "Prepared":
        """The same with other tensors."""
        return replace(
            self,
            inputs=change(self.inputs),
            additional_forward_args=change(self.additional_forward_args),
            layer_inputs=change(self.layer_inputs),
            layer_additional_forward_args=change(self.layer_additional_forward_args),
        )


@dataclass(frozen=True, slots=True)
class Described:
    """Attributions by token, word and feature, per example; None where it does not apply."""

    tokens: list[list[TextScore]] | None = None
    words: list[list[TextScore]] | None = None
    features: list[list[FeatureScore]] | None = None


class InputAdapter(Protocol):
    """Converts one kind of input for one model.

    Attributes:
        card: describes the input to clients.
        baselines: names that `baseline` accepts.
    """

    card: InputCard
    baselines: list[BaselineName]

    def prepare(self, payload: Payload, device: torch.device) -> Prepared:
        """Preprocesses a payload.

        Raises:
            InputRejected: the input cannot be used.
        """
        ...

    def sample(self, device: torch.device) -> Prepared:
        """One valid example. It shows the shapes of the model's tensors."""
        ...

    def baseline(self, name: BaselineName, prepared: Prepared) -> tuple[Tensors, Tensors]:
        """A named baseline, (examples, …) each, for `inputs` and for `layer_inputs`.

        Raises:
            InputRejected: this kind of input has no such baseline.
        """
        ...

    def feature_mask(self, requested: FeatureMask | None, prepared: Prepared) -> Tensors | None:
        """The number of each element's feature, int64, (1 or examples, …) in the shape of the inputs.

        Without a request, the default of this kind of input. None: each element is a feature.
        """
        ...

    def on_wire(self, attributions: Tensors, *, shared: bool) -> Tensors:
        """Attributions of `inputs` in the shape of the model's input: (examples, …).

        Args:
            shared: each element of a feature carries the whole attribution of the feature, as in perturbation methods.
        """
        ...

    def pixels(self, inputs: Tensors) -> Tensor | None:
        """(examples, H, W, 3) uint8: what inputs in the model's space look like; None if they are no pictures."""
        ...

    def describe(self, prepared: Prepared, attributions: Tensors, *, layered: bool) -> Described:
        """Attributions by token, word or feature.

        Args:
            attributions: as `on_wire` returns them, or of a layer.
            layered: they are of a layer.
        """
        ...
