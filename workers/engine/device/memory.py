"""Memory of a device: what models take of it, and what to do when it is short."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from workers.engine.device.allocator import return_freed_memory


def resident_bytes(modules: Iterable[nn.Module], *others: Tensor) -> int:
    """Bytes of every tensor that the modules and `others` hold, shared storages counted once."""
    storages = {}
    for tensor in (*_tensors(modules), *others):
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
    return sum(storages.values())


def is_out_of_memory(error: BaseException) -> bool:
    """True for CUDA's own error and for that of the CPU's allocator, which is a plain RuntimeError."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def release_cached(device: torch.device) -> None:
    """Returns memory that the process holds but does not use."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    else:
        return_freed_memory()


def _tensors(modules: Iterable[nn.Module]) -> Iterator[Tensor]:
    """Parameters, buffers, and tensors that modules keep as plain attributes."""
    for module in modules:
        yield from module.parameters()
        yield from module.buffers()
        for part in module.modules():
            yield from (value for value in vars(part).values() if isinstance(value, Tensor))
