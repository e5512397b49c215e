"""Table rows in the table's units, which become `(value - mean) / std` for the model."""

from functools import cached_property

import torch
from pydantic import TypeAdapter

from schemas.models import FeatureCard, InputCard
from schemas.results import FeatureScore
from schemas.tensors import DATATYPES
from workers.inputs.prepared import Described, Payload, Prepared, Tensors
from workers.inputs.tensor import TensorAdapter
from workers.repository.model_toml import InputConfig

SCORES: TypeAdapter[list[list[FeatureScore]]] = TypeAdapter(list[list[FeatureScore]])


class TabularAdapter(TensorAdapter):
    """Table rows. The payload `features` is (examples, columns) float64, columns in the order of the card."""

    def _card(self, config: InputConfig) -> InputCard:
        columns = [FeatureCard(**feature.model_dump()) for feature in config.features or []]
        return InputCard(kind="tabular", shapes=[[len(columns)]], datatype=DATATYPES[config.dtype], features=columns)

    def prepare(self, payload: Payload, device: torch.device) -> Prepared:
        mean, std = self._scale
        if "features" in payload:
            raw = payload["features"].double()  # (examples, columns)
            inputs = ((raw - mean) / std).to(self.dtype).to(device)
        else:
            inputs = super().prepare(payload, device).inputs[0]
            raw = inputs.double().cpu() * std + mean
        return self._plain((inputs,), source=raw)

    @cached_property
    def _scale(self) -> tuple[torch.Tensor, torch.Tensor]:
        columns = self.card.features or []
        mean, std = [c.mean for c in columns], [c.std for c in columns]
        return torch.tensor(mean, dtype=torch.float64), torch.tensor(std, dtype=torch.float64)

    def describe(self, prepared: Prepared, attributions: Tensors, *, layered: bool) -> Described:
        if layered:
            return Described()
        columns = self.card.features or []
        rows = zip(prepared.source.tolist(), attributions[0].double().tolist(), strict=True)
        return Described(
            features=SCORES.validate_python(  # one call for all rows is far faster than one for each
                [
                    [{"name": c.name, "value": v, "score": s} for c, v, s in zip(columns, values, scores, strict=True)]
                    for values, scores in rows
                ]
            )
        )
