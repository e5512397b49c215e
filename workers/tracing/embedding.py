"""Which modules are embeddings."""

from torch import nn


def is_embedding(module: nn.Module) -> bool:
    return isinstance(module, nn.Embedding | nn.EmbeddingBag)
