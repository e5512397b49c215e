"""A model as the engine and the methods call it."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from schemas.methods import BackwardRule
from schemas.precision import Precision
from workers.engine.tuning import MIN_PADDED_TOKENS

MAX_PREFIX_TOKENS = 8  # class, distillation and register tokens, which stand before those of the picture


@dataclass(frozen=True, slots=True)
class TokenGrid:
    """How the tokens of an image transformer lie on the picture.

    Attributes:
        grids: (rows, columns) of the model's grids, the finest first. Tokens go row by row, behind any prefix.
        prefixed: whether other tokens may stand before those of the picture; hierarchical models have none.
    """

    grids: tuple[tuple[int, int], ...]
    prefixed: bool = True

    def of(self, tokens: int) -> tuple[int, int] | None:
        """The grid of so many tokens; None if they are not tokens of the picture."""
        most = MAX_PREFIX_TOKENS if self.prefixed else 0
        return next(((rows, cols) for rows, cols in self.grids if 0 <= tokens - rows * cols <= most), None)

    def as_map(self, tensor: Tensor) -> Tensor:
        """(examples, tokens, C) to (examples, C, rows, columns), without the prefix; any other tensor unchanged."""
        grid = self.of(tensor.shape[1]) if tensor.dim() == 3 else None
        if grid is None:
            return tensor
        tokens = tensor[:, tensor.shape[1] - grid[0] * grid[1] :]
        return tokens.transpose(1, 2).reshape(len(tensor), tensor.shape[2], *grid)


@dataclass(frozen=True, slots=True)
class ModelView:
    """One model, its copies, and what is known about it.

    Attributes:
        module: takes the inputs that are attributed: `module(*inputs, *additional_forward_args)` -> (rows, outputs) or
            (rows,).
        layer_module: the model in which layers are found and hooked. The same object as `module`, but for text:
            there `module` starts from embeddings and `layer_module` from token ids.
        device: of all tensors.
        input_count: how many of the tensors are attributed; the others are additional forward args, such as a mask.
        entry: the identity module that passes embeddings into `module`, for text.
        embedding: the layer of `layer_module` that `module` leaves out, for text.
        optimized: equal to `module` and cheaper; run by shared passes, where nothing hooks it.
        hookable: a copy of `module` on which hook methods are right, where they are not on `module`.
        rule_modules: copies of `module` for shared passes by backward rules. Each takes (rows, baselines, eps), where
            rows and baselines are tuples of what `module` takes, and returns the outputs for the rows, whose gradients
            are those of the rule. They compute in the precision of `module`, and one forward at a time. Modules may be
            added, once they are proven, while jobs run; none is ever taken out.
        precision: of other shared passes. In 16 bits `optimized` computes.
        padded: dimension 1 of every tensor is a length, and the additional forward args mask padding.
        max_length: the length that the model takes at most.
        token_grid: of an image transformer.
        alone_reason: why each row has a pass of its own (execution `alone`); None where rows share passes (`packed`).
        draws_random: whether a forward draws random numbers.
        index_columns: (input, element) pairs that move the output but have no gradient.
    """

    module: nn.Module
    layer_module: nn.Module
    device: torch.device
    input_count: int = 1
    entry: nn.Module | None = None
    embedding: nn.Module | None = None
    optimized: nn.Module | None = None
    hookable: nn.Module | None = None
    rule_modules: dict[BackwardRule, nn.Module] = field(default_factory=dict)
    precision: Precision = "float32"
    padded: bool = False
    max_length: int | None = None
    token_grid: TokenGrid | None = None
    alone_reason: str | None = None
    draws_random: bool = False
    index_columns: tuple[tuple[int, int], ...] = ()

    @property
    def pass_module(self) -> nn.Module:
        """The module that shared passes run."""
        return self.module if self.optimized is None else self.optimized

    @property
    def hook_module(self) -> nn.Module:
        """The module of methods that replace the backward pass of activations. It takes one forward at a time."""
        return self.module if self.hookable is None else self.hookable

    def layer(self, path: str) -> nn.Module:
        """The layer of this path as `module` runs it; for the embedding, which `module` leaves out, the entry."""
        layer = self.layer_module.get_submodule(path)
        return self.entry if self.entry is not None and layer is self.embedding else layer

    def hook_layer(self, path: str) -> nn.Module:
        """The layer of this path as `hook_module` runs it."""
        return self.layer(path) if self.hookable is None else self.hookable.get_submodule(path)

    def modules(self) -> Iterator[nn.Module]:
        """The model and its copies; the same object may come twice."""
        modules = (self.module, self.layer_module, self.entry, self.embedding, self.optimized, self.hookable)
        yield from (module for module in modules if module is not None)
        yield from tuple(self.rule_modules.values())  # the loading thread may add some

    def length(self, tensor: Tensor) -> int | None:
        """The length to which a pass pads rows of this tensor; None where it does not pad."""
        if not self.padded:
            return None
        length = MIN_PADDED_TOKENS
        while length < tensor.shape[1]:
            length *= 2
        return length if self.max_length is None else min(length, self.max_length)

    def signature(self, tensor: Tensor) -> Hashable:
        """Equal for tensors whose rows may share a pass."""
        length = self.length(tensor)
        return tensor.dtype, length, tensor.shape[1 if length is None else 2 :]
