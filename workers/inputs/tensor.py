"""Tensors as the model takes them, and the common part of table and picture inputs."""

from typing import Any

import torch
from torch import Tensor

from schemas.errors import InputRejected
from schemas.methods import BaselineName, FeatureMask
from schemas.models import InputCard
from schemas.sentences import Sentence
from schemas.tensors import DATATYPES
from workers.inputs.prepared import Described, Payload, Prepared, Tensors
from workers.repository.model_toml import InputConfig


class TensorAdapter:
    """Tensors as the model takes them. The payload holds `input.0`, `input.1`, …, (examples, …) each."""

    baselines: list[BaselineName] = ["zero"]  # noqa: RUF012  # the protocol's attribute

    def __init__(self, config: InputConfig) -> None:
        self.config = config
        self.dtype: torch.dtype = getattr(torch, config.dtype)
        self.card = self._card(config)
        if config.pad_id is not None:
            self.baselines = ["pad", *self.baselines]

    def _card(self, config: InputConfig) -> InputCard:
        return InputCard(kind="tensor", shapes=config.shapes or [], datatype=DATATYPES[config.dtype])

    def prepare(self, payload: Payload, device: torch.device) -> Prepared:
        tensors = []
        for index, shape in enumerate(self.card.shapes):
            tensor = payload.get(f"input.{index}")
            if tensor is None or list(tensor.shape[1:]) != shape:
                raise InputRejected(Sentence("input {index} of shape {shape} is missing", index=index, shape=shape))
            self._check_ids(index, tensor)
            tensors.append(tensor.to(self.dtype).to(device))
        return self._plain(tuple(tensors))

    def _check_ids(self, index: int, tensor: Tensor) -> None:
        """Raises `InputRejected` for ids outside the vocabulary. On CUDA, such an id would abort the process."""
        size = self.card.vocabularies[index] if self.card.vocabularies else None
        if size is not None and not bool(((tensor >= 0) & (tensor < size)).all()):
            raise InputRejected(Sentence("input {index}: ids run from 0 to {last}", index=index, last=size - 1))

    def _plain(self, inputs: Tensors, source: Any = None) -> Prepared:
        return Prepared(inputs, (), inputs, (), source)

    def sample(self, device: torch.device) -> Prepared:
        fill = 0.0 if self.dtype.is_floating_point else 1  # id 0 is often padding, which models ignore
        return self._plain(tuple(torch.full((1, *s), fill, dtype=self.dtype, device=device) for s in self.card.shapes))

    def baseline(self, name: BaselineName, prepared: Prepared) -> tuple[Tensors, Tensors]:
        baseline = tuple(self._baseline(name, tensor) for tensor in prepared.inputs)
        return baseline, baseline

    def _baseline(self, name: BaselineName, inputs: Tensor) -> Tensor:
        if name == "pad" and self.config.pad_id is not None:
            return torch.full_like(inputs, self.config.pad_id)
        if name != "zero":
            raise InputRejected(Sentence("baseline {name!r} means nothing for this input", name=name))
        return torch.zeros_like(inputs)

    def feature_mask(self, requested: FeatureMask | None, prepared: Prepared) -> Tensors | None:
        return None

    def on_wire(self, attributions: Tensors, *, shared: bool) -> Tensors:
        return attributions

    def pixels(self, inputs: Tensors) -> Tensor | None:
        """(examples, H, W, 3) uint8: what inputs in the model's space look like; None if they are no pictures."""
        return None

    def describe(self, prepared: Prepared, attributions: Tensors, *, layered: bool) -> Described:
        return Described()
