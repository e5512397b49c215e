"""The layer that is explained where nobody names one."""

import pytest
import torch
from torch import Tensor, nn

from tests.workers.toys import CPU, frozen
from workers.engine.view import ModelView, TokenGrid
from workers.inputs.prepared import Prepared
from workers.models.default_layer import default_layer


def prepared(*shape: int) -> Prepared:
    x = torch.ones(shape, dtype=torch.float64)
    return Prepared((x,), (), (x,), ())


def convolutional() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)
    )


class Tokens(nn.Module):
    """An image transformer's skeleton: four tokens and a class token in blocks; the head reads the class token."""

    def __init__(self, *, mixes: bool) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 6, 4, stride=4)
        self.blocks = nn.ModuleList([nn.Linear(6, 6), nn.Linear(6, 6)])
        self.norm = nn.LayerNorm(6)
        self.head = nn.Linear(6, 2)
        self.mixes = mixes

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.patches(x).flatten(2).transpose(1, 2)  # (rows, 4, 6)
        tokens = torch.cat([tokens.mean(dim=1, keepdim=True), tokens], dim=1)
        tokens = self.blocks[0](tokens)
        first = tokens.mean(dim=1) if self.mixes else tokens[:, 0]
        last = self.norm(self.blocks[1](torch.cat([first[:, None], tokens[:, 1:]], dim=1)))
        out: Tensor = self.head(last[:, 0])
        return out


def view_of(module: nn.Module, grid: TokenGrid | None = None) -> ModelView:
    model = frozen(module)
    return ModelView(model, model, CPU, token_grid=grid)


def test_the_last_map_before_pooling() -> None:
    assert default_layer(view_of(convolutional()), prepared(1, 3, 12, 12)) == "2"


def test_a_layer_of_several_calls_is_passed_over() -> None:
    assert default_layer(view_of(convolutional()), prepared(1, 3, 12, 12), {"2"}) == "1"


def test_a_map_that_moves_nothing_is_passed_over() -> None:
    view = view_of(convolutional())
    with torch.no_grad():
        view.module.get_submodule("5").get_parameter("weight").zero_()
    assert default_layer(view, prepared(1, 3, 12, 12)) is None


def test_tokens_that_reach_the_head() -> None:
    grid = TokenGrid(((2, 2),))
    assert default_layer(view_of(Tokens(mixes=True), grid), prepared(1, 3, 8, 8)) == "blocks.0"


def test_the_embedding_of_a_text_model() -> None:
    module = frozen(nn.Sequential(nn.Embedding(5, 3), nn.Linear(3, 2)))
    view = ModelView(module, module, CPU, embedding=module[0])
    assert default_layer(view, prepared(1, 4, 3)) == "0"


@pytest.mark.parametrize("shape", [(1, 3), (1, 3, 4)])
def test_none_without_a_picture(shape: tuple[int, ...]) -> None:
    assert default_layer(view_of(nn.Linear(shape[-1], 2)), prepared(*shape)) is None
