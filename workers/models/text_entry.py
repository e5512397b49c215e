"""The way into a text model behind its embeddings, tried out before anything is explained through it."""

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workers.engine.tuning import MIN_PADDED_TOKENS
from workers.engine.view import ModelView
from workers.inputs.prepared import Prepared
from workers.inputs.text import FromEmbeddings, TextAdapter
from workers.repository.model_toml import ModelConfigError

TRIED = "a text of some words"
TOLERANCE = 1e-4  # of the largest output; in float32 a longer batch is summed in another order


def enter_at_embeddings(module: nn.Module, adapter: TextAdapter, device: torch.device) -> ModelView:
    """Rows of different lengths share a pass only where padding changes nothing: a recurrent net without a mask would
    read on into it.

    Raises:
        ModelConfigError: the model answers otherwise from its embeddings than from token ids.
    """
    entered = FromEmbeddings(module).eval()
    longest = adapter.card.max_tokens
    view = ModelView(entered, module, device, entry=entered.entry, embedding=adapter.embeddings, max_length=longest)
    tried = adapter.prepare_text(TRIED, device)
    with torch.no_grad():
        from_ids = module(*(t.clone() for t in (*tried.layer_inputs, *tried.layer_additional_forward_args)))
        try:
            from_embeddings = entered(*(t.clone() for t in (*tried.inputs, *tried.additional_forward_args)))
        except Exception as error:  # the model's own code may raise anything
            raise ModelConfigError(f"the model takes no inputs_embeds: {type(error).__name__}: {error}") from error
        if not _equal(from_ids, from_embeddings):
            raise ModelConfigError("the model answers otherwise from inputs_embeds than from input_ids")
        padded = _padded(entered, tried, longest or MIN_PADDED_TOKENS)
        return replace(view, padded=_equal(from_embeddings, padded))


def _padded(entered: nn.Module, tried: Prepared, longest: int) -> Tensor:
    more = min(MIN_PADDED_TOKENS, longest - tried.inputs[0].shape[1])
    out: Tensor = entered(
        *(F.pad(t, (0, 0) * (t.dim() - 2) + (0, more)) for t in (*tried.inputs, *tried.additional_forward_args))
    )
    return out


def _equal(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(
        one, other, rtol=0.0, atol=TOLERANCE * max(1.0, float(one.abs().max()))
    )
