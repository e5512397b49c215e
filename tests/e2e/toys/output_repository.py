"""Models with outputs other than (rows, classes), or with integer inputs. Their numbers are simple to check."""

from pathlib import Path

MODEL_PY = '''
import torch
from torch import nn


class Segments(nn.Module):
    """(rows, 1, 2, 3) -> maps of two classes, twice and minus three times the input, and another tensor."""

    def __init__(self):
        super().__init__()
        self.classes = nn.Conv2d(1, 2, 1, bias=False)
        self.classes.weight.data = torch.tensor([2.0, -3.0]).view(2, 1, 1, 1)

    def forward(self, x):
        return {"maps": self.classes(x), "mean": x.mean(dim=(1, 2, 3))}


class Ids(nn.Module):
    """(rows, 3) ids below 4 -> two scores: the sum of vectors (id, 10 id), and half of it."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding.from_pretrained(torch.arange(4.0).unsqueeze(1) * torch.tensor([1.0, 10.0]))
        self.head = nn.Linear(2, 2, bias=False)
        self.head.weight.data = torch.tensor([[1.0, 1.0], [0.5, 0.5]])

    def forward(self, ids):
        return self.head(self.words(ids).sum(dim=1))
'''
SEGMENTS = """
name = "segments"
factory = "model.py:Segments"
input = {kind = "tensor", shapes = [[1, 2, 3]]}
output = {kind = "multilabel", field = "maps", labels = ["cat", "mat"]}
"""
IDS = """
name = "ids"
factory = "model.py:Ids"
input = {kind = "tensor", dtype = "int64", shapes = [[3]]}
"""


def write_output_repository(directory: Path) -> Path:
    for name, toml in (("segments", SEGMENTS), ("ids", IDS)):
        folder = directory / name
        folder.mkdir(parents=True)
        (folder / "model.py").write_text(MODEL_PY)
        (folder / "model.toml").write_text(toml)
    return directory
