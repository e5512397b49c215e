"""The files of `attribution models new`, by the kind of input. `{name}` stands for the model's name."""

_HEAD = """# Every field: docs/models.md. Mistakes are reported all at once, each with the nearest known field.
name = "{name}"
version = "1"
# description = {{ en = "What it predicts.", es = "Qué predice." }}
factory = "model.py:build"            # returns an nn.Module in evaluation mode
# weights = "weights.safetensors"     # loaded into what `build` returns; without it, build() sets the weights itself
"""
_OUTPUT = """
[output]
# kind = "classification"             # logits; or probabilities, multilabel, regression. Found at load if absent
labels = ["no", "yes"]                # or a file with one a line, such as "labels.txt"
"""

MODEL_TOML = {
    "image": _HEAD
    + """
[input]
kind = "image"
size = [64, 64]                       # height, width
resize_to = 72                        # the short side, before `size` is cut from the middle
mean = [0.485, 0.456, 0.406]          # of red, green and blue, in 0..1
std = [0.229, 0.224, 0.225]
"""
    + _OUTPUT
    + """
[explain]
method = "integrated_gradients"       # what a request gets that names none
baseline = "black"                    # what "absent" means: zero, black, white, mean, blur
layer = "features.3"                  # for Grad-CAM, as in named_modules
""",
    "tabular": _HEAD
    + """
[input]
kind = "tabular"
# The columns in the model's order. Clients send them in their own unit; the model sees (value - mean) / std.
features = [
  {{ name = "age", mean = 41.0, std = 12.0, unit = "years" }},
  {{ name = "income", mean = 32000.0, std = 9000.0, unit = "EUR" }},
  {{ name = "children", mean = 1.1, std = 1.0 }},
]
"""
    + _OUTPUT
    + """
[explain]
method = "integrated_gradients"       # what a request gets that names none
baseline = "zero"                     # what "absent" means; here the mean of each column
layer = "hidden"                      # for layer methods, as in named_modules
# background = "background.safetensors"   # rows of the training data, for methods of SHAP
""",
    "tensor": _HEAD
    + """
[input]
kind = "tensor"
shapes = [[3, 16]]                    # of each input, without the batch dimension
# dtype = "int64"                     # for ids
"""
    + _OUTPUT
    + """
[explain]
method = "integrated_gradients"       # what a request gets that names none
baseline = "zero"                     # what "absent" means
layer = "hidden"                      # for layer methods, as in named_modules
""",
}

MODEL_PY = {
    "image": '''"""A small convolutional network. Replace it with your own."""

import torch
from torch import Tensor, nn


class Network(nn.Module):
    """Each activation is a module of its own, so that DeepLIFT, guided methods and LRP can hook it."""

    def __init__(self, classes: int = 2) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, kernel_size=3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(8, 16, kernel_size=3, stride=2, padding=1),
            nn.ReLU(),
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(16, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Standardised pixels (rows, 3, height, width) to logits (rows, classes)."""
        return self.head(self.pool(self.features(x)).flatten(1))


def build() -> nn.Module:
    """The network in evaluation mode.

    Its weights are random, from a fixed seed. For your own, write them once with
    `safetensors.torch.save_file(model.state_dict(), "weights.safetensors")` and name the file in model.toml.
    """
    torch.manual_seed(0)
    return Network().eval()
''',
    "tabular": '''"""A small perceptron over three columns. Replace it with your own."""

from collections import OrderedDict

import torch
from torch import nn


def build() -> nn.Module:
    """The network in evaluation mode: standardised rows (rows, 3) to logits (rows, 2).

    Its weights are random, from a fixed seed. For your own, write them once with
    `safetensors.torch.save_file(model.state_dict(), "weights.safetensors")` and name the file in model.toml.
    """
    torch.manual_seed(0)
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["hidden"] = nn.Linear(3, 8)
    layers["relu"] = nn.ReLU()
    layers["output"] = nn.Linear(8, 2)
    return nn.Sequential(layers).eval()
''',
    "tensor": '''"""A small network over tensors of 3 x 16 numbers. Replace it with your own."""

from collections import OrderedDict

import torch
from torch import nn


def build() -> nn.Module:
    """The network in evaluation mode: (rows, 3, 16) to logits (rows, 2).

    Its weights are random, from a fixed seed. For your own, write them once with
    `safetensors.torch.save_file(model.state_dict(), "weights.safetensors")` and name the file in model.toml.
    """
    torch.manual_seed(0)
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["flat"] = nn.Flatten()
    layers["hidden"] = nn.Linear(48, 16)
    layers["relu"] = nn.ReLU()
    layers["output"] = nn.Linear(16, 2)
    return nn.Sequential(layers).eval()
''',
}
