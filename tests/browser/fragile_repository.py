"""A model for what goes wrong: a small table, of which some values make the model raise or take its time."""

import json
from pathlib import Path

RAISES = 13.0  # the patience at which the model raises
LINGERS = -1000.0  # a width of which most of the path from zero lies below -10, where the model takes its time
ROW = {"patience": 1.0, "width": 0.5, "height": -0.5, "depth": 0.25}
FEATURES = ", ".join(f'{{ name = "{name}", mean = 0.0, std = 1.0 }}' for name in ROW)
MODEL_TOML = f"""
name = "fragile"
factory = "model.py:build"
sample = "sample.json"
[input]
kind = "tabular"
features = [{FEATURES}]
[output]
labels = ["left", "right"]
[explain]
method = "integrated_gradients"
layer = "first"
"""
MODEL_PY = f'''
import time

import torch
from torch import Tensor, nn


class Fragile(nn.Module):
    """(rows, 4) -> (rows, 2); raises for a patience of {RAISES}, takes 20 ms for each row of a width below -10."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Linear(4, 8)
        self.head = nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        if bool((x[:, 0] == {RAISES}).any()):
            raise ValueError("no such luck")
        time.sleep(0.02 * int((x[:, 1] < -10.0).sum()))
        return self.head(torch.relu(self.first(x)))


def build() -> nn.Module:
    return Fragile()
'''


def write_fragile_repository(directory: Path) -> Path:
    """Writes a repository with the one model `fragile` and returns its directory."""
    folder = directory / "fragile"
    folder.mkdir(parents=True)
    (folder / "model.toml").write_text(MODEL_TOML)
    (folder / "model.py").write_text(MODEL_PY)
    (folder / "sample.json").write_text(json.dumps(ROW))
    return directory
