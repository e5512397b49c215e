"""Model folders with a small convolutional net as a saved program, in float64."""

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.workers.toys import CPU, frozen
from workers.engine.device.gate import DeviceGate
from workers.models.load import Device, ResidentModel, load_model

SHAPE = (3, 8, 8)
DEVICE = Device(CPU, 1, 8, DeviceGate())
TOML = """
name = "program"
loader = "{loader}"
file = "{file}"
[input]
kind = "tensor"
dtype = "float64"
shapes = [[3, 8, 8]]
[explain]
{layer}
"""


class Net(nn.Module):
    """(rows, 3, 8, 8) -> (rows, 3). An activation as a module in place, one as a function, and overlapping windows."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.relu = nn.ReLU(inplace=True)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.dropout = nn.Dropout(0.5)
        self.hidden = nn.Linear(4 * 16, 6)
        self.head = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.relu(self.norm(self.conv(x))))
        return self.head(F.relu(self.dropout(self.hidden(x.flatten(1)))))


def net() -> nn.Module:
    return frozen(Net())


def write(folder: Path, loader: str, file: str, layer: str | None = None) -> Path:
    folder.mkdir()
    said = f'layer = "{layer}"' if layer else ""
    (folder / "model.toml").write_text(TOML.format(loader=loader, file=file, layer=said))
    return folder


def save_script(path: Path, model: nn.Module, *, trace: bool = False) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it is what many still have
        script = torch.jit.trace(model, torch.zeros(2, *SHAPE).double()) if trace else torch.jit.script(model)
        torch.jit.save(script, path)


def save_export(path: Path, model: nn.Module, batch: Any = "free") -> None:
    """`batch`: "free", a `torch.export.Dim`, or None for the size of the example's."""
    free = torch.export.Dim("batch") if batch == "free" else batch
    shapes = ({0: free},) if free is not None else None
    torch.export.save(torch.export.export(model, (torch.zeros(2, *SHAPE).double(),), dynamic_shapes=shapes), path)


def script_model(directory: Path, *, trace: bool = False) -> ResidentModel:
    folder = write(directory / "program", "torchscript", "model.pt")
    save_script(folder / "model.pt", net(), trace=trace)
    return load_model(folder, DEVICE)


def export_model(directory: Path) -> ResidentModel:
    folder = write(directory / "program", "export", "model.pt2", "relu")
    save_export(folder / "model.pt2", net())
    return load_model(folder, DEVICE)
