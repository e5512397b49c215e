"""A model repository of the toy models in Captum's own tests. Captum's wheel contains them with their weights."""

import json
from pathlib import Path

MODEL_PY = '''
import torch
from captum.attr._utils.lrp_rules import Alpha1_Beta0_Rule, EpsilonRule, GammaRule, IdentityRule
from captum.testing.helpers import basic_models as toys
from torch import nn


def inplace():
    return toys.BasicModel_MultiLayer(inplace=True)


def multi_relu():
    return toys.BasicModel_MultiLayer(multi_input_module=True)


def conv_inplace():
    return toys.BasicModel_ConvNet_One_Conv(inplace=True)


class Scaled(toys.BasicModel_MultiLayer_MultiInput):
    """Captum's tests pass the scale as an additional forward arg."""

    def __init__(self, scale):
        super().__init__()
        self.scale = scale

    def forward(self, x1, x2, x3):
        return super().forward(x1, x2, x3, self.scale)


def scaled(scale):
    return lambda: Scaled(scale)


scaled_1, scaled_3, scaled_4, scaled_5 = map(scaled, (1, 3, 4, 5))


def linear_inplace():
    return toys.ReLULinearModel(inplace=True)


def ruled(first, second, negative=True):
    """SimpleLRPModel with rules. `negative` sets the weight that some of the tests change."""
    model = toys.SimpleLRPModel(inplace=False)
    model.linear.rule, model.linear2.rule = first, second
    if negative:
        model.linear.weight.data[0][0] = -2
    return model


def lrp_epsilon():
    return ruled(EpsilonRule(), EpsilonRule(), negative=False)


def lrp_gamma():
    return ruled(GammaRule(gamma=1), GammaRule())


def lrp_alpha_beta():
    return ruled(Alpha1_Beta0_Rule(), Alpha1_Beta0_Rule())


def lrp_identity():
    return ruled(IdentityRule(), EpsilonRule())


def lrp_tanh():
    model = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Tanh(), nn.Linear(3, 1, bias=False))
    for parameter in model.parameters():
        parameter.data.fill_(0.1)
    return model


class Addition(nn.Module):
    def forward(self, a, b):
        return a + b


class SkipConnection(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 2, bias=False)
        self.linear.weight.data.fill_(5)
        self.add = Addition()
        self.add.rule = EpsilonRule()

    def forward(self, x):
        return self.add(self.linear(x), x)
'''
HELPERS = "captum.testing.helpers.basic_models:"
REPOSITORY: dict[str, tuple[str, list[list[int]], str]] = {  # name: factory, shapes of the inputs, kind of output
    "basic": (f"{HELPERS}BasicModel", [[1]], "regression"),
    "paper-1": (f"{HELPERS}BasicModel2", [[1], [1]], "regression"),
    "paper-2": (f"{HELPERS}BasicModel3", [[1], [1]], "regression"),
    "multilayer": (f"{HELPERS}BasicModel_MultiLayer", [[3]], "classification"),
    "multilayer-inplace": ("model.py:inplace", [[3]], "classification"),
    "multi-relu": ("model.py:multi_relu", [[3]], "classification"),
    "scaled-1": ("model.py:scaled_1", [[3]] * 3, "classification"),
    "scaled-3": ("model.py:scaled_3", [[3]] * 3, "classification"),
    "scaled-4": ("model.py:scaled_4", [[3]] * 3, "classification"),
    "scaled-5": ("model.py:scaled_5", [[3]] * 3, "classification"),
    "conv": (f"{HELPERS}BasicModel_ConvNet_One_Conv", [[1, 4, 4]], "classification"),
    "conv-two": (f"{HELPERS}BasicModel_ConvNet_One_Conv", [[1, 4, 4], [1, 4, 4]], "classification"),
    "conv-two-inplace": ("model.py:conv_inplace", [[1, 4, 4], [1, 4, 4]], "classification"),
    "relu-deep-lift": (f"{HELPERS}ReLUDeepLiftModel", [[1], [1]], "regression"),
    "relu-linear": (f"{HELPERS}ReLULinearModel", [[3], [3]], "regression"),
    "relu-linear-inplace": ("model.py:linear_inplace", [[3], [3]], "regression"),
    "linear-max-pool": (f"{HELPERS}LinearMaxPoolLinearModel", [[4]], "regression"),
    "lrp-epsilon": ("model.py:lrp_epsilon", [[3]], "regression"),
    "lrp-gamma": ("model.py:lrp_gamma", [[3]], "regression"),
    "lrp-alpha-beta": ("model.py:lrp_alpha_beta", [[3]], "regression"),
    "lrp-identity": ("model.py:lrp_identity", [[3]], "regression"),
    "lrp-tanh": ("model.py:lrp_tanh", [[3]], "regression"),
    "lrp-skip": ("model.py:SkipConnection", [[2]], "classification"),
}


def write_captum_repository(directory: Path) -> Path:
    for name, (factory, shapes, kind) in REPOSITORY.items():
        folder = directory / name
        folder.mkdir(parents=True)
        (folder / "model.py").write_text(MODEL_PY)
        (folder / "model.toml").write_text(
            f'name = "{name}"\nfactory = "{factory}"\n[input]\nkind = "tensor"\nshapes = {json.dumps(shapes)}\n'
            f'[output]\nkind = "{kind}"\n'
        )
    return directory
