"""What a loader hands over."""

from dataclasses import dataclass

from tokenizers import Tokenizer
from torch import nn

from workers.repository.model_toml import ModelConfig


@dataclass(frozen=True, slots=True)
class Loaded:
    """A module on the CPU, in evaluation mode, frozen; and its description, completed by what its own files say.

    `tokenizer` is for texts, if the description names none; `token_types` says that the model is to be given them.
    """

    module: nn.Module
    config: ModelConfig
    tokenizer: Tokenizer | None = None
    token_types: bool = False
