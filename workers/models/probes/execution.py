"""Tests whether rows of several jobs may share a pass of a model."""

from dataclasses import dataclass, field, replace
from functools import partial

import torch
from torch import Tensor, nn

from workers.engine.randomness.stream import RandomStream
from workers.inputs.prepared import Prepared
from workers.inputs.text import TextAdapter
from workers.models.measurements.measured import Disproved
from workers.models.probes.output_tensor import keep_row_dimension
from workers.models.tuning import CHECKED_ROWS, EXECUTION_DRAWS
from workers.repository.model_toml import ModelConfig, ModelConfigError
from workers.tracing.determinism import draws_random_numbers, keeps_state, repeats, seeded_output
from workers.tracing.layer_mixing import layers_mix
from workers.tracing.random_rows import RowKind, are_large, draw_rows
from workers.tracing.row_mixing import rows_mix
from workers.tracing.samples import Tensors
from workers.tracing.smaller_rows import SmallerSize, smaller_size
from workers.tracing.tuning import TEXT_TOKENS

_UNTESTED = "the model raises on random inputs, so that its rows cannot be tested"
RANDOM = "its forward draws random numbers"
_STATE = "the model keeps state: equal inputs give different outputs from call to call"


@dataclass(frozen=True, slots=True)
class Execution:
    """The result of the tests.

    Attributes:
        alone: why the model runs one row per pass; None where rows may be packed.
        random: the forward draws random numbers; each row then runs with the seed of its job.
        draws: several lists of single rows that the model takes, (1, …) each. Copies of the model are proven on them.
        smaller: a size at which the model computes the same operations; None: none is known.
        smaller_draws: as `draws`, of that size.
        mixing_layers: by path, why the output of a layer for one row depends on other rows.
    """

    alone: str | None
    random: bool
    draws: list[list[Tensors]]
    mixing_layers: dict[str, str] = field(default_factory=dict)
    smaller: SmallerSize | None = None
    smaller_draws: list[list[Tensors]] = field(default_factory=list)


def examine(module: nn.Module, kinds: list[RowKind], attributed: int, device: torch.device) -> Execution:
    """Tests that equal inputs give equal outputs, and that the output of a row does not depend on other rows.

    Args:
        module: in evaluation mode; `module(*row)` takes rows of `kinds`. It gets a hook where it drops the row
            dimension of a single row.
        kinds: the tensors of a row.
        attributed: the number of tensors, from the first, that get gradients.
        device: of the module.

    Raises:
        ModelConfigError: equal inputs give different outputs from call to call.
    """
    first = draw_rows(kinds, module, device, 0, CHECKED_ROWS) if are_large(kinds) else []
    if len(first) == CHECKED_ROWS:
        keep_row_dimension(module, first)
        smaller = smaller_size(module, first[0], attributed)
        if smaller is not None:
            return _examine_smaller(module, kinds, first, attributed, device, smaller)
    draws = [rows for number in range(EXECUTION_DRAWS) if (rows := draw_rows(kinds, module, device, number))]
    if not draws:
        return Execution(_UNTESTED, random=False, draws=[])
    keep_row_dimension(module, draws[0])
    return _examine(module, draws, attributed, device)


def _examine_smaller(
    module: nn.Module,
    kinds: list[RowKind],
    rows: list[Tensors],
    attributed: int,
    device: torch.device,
    smaller: SmallerSize,
) -> Execution:
    """All tests at a smaller size, and at the model's own a batch of three rows, forward and backward.

    Raises:
        ModelConfigError: equal inputs give different outputs from call to call.
    """
    seeded = partial(RandomStream, device=device)
    expected = seeded_output(module, rows[0], seeded)
    cut = [replace(kind, shape=smaller.shape(kind.shape)) for kind in kinds]
    draws = [found for number in range(EXECUTION_DRAWS) if (found := draw_rows(cut, module, device, number))]
    if not draws:
        return Execution(_UNTESTED, random=False, draws=[])
    tested = _examine(module, draws, attributed, device)
    reason = tested.alone or rows_mix(module, [rows], attributed)
    if not tested.random and not repeats(module, rows[0], seeded, expected):
        raise ModelConfigError(_STATE)
    return replace(tested, alone=reason, draws=[rows], smaller=smaller, smaller_draws=draws)


