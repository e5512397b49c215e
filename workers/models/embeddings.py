"""The embedding that a model's integers enter, found by watching the model run.

Integers have no gradient. What gradient methods mean for them is the layer that turns them into vectors:
`layer_integrated_gradients` at the embedding is Integrated Gradients for token ids.
"""

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from workers.inputs.prepared import Prepared, Tensors
from workers.repository.model_toml import InputConfig, ModelConfigError
from workers.tracing.module_names import is_embedding

BASE, CHANGED = 1, 0  # ids that are in any vocabulary; the sample holds the first


@dataclass(frozen=True, slots=True)
class Embeddings:
    """`layer` is the path of the one embedding that the inputs enter, None where there is none or more than one;
    `vocabularies` say for each input how many ids there are, None where that is not known."""

    layer: str | None
    vocabularies: list[int | None]


def find_embeddings(module: nn.Module, sample: Prepared) -> Embeddings:
    """What the integers among `sample.layer_inputs` enter.

    A model with `get_input_embeddings()`, as those of transformers, is taken at its word for the layer. Positions and
    token types are embedded too, so an embedding counts only if what it is given follows the input.
    """
    inputs, additional_forward_args = sample.layer_inputs, sample.layer_additional_forward_args
    whole = [(i, tensor) for i, tensor in enumerate(inputs) if not tensor.is_floating_point()]
    if not whole:
        return Embeddings(None, [None] * len(inputs))
    base = {i: torch.full_like(tensor, BASE) for i, tensor in whole}
    before = _given(module, (*_with(inputs, base), *additional_forward_args))
    found: dict[int, list[str]] = {}
    for i, tensor in whole:
        after = _given(module, (*_with(inputs, base | {i: torch.full_like(tensor, CHANGED)}), *additional_forward_args))
        found[i] = [path for path, calls in before.items() if _follows(tensor, calls, after.get(path, []))]
    every = {path for paths in found.values() for path in paths}
    only = every.pop() if len(every) == 1 else None
    once = only if only is not None and len(before[only]) == 1 else None  # Captum takes all calls of a layer for one
    parts = dict(module.named_modules())
    sizes = {i: [_size(parts[path]) for path in paths] for i, paths in found.items()}
    return Embeddings(
        _said(module) or once,
        [min(sizes[i]) if sizes.get(i) else None for i in range(len(inputs))],
    )


def check_pad(config: InputConfig, embeddings: Embeddings) -> None:
    """Raises `ModelConfigError` for an `input.pad_id` that an embedding has no vector for."""
    sizes = [size for size in embeddings.vocabularies if size is not None]
    if config.pad_id is not None and sizes and config.pad_id >= min(sizes):
        raise ModelConfigError(f"input.pad_id: the model's ids run from 0 to {min(sizes) - 1}")


def _said(module: nn.Module) -> str | None:
    """The path of what the model itself calls its input embeddings."""
    ask = getattr(module, "get_input_embeddings", None)
    if not callable(ask):
        return None
    try:
        embeddings = ask()
    except NotImplementedError:
        return None
    return next((path for path, part in module.named_modules() if path and part is embeddings), None)


def _with(inputs: Tensors, changed: dict[int, Tensor]) -> Tensors:
    return tuple(changed.get(i, tensor) for i, tensor in enumerate(inputs))


def _given(module: nn.Module, inputs: Tensors) -> dict[str, list[Tensor]]:
    """What each embedding is given in one forward, call by call, by its path.

    The model may raise on ids that are all alike, such as its padding: what was embedded before it did counts.
    """
    given: defaultdict[str, list[Tensor]] = defaultdict(list)

    def recorder(path: str) -> Any:
        def hook(_module: nn.Module, args: tuple[Any, ...]) -> None:
            if args and isinstance(args[0], Tensor):
                given[path].append(args[0].detach().clone())

        return hook

    parts = [(path, part) for path, part in module.named_modules() if path and is_embedding(part)]
    handles = [part.register_forward_pre_hook(recorder(path)) for path, part in parts]
    try:
        with torch.no_grad(), suppress(Exception):
            module(*(tensor.clone() for tensor in inputs))
    finally:
        for handle in handles:
            handle.remove()
    return given


def _follows(tensor: Tensor, before: list[Tensor], after: list[Tensor]) -> bool:
    """Whether an embedding is given this input: as many ids, all of them as they were set both times.

    Where the model did not come so far with the changed ids, the first time has to do.
    """
    for call, ids in enumerate(before):
        as_set = ids.numel() == tensor.numel() and bool((ids == BASE).all())
        if as_set and (call >= len(after) or bool((after[call] == CHANGED).all())):
            return True
    return False


def _size(embedding: Any) -> int:
    return int(embedding.num_embeddings)
