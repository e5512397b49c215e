"""The output of a model: whether it can be explained, and its part of the card."""

import structlog
import torch
from torch import Tensor, nn

from schemas.models import OutputCard
from workers.engine.view import ModelView
from workers.inputs.prepared import Prepared
from workers.models.layer_cards import ObservedLayers
from workers.models.probes.output_kind import output_kind
from workers.models.stages import LoadedModel
from workers.repository.model_toml import ModelConfigError

log = structlog.get_logger()
_MORE_ROWS = 3  # another number than `observe_layers` gives


def check_outputs(view: ModelView, sample: Prepared, observed: ObservedLayers) -> None:
    """Raises `ModelConfigError` unless the model returns one row of real floating-point scores for each row it takes.

    A model of two outputs that mixes its rows may return two numbers for two rows, so three rows are tried as well.
    """
    outputs = observed.outputs
    _check_rows(outputs, observed.rows)
    if outputs.is_complex():
        raise ModelConfigError(
            f"the model answers {outputs.dtype}: complex numbers cannot be explained, their parts can"
        )
    more = _outputs_of_more_rows(view.layer_module, sample)
    if more is not None:
        _check_rows(more, _MORE_ROWS)
    if not outputs.is_floating_point():
        raise ModelConfigError(f"the model answers {outputs.dtype}: its scores are needed, not its decision")


def output_card(loaded: LoadedModel, view: ModelView, sample: Prepared, outputs: Tensor) -> OutputCard:
    """Describes the outputs, (rows, …).

    Raises:
        ModelConfigError: the number of labels differs from the number of outputs.
    """
    config, adapter, labels = loaded.config, loaded.adapter, loaded.labels
    kind = output_kind(config.output.kind, view, sample, adapter.card.vocabularies)
    extents = list(outputs.shape[1:])
    size = extents[0] if extents else 1
    if labels is not None and len(labels) != size:
        raise ModelConfigError(f"output.labels: {len(labels)} labels for {size} outputs")
    tokens = sample.layer_inputs[0].shape[1] if adapter.card.max_tokens else None
    # A model with an output for each token of a text returns as many as the text has.
    shape = extents[:1] + [config.input.max_tokens if extent == tokens else extent for extent in extents[1:]]
    return OutputCard(kind=kind.kind, kind_reason=kind.reason, size=size, shape=shape, labels=labels)


def _check_rows(outputs: Tensor, rows: int) -> None:
    if outputs.shape[:1] != (rows,):
        found = f"for {rows} rows it answers {list(outputs.shape)}"
        raise ModelConfigError(f"the model must answer (rows,), (rows, outputs) or (rows, classes, …); {found}")


def _outputs_of_more_rows(module: nn.Module, sample: Prepared) -> Tensor | None:
    """None where the model raises: some models take one number of rows only."""
    tensors = (*sample.layer_inputs, *sample.layer_additional_forward_args)
    try:
        with torch.no_grad():
            outputs: Tensor = module(*(torch.cat([tensor[:1]] * _MORE_ROWS) for tensor in tensors))
    except Exception as error:
        log.warning("model raises on more rows", rows=_MORE_ROWS, error=type(error).__name__)
        return None
    return outputs
