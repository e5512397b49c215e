"""Replaces submodules of a model."""

from torch import nn


def replace_modules(root: nn.Module, replacements: dict[nn.Module, nn.Module]) -> nn.Module:
    """Replaces submodules under each of their names, in place. Returns `root`, or what replaces it."""
    for parent in list(root.modules()):
        for name, child in list(parent._modules.items()):
            if child in replacements:
                setattr(parent, name, replacements[child])
    return replacements.get(root, root)