def _examine(module: nn.Module, draws: list[list[Tensors]], attributed: int, device: torch.device) -> Execution:
    seeded = partial(RandomStream, device=device)
    expected = seeded_output(module, draws[0][0], seeded)
    if keeps_state(module, draws[0], seeded, expected):
        raise ModelConfigError(_STATE)
    drawn = draws_random_numbers(module, draws[0], seeded)
    reason = RANDOM if drawn else rows_mix(module, draws, attributed)
    if keeps_state(module, draws[0], seeded, expected):  # a model may change only after some calls
        raise ModelConfigError(_STATE)
    if reason is None and all(len(rows) < 3 for rows in draws):
        reason = _UNTESTED
    layers = layers_mix(module, draws[0]) if reason is None else {}
    return Execution(reason, random=drawn, draws=draws, mixing_layers=layers)


def check(
    module: nn.Module, kinds: list[RowKind], attributed: int, device: torch.device, mixing_layers: dict[str, str]
) -> Execution:
    """As `examine`, for a model of which an earlier load has shown that rows may be packed: on a few rows, without
    gradients.

    Args:
        attributed: as in `examine`.
        mixing_layers: what that load found.

    Raises:
        Disproved: the rows show otherwise.
    """
    rows = draw_rows(kinds, module, device, 0, CHECKED_ROWS)
    if len(rows) < CHECKED_ROWS:
        raise Disproved(_UNTESTED)
    keep_row_dimension(module, rows)
    seeded = partial(RandomStream, device=device)
    expected = seeded_output(module, rows[0], seeded)
    reason = rows_mix(module, [rows], 0)
    if reason is None and not repeats(module, rows[0], seeded, expected):
        reason = f"{RANDOM}, or {_STATE}"
    if reason is not None:
        raise Disproved(reason)
    smaller = smaller_size(module, rows[0], attributed)
    return Execution(None, random=False, draws=[rows], mixing_layers=mixing_layers, smaller=smaller)


def row_kinds(config: ModelConfig, prepared: Prepared, vocabularies: list[int | None] | None) -> list[RowKind]:
    """The kinds of the inputs and additional forward args of a model that takes tensors, pictures or tables."""
    sizes = vocabularies or [None] * len(prepared.inputs)
    return [
        RowKind(tuple(tensor.shape[1:]), tensor.dtype, vocabulary=size, pad=config.input.pad_id)
        for tensor, size in zip((*prepared.inputs, *prepared.additional_forward_args), sizes, strict=True)
    ]


def text_kinds(adapter: TextAdapter, prepared: Prepared, vocabulary: int) -> list[RowKind]:
    """The kinds of token ids, mask and token types, all of one length."""
    ids, *additional_forward_args = (*prepared.layer_inputs, *prepared.layer_additional_forward_args)
    shape = (min(TEXT_TOKENS, adapter.card.max_tokens or TEXT_TOKENS),)
    mask = RowKind(shape, additional_forward_args[0].dtype, constant=1)
    types = (RowKind(shape, tensor.dtype, constant=0) for tensor in additional_forward_args[1:])
    return [RowKind(shape, ids.dtype, vocabulary=vocabulary), mask, *types]


def embedded(draws: list[list[Tensors]], embeddings: nn.Module) -> list[list[Tensors]]:
    """Replaces the token ids of rows by their embeddings."""
    with torch.no_grad():
        return [[(_embed(embeddings, ids), *rest) for ids, *rest in rows] for rows in draws]


def _embed(embeddings: nn.Module, ids: Tensor) -> Tensor:
    vectors: Tensor = embeddings(ids)
    return vectors
