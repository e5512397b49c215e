"""What modules are called in messages, and which of them are embeddings."""

from torch import nn

STANDS_FOR = "stands_for"  # attribute of a module that replaces part of a model: what it replaces, in the model's names


def labelled(root: nn.Module, path: str) -> str:
    """A submodule by the path and class that the model's author wrote; of a replacement, what it stands for."""
    parts = path.split(".") if path else []
    for end in range(1, len(parts) + 1):
        replaced = vars(root.get_submodule(".".join(parts[:end]))).get(STANDS_FOR)
        if replaced is not None:
            return str(replaced)
    return named(path, root.get_submodule(path))


def named(path: str, module: nn.Module) -> str:
    return f"{path or 'the model'} ({type(module).__name__})"


def is_embedding(module: nn.Module) -> bool:
    return isinstance(module, nn.Embedding | nn.EmbeddingBag)
