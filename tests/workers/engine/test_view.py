"""Which module a view gives to whom, and which tensors may share a pass."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from tests.workers.toys import CPU, ToyMlp
from workers.engine.tuning import MIN_PADDED_TOKENS
from workers.engine.view import ModelView, TokenGrid


def test_copies_take_the_place_of_the_module_only_where_they_are_meant() -> None:
    module, optimized, hookable = ToyMlp(), ToyMlp(), ToyMlp()
    view = ModelView(module, module, CPU)
    assert view.pass_module is view.hook_module is module
    assert view.hook_layer("relu") is module.relu
    view = replace(view, optimized=optimized, hookable=hookable)
    assert (view.pass_module, view.hook_module) == (optimized, hookable)
    assert view.layer("relu") is module.relu
    assert view.hook_layer("relu") is hookable.relu
    assert set(view.modules()) == {module, optimized, hookable}


def test_the_entry_stands_for_the_embedding() -> None:
    model = nn.Sequential(nn.Embedding(5, 2), nn.Linear(2, 2))
    entry = nn.Identity()
    view = ModelView(nn.Sequential(entry, model[1]), model, CPU, entry=entry, embedding=model[0])
    assert view.layer("0") is entry
    assert view.layer("1") is model[1]


def test_padded_tensors_share_a_pass_if_their_lengths_are_padded_to_the_same() -> None:
    module = nn.Identity()
    view = ModelView(module, module, CPU, padded=True, max_length=3 * MIN_PADDED_TOKENS)
    lengths = [view.length(torch.zeros(1, n, 4)) for n in (1, MIN_PADDED_TOKENS, MIN_PADDED_TOKENS + 1, 40)]
    assert lengths == [MIN_PADDED_TOKENS, MIN_PADDED_TOKENS, 2 * MIN_PADDED_TOKENS, 3 * MIN_PADDED_TOKENS]
    assert view.signature(torch.zeros(2, 3, 4)) == view.signature(torch.zeros(1, 9, 4))
    assert view.signature(torch.zeros(2, 3, 4)) != view.signature(torch.zeros(1, 9, 5))
    plain = ModelView(module, module, CPU)
    assert plain.length(torch.zeros(1, 3)) is None
    assert plain.signature(torch.zeros(2, 3)) != plain.signature(torch.zeros(2, 4))
    assert plain.signature(torch.zeros(2, 3)) != plain.signature(torch.zeros(2, 3).double())


@pytest.mark.parametrize(("tokens", "prefixed", "grid"), [(16, True, (4, 4)), (17, True, (4, 4)), (17, False, None)])
def test_tokens_lie_on_the_grid_behind_their_prefix(tokens: int, prefixed: bool, grid: tuple[int, int] | None) -> None:
    token_grid = TokenGrid(((4, 4), (2, 2)), prefixed=prefixed)
    assert token_grid.of(tokens) == grid
    tensor = torch.arange(tokens * 3.0).reshape(1, tokens, 3)
    mapped = token_grid.as_map(tensor)
    if grid is None:
        assert mapped is tensor
    else:
        assert mapped.shape == (1, 3, 4, 4)
        assert torch.equal(mapped[0, :, 0, 0], tensor[0, tokens - 16])
        assert torch.equal(mapped[0, :, 1, 2], tensor[0, tokens - 16 + 6])
