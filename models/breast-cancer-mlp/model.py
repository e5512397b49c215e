"""A small multilayer perceptron over the 30 measurements of the Wisconsin breast cancer table."""

from collections import OrderedDict

from torch import nn

FEATURES = 30
CLASSES = 2  # malignant, benign


def build() -> nn.Module:
    """Return the untrained network in evaluation mode: (rows, 30) -> logits (rows, 2).

    It reads standardised rows. The service loads `weights.safetensors` into it. `hidden2` is the
    last layer before the logits, (rows, 16).
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["hidden1"] = nn.Linear(FEATURES, 32)
    layers["relu1"] = nn.ReLU()
    layers["hidden2"] = nn.Linear(32, 16)
    layers["relu2"] = nn.ReLU()
    layers["output"] = nn.Linear(16, CLASSES)
    return nn.Sequential(layers).eval()
