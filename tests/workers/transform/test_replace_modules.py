"""Submodules are replaced under each of their names."""

from torch import nn

from workers.transform.replace_modules import replace_modules


def test_every_name_is_replaced() -> None:
    shared, other = nn.ReLU(), nn.Tanh()
    root = nn.ModuleDict({"a": shared, "b": nn.Sequential(shared, other)})
    new = nn.GELU()
    assert replace_modules(root, {shared: new}) is root
    assert root["a"] is new
    assert root["b"][0] is new
    assert root["b"][1] is other


def test_the_root_may_be_replaced() -> None:
    root, new = nn.ReLU(), nn.Tanh()
    assert replace_modules(root, {root: new}) is new
    assert replace_modules(root, {}) is root
