"""Memory of a device: what models take of it, and what to do when it is short."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

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


def memory_bytes(device: torch.device) -> tuple[int, int]:
    """Memory in use and in all: of a GPU by all processes, of a CPU the resident set of this one; 0 where the system
    does not tell."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        return total - free, total
    try:
        page_bytes = os.sysconf("SC_PAGE_SIZE")
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * page_bytes
        return resident, os.sysconf("SC_PHYS_PAGES") * page_bytes
    except (OSError, ValueError, IndexError):
        return 0, 0


def _tensors(modules: Iterable[nn.Module]) -> Iterator[Tensor]:
    """Parameters, buffers, and tensors that modules keep as plain attributes."""
    for module in modules:
        yield from module.parameters()
        yield from module.buffers()
        for part in module.modules():
            yield from (value for value in vars(part).values() if isinstance(value, Tensor))
