"""Models written as people write them, each in one of the ways that hook methods trip over."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.workers.toys import frozen


class FunctionalConvNet(nn.Module):
    """Every activation and pool is a function call, or made inside `forward`, in as many spellings."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, padding=1)
        self.conv2 = nn.Conv2d(6, 8, 3)
        self.conv3 = nn.Conv2d(8, 8, 3, padding=1)
        self.fc1 = nn.Linear(8 * 5 * 5, 10)
        self.fc2 = nn.Linear(10, 9)
        self.fc3 = nn.Linear(9, 9)
        self.head = nn.Linear(9, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.ReLU()(self.conv1(x))
        x = torch.relu(self.conv2(x))
        x = F.max_pool2d(self.conv3(x).relu(), 2)
        x = F.relu(self.fc1(x.flatten(1)), inplace=True)
        x = torch.relu_(self.fc2(x))
        return self.head(F.relu_(self.fc3(x)))


class SmoothMlp(nn.Module):
    """The smooth activations, as functions."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(6, 6) for _ in range(9))

    def forward(self, x: Tensor) -> Tensor:
        functions = (torch.sigmoid, F.elu, torch.tanh, lambda v: F.leaky_relu(v, 0.2), F.softplus, Tensor.sigmoid)
        for layer, function in zip(self.layers, functions, strict=False):
            x = function(layer(x))
        x = F.softplus(self.layers[6](x), beta=2.0)
        return self.layers[8](F.elu_(self.layers[7](x), alpha=0.5))


class ReusedReLU(nn.Module):
    """One nn.ReLU and one nn.MaxPool2d for everything, and a block that is itself called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(2)
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.block = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(4, 4, 1))
        self.head = nn.Linear(4 * 3 * 3, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.relu(self.stem(x)))
        x = self.relu(self.block(x))
        x = self.pool(self.relu(self.block(x)))
        return self.head(x.flatten(1))


class InPlace(nn.Module):
    """In-place activations, some of which write through another name of a tensor that is read again."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(6, 8)
        self.act = nn.ReLU(inplace=True)
        self.second = nn.Linear(8, 8)
        self.head = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        shortcut = self.first(x)
        x = self.second(self.act(shortcut))
        x.relu_()
        x = x + shortcut
        return self.head(x)


class BasicBlock(nn.Module):
    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outside)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outside)
        self.downsample = None
        if stride != 1 or inside != outside:
            self.downsample = nn.Sequential(nn.Conv2d(inside, outside, 1, stride, bias=False), nn.BatchNorm2d(outside))

    def forward(self, x: Tensor) -> Tensor:
        identity = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.downsample is not None:
            identity = self.downsample(x)
        out += identity
        return self.relu(out)


class SmallResNet(nn.Module):
    """The structure of torchvision's, with its overlapping max pool."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential(BasicBlock(4, 4, 1), BasicBlock(4, 4, 1))
        self.layer2 = nn.Sequential(BasicBlock(4, 8, 2), BasicBlock(8, 8, 1))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer2(self.layer1(x))
        return self.fc(torch.flatten(self.avgpool(x), 1))


class DenseLayer(nn.Module):
    def __init__(self, inside: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(inside)
        self.conv = nn.Conv2d(inside, 3, 3, padding=1, bias=False)

    def forward(self, *features: Tensor) -> Tensor:
        out = self.conv(F.relu(self.norm(torch.cat(features, 1))))
        return F.dropout(out, p=0.5, training=self.training)


class SmallDenseNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.layers = nn.ModuleList(DenseLayer(4 + 3 * i) for i in range(3))
        self.norm = nn.BatchNorm2d(13)
        self.head = nn.Linear(13, 5)

    def forward(self, x: Tensor) -> Tensor:
        features = [self.stem(x)]
        for layer in self.layers:
            features.append(layer(*features))
        out = F.avg_pool2d(F.relu(self.norm(torch.cat(features, 1)), inplace=True), 2)
        return self.head(F.adaptive_avg_pool2d(out, (1, 1)).flatten(1))


class PreActivation(nn.Module):
    """Values that go around an activation as well as into it, and activations that follow each other directly."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.act = nn.ReLU()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.second = nn.Sequential(nn.ReLU(), nn.Conv2d(4, 4, 1))
        self.pool = nn.MaxPool2d(2)
        self.tail = nn.Sequential(nn.Flatten(), nn.Linear(8 * 36, 6), nn.ReLU(), nn.Dropout(), nn.Linear(6, 5))

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = x + self.conv(self.act(x))
        x = x + self.second(x)
        x = torch.cat([x, self.conv(x)], 1)
        return self.tail(self.pool(F.relu(x)))


class Clipped(nn.Module):
    """ReLU6 in all its spellings."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(8, 8) for _ in range(6))
        self.act = nn.ReLU6(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(4 * self.layers[0](x))
        x = F.relu6(self.layers[1](x))
        x = F.hardtanh(self.layers[2](x), 0.0, 3.0)
        x = torch.clamp(self.layers[3](x), 0, 6)
        x = self.layers[4](x).clamp(min=0)
        return self.layers[5](self.act(x))


class ShapeBranch(nn.Module):
    """Another way for larger pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.head = nn.Linear(4, 5)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-1] > 8:
            x = F.max_pool2d(x, 3, 2, 1)
        return self.head(self.conv(x).relu().mean([2, 3]))


class FunctionalBlock(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.linear(x))


class DecidesByValue(nn.Module):
    """Control flow over values: not to be traced at the top."""

    def __init__(self) -> None:
        super().__init__()
        self.first = FunctionalBlock()
        self.second = FunctionalBlock()
        self.head = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        if float(x.sum()) > -1.0:  # always: a sum of activations
            x = F.relu(self.second(x) - 0.1)
        return self.head(x)


class Logits(nn.Module):
    """The logits of a model that answers a structure."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.model(pixel_values=x).logits
        return logits


def transformers_resnet(layer_type: str = "basic") -> nn.Module:
    from transformers import ResNetConfig, ResNetForImageClassification  # noqa: PLC0415  # slow to import

    config = ResNetConfig(
        embedding_size=4, hidden_sizes=[4, 8], depths=[2, 2], layer_type=layer_type, num_labels=5, hidden_act="relu"
    )
    return Logits(ResNetForImageClassification(config))


PICTURE = (1, 3, 12, 12)
MODELS = {
    "functional": (FunctionalConvNet, PICTURE),
    "smooth": (SmoothMlp, (1, 6)),
    "reused": (ReusedReLU, PICTURE),
    "in place": (InPlace, (1, 6)),
    "resnet": (SmallResNet, (1, 3, 32, 32)),
    "densenet": (SmallDenseNet, PICTURE),
    "pre-activation": (PreActivation, PICTURE),
    "clipped": (Clipped, (1, 8)),
    "branch on shape": (ShapeBranch, PICTURE),
    "branch on values": (DecidesByValue, (1, 6)),
    "transformers": (transformers_resnet, (1, 3, 32, 32)),
    "transformers bottleneck": (lambda: transformers_resnet("bottleneck"), (1, 3, 32, 32)),
}


def toy(name: str) -> tuple[nn.Module, Tensor]:
    """The model in float64 with frozen random weights, and one input."""
    factory, shape = MODELS[name]
    return frozen(factory()), torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
