"""The digest of a model, by which clients tell whether results come from the same model."""

import hashlib
from pathlib import Path

import torch
from torch import nn

from workers.repository.model_toml import ModelConfig, inside


def model_digest(config: ModelConfig, module: nn.Module, folder: Path) -> str:
    """sha256 over configuration, code, labels, background and weights: models with equal digests give equal results."""
    digest = hashlib.sha256(config.model_dump_json(exclude={"dialects"}).encode())
    named = [config.output.labels if isinstance(config.output.labels, str) else None, config.explain.background]
    for path in sorted([*folder.rglob("*.py"), *(inside(folder, name) for name in named if name)]):
        digest.update(f"{path.name} ".encode())
        digest.update(path.read_bytes())
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return f"sha256:{digest.hexdigest()}"
