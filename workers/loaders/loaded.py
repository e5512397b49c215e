"""What a loader hands over."""

from dataclasses import dataclass

from torch import nn

from workers.config import ModelConfig


@dataclass(frozen=True, slots=True)
class Loaded:
    """A module on the CPU, in evaluation mode, frozen; and its description, completed by what its own files say."""

    module: nn.Module
    config: ModelConfig
