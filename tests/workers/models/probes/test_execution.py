"""What packing assumes of a model is tested at load: independent rows, no chance, no state."""

import random
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workers.models.probes.execution import RANDOM, Execution, examine
from workers.models.probes.output_tensor import keep_row_dimension
from workers.repository.model_toml import ModelConfigError
from workers.tracing.freeze import freeze
from workers.tracing.random_rows import RowKind, draw_rows
from workers.tracing.samples import stacked

CPU = torch.device("cpu")
FOUR = [RowKind((4,), torch.float64)]
WEIGHTS = torch.randn(4, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


class Made(nn.Module):
    """A module of one function."""

    def __init__(self, function: object) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)  # type: ignore[operator, no-any-return]


def head(x: Tensor) -> Tensor:
    return x @ WEIGHTS


MIXING = {
    "batch mean": lambda x: head(x - x.mean(0)),
    "softmax over rows": lambda x: head(x).softmax(0),
    "largest of all": lambda x: head(x / x.abs().max()),
    "only from three rows on": lambda x: head(x) + (head(x.roll(1, 0)) if len(x) >= 3 else 0.0),
    "only six others": lambda x: head(x) * (1.0 if len(x) < 7 else x.sum().cos()),
    "branch on the sum": lambda x: head(x) if x.sum() > 0 else -head(x),
    "first row leads": lambda x: head(x) + x[:1].sum(),
    "cumulative": lambda x: head(x.cumsum(0)),
    "sorted": lambda x: head(x.sort(dim=0).values),
    "gradient alone": lambda x: head(x.detach()) + (head(x) - head(x).detach()) * len(x),
}
APART = {
    "linear": head,
    "layer norm": lambda x: head(F.layer_norm(x, (4,))),
    "relu": lambda x: head(x).relu(),
    "own branch": lambda x: torch.where(x.sum(1, keepdim=True) > 0, head(x), -head(x)),
    "own largest": lambda x: head(x / x.abs().amax(1, keepdim=True)),
}


@pytest.mark.parametrize("name", MIXING)
def test_rows_that_mix_run_alone(name: str) -> None:
    found = examine(Made(MIXING[name]), FOUR, 1, CPU)
    assert found.alone is not None
    assert not found.random
    assert "in the batch" in found.alone


@pytest.mark.parametrize("name", APART)
def test_independent_rows_are_packed(name: str) -> None:
    assert examine(Made(APART[name]), FOUR, 1, CPU).alone is None


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_batch_norm_in_training_mode_runs_alone(dtype: torch.dtype) -> None:
    net = nn.Sequential(nn.Conv1d(2, 3, 1), nn.InstanceNorm1d(3)).to(dtype).eval()
    assert examine(net, [RowKind((2, 5), dtype)], 1, CPU).alone is None
    net = nn.Sequential(nn.Conv1d(2, 3, 1), nn.BatchNorm1d(3, track_running_stats=False)).to(dtype).eval()
    assert "in the batch" in str(examine(net, [RowKind((2, 5), dtype)], 1, CPU).alone)


def test_a_recurrent_net_that_takes_rows_for_time_runs_alone() -> None:
    torch.manual_seed(0)
    first, batch_first = (Recurrent(batch_first=flag).double().eval() for flag in (False, True))
    kinds = [RowKind((5, 2), torch.float64)]
    assert examine(first, kinds, 1, CPU).alone is not None
    assert examine(batch_first, kinds, 1, CPU).alone is None


class Recurrent(nn.Module):
    def __init__(self, *, batch_first: bool) -> None:
        super().__init__()
        self.net = nn.LSTM(2, 3, batch_first=batch_first)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)[0][:, -1]  # type: ignore[no-any-return]


def test_a_model_that_takes_sorted_lengths_runs_alone() -> None:
    torch.manual_seed(0)
    found = examine(Packed().eval(), [RowKind((6,), torch.int64, vocabulary=9, pad=0)], 1, CPU)
    assert found.alone is not None
    assert "raises RuntimeError" in found.alone


class Packed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.net = nn.Embedding(9, 4, padding_idx=0), nn.GRU(4, 3, batch_first=True)

    def forward(self, ids: Tensor) -> Tensor:
        lengths = (ids != 0).sum(1).clamp(min=1)
        packed = nn.utils.rnn.pack_padded_sequence(self.embedding(ids), lengths, batch_first=True)
        return self.net(packed)[1][-1]  # type: ignore[no-any-return]


CHANCE = {
    "functional dropout": lambda x: F.dropout(head(x)),
    "torch": lambda x: head(x) + torch.randn(len(x), 3, dtype=x.dtype),
    "numpy": lambda x: head(x) * np.random.rand(),
    "random": lambda x: head(x) * random.random(),
    "rare": lambda x: head(x) * (2.0 if torch.rand(()) < 0.01 else 1.0),
}


@pytest.mark.parametrize("name", CHANCE)
def test_chance_is_found(name: str) -> None:
    found = examine(Made(CHANCE[name]), FOUR, 1, CPU)
    assert found.random
    assert found.alone == RANDOM


class Counts(nn.Module):
    def __init__(self, after: int) -> None:
        super().__init__()
        self.calls, self.after = 0, after

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return head(x) * (2.0 if self.calls > self.after else 1.0)


