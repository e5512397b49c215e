"""Finds the embedding that a model's integer inputs enter.

Integers have no gradient. Gradient methods explain them at the layer that turns them into vectors:
`layer_integrated_gradients` at the embedding is Integrated Gradients of token ids.
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

_FIRST_ID, _SECOND_ID = 1, 0  # ids that every vocabulary has; the sample holds the first


@dataclass(frozen=True, slots=True)
class Embeddings:
    """What integer inputs enter.

    Attributes:
        layer: path of the embedding that the inputs enter; None where there is none or more than one.
        vocabularies: for each input the number of ids; None where it is unknown, or the input holds no integers.
    """

    layer: str | None
    vocabularies: list[int | None]


def find_embeddings(module: nn.Module, sample: Prepared) -> Embeddings:
    """Runs the model twice with different ids, and finds the embeddings whose input follows them.

    Positions and token types enter embeddings too, but do not follow the ids. Where a model has
    `get_input_embeddings()`, as those of transformers, that gives the layer.

    Args:
        module: takes `sample.layer_inputs` and the additional forward args.
        sample: one valid input.
    """
    inputs = sample.layer_inputs
    integers = [(i, tensor) for i, tensor in enumerate(inputs) if not tensor.is_floating_point()]
    if not integers:
        return Embeddings(None, [None] * len(inputs))
    first_ids = {i: torch.full_like(tensor, _FIRST_ID) for i, tensor in integers}
    first = _embedding_inputs(module, sample, first_ids)
    entered: dict[int, list[str]] = {}
    for i, tensor in integers:
        second = _embedding_inputs(module, sample, first_ids | {i: torch.full_like(tensor, _SECOND_ID)})
        entered[i] = [path for path, calls in first.items() if _follows(tensor, calls, second.get(path, []))]
    layers = dict(module.named_modules())
    sizes = {i: [_vocabulary(layers[path]) for path in paths] for i, paths in entered.items()}
    return Embeddings(
        _declared_embedding(module) or _only_embedding(entered, first),
        [min(sizes[i]) if sizes.get(i) else None for i in range(len(inputs))],
    )


def check_pad(config: InputConfig, embeddings: Embeddings) -> None:
    """Raises `ModelConfigError` for an `input.pad_id` that an embedding has no vector for."""
    sizes = [size for size in embeddings.vocabularies if size is not None]
    if config.pad_id is not None and sizes and config.pad_id >= min(sizes):
        raise ModelConfigError(f"input.pad_id: the model's ids run from 0 to {min(sizes) - 1}")


def _only_embedding(entered: dict[int, list[str]], calls: dict[str, list[Tensor]]) -> str | None:
    """The embedding that all integer inputs enter, where one forward calls it once, as methods at a layer require."""
    paths = {path for found in entered.values() for path in found}
    return next((path for path in paths if len(calls[path]) == 1), None) if len(paths) == 1 else None


def _declared_embedding(module: nn.Module) -> str | None:
    """The path of the layer that the model returns as its input embeddings."""
    get_input_embeddings = getattr(module, "get_input_embeddings", None)
    if not callable(get_input_embeddings):
        return None
    try:
        embeddings = get_input_embeddings()
    except NotImplementedError:
        return None
    return next((path for path, layer in module.named_modules() if path and layer is embeddings), None)


def _embedding_inputs(module: nn.Module, sample: Prepared, changed: dict[int, Tensor]) -> dict[str, list[Tensor]]:
    """The first argument of each embedding in one forward, call by call, by path.

    The model may raise on equal ids, such as padding only; the calls before that count.
    """
    received: defaultdict[str, list[Tensor]] = defaultdict(list)

    def recorder(path: str) -> Any:
        def hook(_module: nn.Module, args: tuple[Any, ...]) -> None:
            if args and isinstance(args[0], Tensor):
                received[path].append(args[0].detach().clone())

        return hook

    inputs: Tensors = tuple(changed.get(i, tensor) for i, tensor in enumerate(sample.layer_inputs))
    layers = [(path, layer) for path, layer in module.named_modules() if path and is_embedding(layer)]
    handles = [layer.register_forward_pre_hook(recorder(path)) for path, layer in layers]
    try:
        with torch.no_grad(), suppress(Exception):
            module(*(tensor.clone() for tensor in (*inputs, *sample.layer_additional_forward_args)))
    finally:
        for handle in handles:
            handle.remove()
    return received


def _follows(tensor: Tensor, first: list[Tensor], second: list[Tensor]) -> bool:
    """Whether a call of an embedding receives this input: as many ids, all equal to those set in both forwards.

    Where the second forward ended before this call, the first one decides.
    """
    for call, ids in enumerate(first):
        as_set = ids.numel() == tensor.numel() and bool((ids == _FIRST_ID).all())
        if as_set and (call >= len(second) or bool((second[call] == _SECOND_ID).all())):
            return True
    return False


def _vocabulary(embedding: Any) -> int:
    return int(embedding.num_embeddings)
