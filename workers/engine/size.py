"""How much memory a model takes."""

from collections.abc import Iterator
from dataclasses import fields

from torch import Tensor, nn

from workers.engine.view import ModelView


def resident_bytes(view: ModelView, *others: Tensor) -> int:
    """Bytes of every tensor that the modules of a view and `others` hold, shared storages counted once."""
    storages = {}
    for tensor in (*_tensors(view), *others):
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
    return sum(storages.values())


def _tensors(view: ModelView) -> Iterator[Tensor]:
    """Parameters, buffers, and tensors that modules keep as plain attributes."""
    for field in fields(view):
        module = getattr(view, field.name)
        if isinstance(module, nn.Module):
            yield from module.parameters()
            yield from module.buffers()
            for part in module.modules():
                yield from (value for value in vars(part).values() if isinstance(value, Tensor))
