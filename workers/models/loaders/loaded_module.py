"""What a loader returns."""

from dataclasses import dataclass

from tokenizers import Tokenizer
from torch import nn

from workers.repository.model_toml import ModelConfig


@dataclass(frozen=True, slots=True)
class LoadedModule:
    """A module on the CPU, in evaluation mode, with frozen weights.

    Attributes:
        module: the module.
        config: the description of the folder, completed by the model's own files.
        tokenizer: of a text model whose description names none.
        token_types: the model takes token types.
    """

    module: nn.Module
    config: ModelConfig
    tokenizer: Tokenizer | None = None
    token_types: bool = False
