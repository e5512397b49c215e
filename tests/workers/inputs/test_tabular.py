"""Table rows, standardised for the model and described in the units of the table."""

import torch

from workers.inputs.tabular import TabularAdapter
from workers.repository.model_toml import InputConfig

CPU = torch.device("cpu")
DEVICES = [CPU, *([torch.device("cuda:0")] if torch.cuda.is_available() else [])]


FEATURES = [{"name": "age", "mean": 40.0, "std": 10.0}, {"name": "height", "mean": 1.7, "std": 0.1, "unit": "m"}]


def test_standardised_and_told_in_their_own_units() -> None:
    adapter = TabularAdapter(InputConfig.model_validate({"kind": "tabular", "features": FEATURES}))
    raw = torch.tensor([[50.0, 1.5], [40.0, 1.7]], dtype=torch.float64)
    prepared = adapter.prepare({"features": raw}, CPU)
    assert torch.allclose(prepared.inputs[0], torch.tensor([[1.0, -2.0], [0.0, 0.0]]))
    described = adapter.describe(prepared, (torch.tensor([[0.5, -0.25], [1.0, 2.0]]),), layered=False)
    assert described.features is not None
    assert [(f.name, f.value, f.score) for f in described.features[0]] == [("age", 50, 0.5), ("height", 1.5, -0.25)]


def test_model_ready_rows_are_told_in_the_tables_units() -> None:
    adapter = TabularAdapter(InputConfig.model_validate({"kind": "tabular", "features": FEATURES}))
    prepared = adapter.prepare({"input.0": torch.tensor([[1.0, -2.0]])}, CPU)
    assert torch.allclose(prepared.source, torch.tensor([[50.0, 1.5]], dtype=torch.float64))