class Remembers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(4, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        self.mean = 0.9 * self.mean + 0.1 * x.detach().mean(0)
        return head(x - self.mean)


class OwnGenerator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.generator = np.random.default_rng(0)

    def forward(self, x: Tensor) -> Tensor:
        return head(x) * self.generator.random()


@pytest.mark.parametrize(
    "made", [partial(Counts, 24), partial(Counts, 33), partial(Counts, 50), Remembers, OwnGenerator]
)
def test_state_is_refused(made: partial[nn.Module]) -> None:
    with pytest.raises(ModelConfigError, match="from call to call"):
        examine(made(), FOUR, 1, CPU)


@pytest.mark.parametrize("kept", ["list", "dict", "tuple", "object", "closure"])
def test_modules_that_eval_does_not_reach_are_found(kept: str) -> None:
    class Holder:
        def __init__(self, part: nn.Module) -> None:
            self.parts = [part]

    def through(part: nn.Module) -> object:
        def call(x: Tensor) -> Tensor:
            return part(x)  # type: ignore[no-any-return]

        return call

    class Hidden(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            part = nn.Sequential(nn.Linear(4, 6), nn.Dropout(0.5)).double()
            self.kept = {
                "list": [part],
                "dict": {"body": [part]},
                "tuple": (part,),
                "object": Holder(part),
                "closure": through(part),
            }[kept]
            self.part = through(part)

        def forward(self, x: Tensor) -> Tensor:
            return self.part(x)  # type: ignore[operator, no-any-return]

    torch.manual_seed(0)
    module = Hidden()
    freeze(module, CPU)
    assert examine(module, FOUR, 1, CPU).alone is None


@pytest.mark.parametrize("outputs", [1, 3])
def test_a_squeezed_row_is_a_row(outputs: int) -> None:
    torch.manual_seed(0)
    module = Squeezes(outputs).double().eval()
    rows = draw_rows(FOUR, module, CPU, 0)
    expected = module(*stacked(rows))
    keep_row_dimension(module, rows)
    for number, row in enumerate(rows):
        torch.testing.assert_close(module(*row), expected[number : number + 1])
    assert examine(module, FOUR, 1, CPU).alone is None


class Squeezes(nn.Module):
    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.net = nn.Linear(4, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x).squeeze()  # type: ignore[no-any-return]


def test_a_model_that_refuses_negative_values_is_tested_on_others() -> None:
    table = torch.arange(12.0, dtype=torch.float64).view(6, 2)

    def lookup(x: Tensor) -> Tensor:
        if bool((x < 0).any()):
            raise IndexError("no such row")
        return table[(x[:, 0] * 5).long()] + x[:, :2]

    assert examine(Made(lookup), FOUR, 1, CPU).alone is None
    assert "in the batch" in str(examine(Made(lambda x: lookup(x) * x.sum()), FOUR, 1, CPU).alone)


PICTURE = [RowKind((3, 160, 140), torch.float64)]


class Convolved(nn.Module):
    """A network whose tests run on smaller pictures, and what a step makes of its maps."""

    def __init__(self, step: object) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 4, 3, stride=8).double(), nn.Linear(4, 3).double()
        self.step = step

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.step(self.first(x).relu(), x).mean((2, 3)))  # type: ignore[operator, no-any-return]


def examined_picture(model: nn.Module) -> Execution:
    freeze(model, CPU)
    return examine(model, PICTURE, 1, CPU)


def test_a_picture_model_is_tested_at_a_smaller_size_and_at_its_own() -> None:
    found = examined_picture(Convolved(lambda maps, _x: maps))
    assert found.alone is None
    assert [tuple(row[0].shape) for rows in found.draws for row in rows] == [(1, 3, 160, 140)] * 3
    assert {tuple(row[0].shape) for rows in found.smaller_draws for row in rows} == {(1, 3, 64, 64)}
    assert len(found.smaller_draws) == 3


MIXING_PICTURES = {
    "batch mean": lambda maps, _x: maps - maps.mean(0),
    "only at the own size": lambda maps, x: maps * maps.mean(0 if x.shape[2] > 128 else 1, keepdim=True).abs(),
    "only at a smaller size": lambda maps, x: maps * maps.mean(1 if x.shape[2] > 128 else 0, keepdim=True).abs(),
    "only from seven rows on": lambda maps, _x: maps * (1.0 if len(maps) < 7 else maps[:1].mean()),
}


@pytest.mark.parametrize("name", MIXING_PICTURES)
def test_rows_of_pictures_that_depend_on_others_are_found(name: str) -> None:
    assert examined_picture(Convolved(MIXING_PICTURES[name])).alone is not None


def test_chance_in_a_picture_model_is_found() -> None:
    found = examined_picture(Convolved(lambda maps, _x: F.dropout(maps)))
    assert found.random
    assert found.alone == RANDOM


class CountsPictures(Convolved):
    """As `Counts`, counting pictures of its own size, or all."""

    def __init__(self, after: int, side: int) -> None:
        super().__init__(self.counted)
        self.calls, self.after, self.side = 0, after, side

    def counted(self, maps: Tensor, x: Tensor) -> Tensor:
        self.calls += x.shape[2] >= self.side
        return maps * (2.0 if self.calls > self.after else 1.0)


@pytest.mark.parametrize(("after", "side"), [(8, 128), (10, 128), (20, 0), (30, 0), (40, 0)])
def test_state_of_a_picture_model_is_refused(after: int, side: int) -> None:
    with pytest.raises(ModelConfigError, match="from call to call"):
        examined_picture(CountsPictures(after, side))
