"""A model as the engine calls it."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from schemas.precision import Precision
from workers.engine.token_grid import TokenGrid

PAD_STEP = 16  # padded lengths double from here: 16, 32, 64, …


@dataclass(frozen=True, slots=True)
class ModelView:
    """One model, two ways in.

    `module` takes what attributions are computed for: `module(*inputs, *extras) -> (rows, outputs)` or `(rows,)`.
    `layer_module` is the model itself, where layers are found and hooks fire; the same object but for text, whose
    `module` starts from embeddings and whose `layer_module` starts from token ids.
    """

    module: nn.Module
    layer_module: nn.Module
    device: torch.device
    inputs: int = 1  # tensors that are attributed; those after them are extras such as an attention mask
    entry: nn.Module | None = None  # where `module` is entered behind `embedding`: passes embeddings on as they are
    embedding: nn.Module | None = None
    optimized: nn.Module | None = None  # equal to `module` and cheaper; for passes, where nothing hooks it
    hookable: nn.Module | None = None  # a copy of `module` that hook methods are right on, where `module` is not
    precision: Precision = "float32"  # of shared passes; 16 bits are the doing of `optimized`
    padded: bool = False  # dimension 1 of every tensor is a length; extras mask what is padded
    longest: int | None = None  # the length that the model takes at most
    grid: TokenGrid | None = None  # of an image transformer
    alone: str | None = None  # why its rows cannot share a pass; None where they can
    random: bool = False  # its forward draws random numbers
    index_columns: tuple[tuple[int, int], ...] = ()  # (input, element) without a gradient that move the output

    def length(self, tensor: Tensor) -> int | None:
        """The length rows of this tensor are padded to in a pass, None where they are not padded."""
        if not self.padded:
            return None
        length = PAD_STEP
        while length < tensor.shape[1]:
            length *= 2
        return length if self.longest is None else min(length, self.longest)

    def signature(self, tensor: Tensor) -> tuple[torch.dtype, int | None, torch.Size]:
        """Equal for tensors that may share a pass."""
        length = self.length(tensor)
        return tensor.dtype, length, tensor.shape[1 if length is None else 2 :]

    def layer_behind_entry(self, path: str) -> nn.Module:
        """The layer of this path as `module` runs it: for the embedding, which it leaves out, the entry."""
        layer = self.layer_module.get_submodule(path)
        return self.entry if self.entry is not None and layer is self.embedding else layer

    @property
    def pass_module(self) -> nn.Module:
        """What shared passes run."""
        return self.module if self.optimized is None else self.optimized

    @property
    def hook_module(self) -> nn.Module:
        """What methods run that replace the backward pass of activations. Takes one forward at a time."""
        return self.module if self.hookable is None else self.hookable

    def hook_layer(self, path: str) -> nn.Module:
        """The layer of this path as `hook_module` runs it."""
        return self.layer_behind_entry(path) if self.hookable is None else self.hookable.get_submodule(path)
