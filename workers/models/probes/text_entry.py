"""The entry into a text model behind its embeddings, tested on a text."""

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workers.engine.tuning import MIN_PADDED_TOKENS
from workers.engine.view import ModelView
from workers.inputs.prepared import Prepared
from workers.inputs.text import FromEmbeddings, TextAdapter
from workers.models.tuning import TEXT_ENTRY_TOLERANCE
from workers.repository.model_toml import ModelConfigError

_TEXT = "a text of some words"


def enter_at_embeddings(module: nn.Module, adapter: TextAdapter, device: torch.device) -> ModelView:
    """Returns a view whose `module` takes embeddings. `padded` is set where padding leaves the output unchanged.

    Rows of different lengths share a pass only then: a recurrent network without a mask reads the padding.

    Raises:
        ModelConfigError: the model takes no embeddings, or its output differs from that for token ids.
    """
    entered = FromEmbeddings(module).eval()
    longest = adapter.card.max_tokens
    view = ModelView(entered, module, device, entry=entered.entry, embedding=adapter.embeddings, max_length=longest)
    text = adapter.prepare_text(_TEXT, device)
    with torch.no_grad():
        from_ids = module(*(t.clone() for t in (*text.layer_inputs, *text.layer_additional_forward_args)))
        try:
            from_embeddings = entered(*(t.clone() for t in (*text.inputs, *text.additional_forward_args)))
        except Exception as error:  # the model's own code may raise anything
            raise ModelConfigError(f"the model takes no inputs_embeds: {type(error).__name__}: {error}") from error
        if not _close(from_ids, from_embeddings):
            raise ModelConfigError("the model's output from inputs_embeds differs from that from input_ids")
        padded = _padded_outputs(entered, text, longest or MIN_PADDED_TOKENS)
        return replace(view, padded=_close(from_embeddings, padded))


def _padded_outputs(entered: nn.Module, text: Prepared, longest: int) -> Tensor:
    added = min(MIN_PADDED_TOKENS, longest - text.inputs[0].shape[1])
    outputs: Tensor = entered(
        *(F.pad(t, (0, 0) * (t.dim() - 2) + (0, added)) for t in (*text.inputs, *text.additional_forward_args))
    )
    return outputs


def _close(outputs: Tensor, others: Tensor) -> bool:
    scale = max(1.0, float(outputs.abs().max()))
    return outputs.shape == others.shape and torch.allclose(
        outputs, others, rtol=0.0, atol=TEXT_ENTRY_TOLERANCE * scale
    )
