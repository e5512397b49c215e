"""The cards of layers, from one forward of two rows."""

import torch
from torch import Tensor, nn

from schemas.models import LayerCard
from tests.workers.toys import CPU
from workers.engine.view import ModelView, TokenGrid
from workers.inputs.prepared import Prepared
from workers.models.layer_cards import layer_cards, observe_layers
from workers.models.probes.gradient_reach import UNKNOWN, Reach


class Layers(nn.Module):
    """A layer of each kind: plain, called twice, unused, recurrent, without rows."""

    def __init__(self) -> None:
        super().__init__()
        self.plain = nn.Linear(3, 4)
        self.twice = nn.ReLU()
        self.unused = nn.Linear(1, 1)
        self.recurrent = nn.LSTM(4, 5, batch_first=True)
        self.summed = Summed()

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.twice(self.twice(self.plain(x)))
        out, _ = self.recurrent(hidden[:, None])
        return out[:, 0] + self.summed(hidden)


class Summed(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.sum(dim=(0, 1), keepdim=True)[0]


def cards_of(module: nn.Module, x: Tensor, **of_view: object) -> dict[str, LayerCard]:
    view = ModelView(module.eval(), module, CPU, **of_view)  # type: ignore[arg-type]
    return {one.name: one for one in layer_cards(view, observe_layers(view, Prepared((x,), (), (x,), ())), UNKNOWN, {})}


def test_each_kind_of_layer() -> None:
    cards = cards_of(Layers(), torch.ones(1, 3))
    assert list(cards) == ["plain", "twice", "recurrent", "summed"]
    assert (cards["plain"].type, cards["plain"].output_shape, cards["plain"].refused) == ("Linear", [4], None)
    assert cards["twice"].calls == 2
    assert "calls the layer 2 times" in (cards["twice"].refused or "")
    assert "more than tensors" in (cards["recurrent"].output_refused or "")
    assert (cards["summed"].refused or "").endswith("for 2 examples its output is of shape [1]")


def test_a_model_that_runs_alone_gets_one_row() -> None:
    module = nn.Sequential(nn.Linear(3, 2))
    view = ModelView(module, module, CPU, alone_reason="it mixes")
    x = torch.ones(1, 3)
    assert observe_layers(view, Prepared((x,), (), (x,), ())).rows == 1


def test_tokens_have_their_place_on_the_picture() -> None:
    cards = cards_of(nn.Sequential(nn.Linear(3, 2)), torch.ones(1, 6, 3), token_grid=TokenGrid(((2, 3),)))
    assert (cards["0"].output_shape, cards["0"].grid) == ([6, 2], [2, 3])


def test_rows_that_mix_and_gradients_that_end() -> None:
    module = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    view, x = ModelView(module, module, CPU), torch.ones(1, 3)
    observed = observe_layers(view, Prepared((x,), (), (x,), ()))
    reach = Reach({"0": ["output"]}, {"1": ["input"]}, {"0": ["input", "output"]}, ())
    first, second = layer_cards(view, observed, reach, {"1": "its output differs"})
    assert (first.no_gradient, first.no_gradient_to_input) == (["output"], [])
    assert first.no_relu_before == ["input", "output"]
    assert second.no_gradient_to_input == ["input"]
    assert (first.refused, second.refused) == (None, "the layer's rows are not independent: its output differs")
