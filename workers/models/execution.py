"""How a model runs: packed with rows of other jobs, or one row per pass, found out by testing what packing assumes."""

from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor, nn

from workers.engine.randomness.stream import RandomStream
from workers.inputs.prepared import Prepared
from workers.inputs.text import TextAdapter
from workers.models.outputs import keep_row_dimension
from workers.repository.model_toml import ModelConfig, ModelConfigError
from workers.tracing.chance import draws_random_numbers, keeps_state, seeded_answer
from workers.tracing.draws import TEXT_TOKENS, RowKind, Tensors, draw_rows
from workers.tracing.layers import layers_mix
from workers.tracing.rows import rows_mix

DRAWS = 3
UNTESTED = "the model raises on random inputs, so that its rows cannot be tested"
RANDOM = "its forward draws random numbers"
STATE = "the model keeps state: equal inputs give different outputs from call to call"


@dataclass(frozen=True, slots=True)
class Execution:
    """What the tests at load found.

    Attributes:
        alone: why the model runs one row per pass; None where rows may be packed.
        random: the forward draws random numbers; each row then runs with the seed of its job.
        draws: single rows that the model takes, several lists of them, for proofs of its copies.
        mixing_layers: why the output of a layer cannot be explained, by path.
    """

    alone: str | None
    random: bool
    draws: list[list[Tensors]]
    mixing_layers: dict[str, str] = field(default_factory=dict)


def examine(module: nn.Module, kinds: list[RowKind], attributed: int, device: torch.device) -> Execution:
    """Tests that equal inputs give equal outputs, and that a row's answer does not depend on the rows beside it.

    Args:
        module: in evaluation mode; `module(*row)` takes rows of `kinds`. It gets a hook where it squeezes the
            dimension of a single row away.
        attributed: as many of the first tensors get gradients.

    Raises:
        ModelConfigError: the model's state changes its answers from call to call.
    """
    draws = [rows for number in range(DRAWS) if (rows := draw_rows(kinds, module, device, number))]
    if not draws:
        return Execution(UNTESTED, random=False, draws=[])
    keep_row_dimension(module, draws[0])
    seeded = partial(RandomStream, device=device)
    expected = seeded_answer(module, draws[0][0], seeded)
    if keeps_state(module, draws[0], seeded, expected):
        raise ModelConfigError(STATE)
    drawn = draws_random_numbers(module, draws[0], seeded)
    reason = RANDOM if drawn else rows_mix(module, draws, attributed)
    if keeps_state(module, draws[0], seeded, expected):  # a model may change only after some calls
        raise ModelConfigError(STATE)
    if reason is None and all(len(rows) < 3 for rows in draws):
        reason = UNTESTED
    layers = layers_mix(module, draws[0]) if reason is None else {}
    return Execution(reason, random=drawn, draws=draws, mixing_layers=layers)


def row_kinds(config: ModelConfig, prepared: Prepared, vocabularies: list[int | None] | None) -> list[RowKind]:
    """The kinds of `prepared.inputs` and extras of a model that takes tensors, pictures or tables."""
    sizes = vocabularies or [None] * len(prepared.inputs)
    return [
        RowKind(tuple(tensor.shape[1:]), tensor.dtype, vocabulary=size, pad=config.input.pad_id)
        for tensor, size in zip((*prepared.inputs, *prepared.additional_forward_args), sizes, strict=True)
    ]


def text_kinds(adapter: TextAdapter, prepared: Prepared, vocabulary: int) -> list[RowKind]:
    """The kinds of token ids, mask and token types, of one length."""
    ids, *additional_forward_args = (*prepared.layer_inputs, *prepared.layer_additional_forward_args)
    shape = (min(TEXT_TOKENS, adapter.card.max_tokens or TEXT_TOKENS),)
    mask = RowKind(shape, additional_forward_args[0].dtype, constant=1)
    types = (RowKind(shape, tensor.dtype, constant=0) for tensor in additional_forward_args[1:])
    return [RowKind(shape, ids.dtype, vocabulary=vocabulary), mask, *types]


def embedded(draws: list[list[Tensors]], embeddings: nn.Module) -> list[list[Tensors]]:
    """Rows of token ids as rows of their embeddings."""
    with torch.no_grad():
        return [[(_vectors(embeddings, ids), *rest) for ids, *rest in rows] for rows in draws]


def _vectors(embeddings: nn.Module, ids: Tensor) -> Tensor:
    vectors: Tensor = embeddings(ids)
    return vectors
