"""Entering a text model behind its embeddings: equal outputs, and whether padding changes them."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

from tests.workers.toys import CPU, frozen
from workers.inputs.prepared import Prepared
from workers.inputs.text import TextAdapter
from workers.models.probes.text_entry import enter_at_embeddings
from workers.repository.model_toml import ModelConfigError

IDS = torch.tensor([[3, 1, 4, 2, 5]])


class Classifier(nn.Module):
    """Token ids or embeddings, with a mask, to (rows, 2). `masked`: positions outside the mask do not count."""

    def __init__(self, *, masked: bool = True, offset: float = 0.0) -> None:
        super().__init__()
        self.words = nn.Embedding(8, 4)
        self.head = nn.Linear(4, 2)
        self.masked, self.offset = masked, offset

    def get_input_embeddings(self) -> nn.Module:
        return self.words

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
    ) -> Tensor:
        assert attention_mask is not None
        vectors = self.words(input_ids) if inputs_embeds is None else inputs_embeds + self.offset
        weights = attention_mask.to(vectors) if self.masked else torch.ones_like(attention_mask).to(vectors)
        out: Tensor = self.head((vectors * weights[..., None]).sum(dim=1) / weights.sum(dim=1, keepdim=True))
        return out


class IdsOnly(Classifier):
    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(input_ids, attention_mask)


def adapter_of(module: Classifier, max_tokens: int = 32) -> TextAdapter:
    """What `enter_at_embeddings` uses of an adapter."""
    mask = torch.ones_like(IDS)

    def prepare_text(_text: str, _device: torch.device) -> Prepared:
        return Prepared((module.words(IDS),), (mask,), (IDS,), (mask,))

    card = SimpleNamespace(max_tokens=max_tokens)
    return cast(TextAdapter, SimpleNamespace(card=card, embeddings=module.words, prepare_text=prepare_text))


def entered(module: Classifier) -> Any:
    frozen(module).requires_grad_(False)
    return enter_at_embeddings(module, adapter_of(module), CPU)


def test_the_view_takes_embeddings_and_gives_the_same_outputs() -> None:
    module = Classifier()
    view = entered(module)
    assert view.layer_module is module
    assert view.embedding is module.words
    assert view.max_length == 32
    mask = torch.ones_like(IDS)
    torch.testing.assert_close(view.module(module.words(IDS), mask), module(IDS, mask), rtol=0, atol=0)


@pytest.mark.parametrize("masked", [True, False])
def test_rows_are_padded_only_where_padding_changes_nothing(masked: bool) -> None:
    assert entered(Classifier(masked=masked)).padded is masked


def test_other_outputs_from_embeddings_are_refused() -> None:
    with pytest.raises(ModelConfigError, match="from inputs_embeds differs from that from input_ids"):
        entered(Classifier(offset=0.5))


def test_a_model_without_embeddings_as_input_is_refused() -> None:
    with pytest.raises(ModelConfigError, match="takes no inputs_embeds"):
        entered(IdsOnly())
