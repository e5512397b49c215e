"""The probing step: makes a model return one tensor, and tests what the engine assumes of it."""

from copy import copy
from dataclasses import replace

import structlog
import torch

from workers.engine.device.tf32 import without_tf32
from workers.engine.view import ModelView
from workers.inputs.text import TextAdapter
from workers.models.measurements.measured import Disproved
from workers.models.probes.embeddings import Embeddings, check_pad, find_embeddings
from workers.models.probes.execution import Execution, check, embedded, examine, row_kinds, text_kinds
from workers.models.probes.output_tensor import return_tensor
from workers.models.probes.picture_tokens import picture_grid
from workers.models.probes.text_entry import enter_at_embeddings
from workers.models.stages import LoadedModel, ProbedModel
from workers.tracing.random_rows import RowKind
from workers.tracing.row_mixing import rows_mix

log = structlog.get_logger()


@without_tf32()  # TF32 kernels for one row and for several round differently, as if rows mixed
def probe(loaded: LoadedModel) -> ProbedModel:
    """Runs the model on its sample and on random rows. The module gets forward hooks where its output needs them.

    Raises:
        ModelConfigError: the output holds no single tensor, the model keeps state, or its output from embeddings
            differs from its output from token ids.
        Disproved: what is known of the model does not hold.
        Exception: whatever the model raises on the sample.
    """
    output = loaded.config.output
    with torch.no_grad():
        returned = loaded.module(*_sample_clones(loaded))
    return_tensor(loaded.module, returned, output.field, output.class_dim)
    embeddings = find_embeddings(loaded.module, loaded.sample)
    complete = _with_vocabularies(loaded, embeddings)
    adapter = complete.adapter
    execution, view = _test_text(complete, adapter) if isinstance(adapter, TextAdapter) else _test(complete, embeddings)
    if execution.alone:
        log.warning("model runs alone, one row per pass", model=loaded.config.name, reason=execution.alone)
    packed_lengths = view.padded and not execution.alone
    tested = replace(view, alone_reason=execution.alone, draws_random=execution.random, padded=packed_lengths)
    return ProbedModel(complete, embeddings, execution, tested)


def _sample_clones(loaded: LoadedModel) -> tuple[torch.Tensor, ...]:
    """The sample as the module takes it. Clones, because a model may write into its input."""
    sample = loaded.sample
    return tuple(tensor.clone() for tensor in (*sample.layer_inputs, *sample.layer_additional_forward_args))


def _with_vocabularies(loaded: LoadedModel, embeddings: Embeddings) -> LoadedModel:
    """For a model that takes tensors, an adapter that refuses ids outside the vocabularies.

    Raises:
        ModelConfigError: `input.pad_id` lies outside the vocabulary.
    """
    if loaded.config.input.kind != "tensor":
        return loaded
    check_pad(loaded.config.input, embeddings)
    adapter = copy(loaded.adapter)
    adapter.card = loaded.adapter.card.model_copy(update={"vocabularies": embeddings.vocabularies})
    return replace(loaded, adapter=adapter)


def _test(loaded: LoadedModel, embeddings: Embeddings) -> tuple[Execution, ModelView]:
    """Tests a model that takes tensors, pictures or tables."""
    module, device = loaded.module, loaded.device.device
    inputs = len(loaded.adapter.card.shapes)
    view = ModelView(module, module, device, input_count=inputs, token_grid=picture_grid(loaded.config, module))
    kinds = row_kinds(loaded.config, loaded.sample, embeddings.vocabularies)
    return _execution(loaded, kinds, inputs), view


def _execution(loaded: LoadedModel, kinds: list[RowKind], attributed: int) -> Execution:
    """Whether rows may be packed: tested, or known and checked."""
    module, device, known = loaded.module, loaded.device.device, loaded.known
    if known is not None:
        return check(module, kinds, attributed, device, known.mixing_layers)
    return examine(module, kinds, attributed, device)


def _test_text(loaded: LoadedModel, adapter: TextAdapter) -> tuple[Execution, ModelView]:
    """Tests a text model from its token ids, and then from its embeddings."""
    module, device = loaded.module, loaded.device.device
    vocabulary = getattr(adapter.embeddings, "num_embeddings", None) or 2
    from_ids = _execution(loaded, text_kinds(adapter, loaded.sample, vocabulary), 0)
    view = enter_at_embeddings(module, adapter, device)
    draws = embedded(from_ids.draws, adapter.embeddings)
    alone = from_ids.alone or rows_mix(view.module, draws, view.input_count)
    if alone and loaded.known is not None:
        raise Disproved(alone)
    return replace(from_ids, alone=alone, draws=draws), view
