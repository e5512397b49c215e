"""The layout of convolutions is measured, not assumed; and proofs are made without TF32."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from tests.workers.toys import ToyMlp, frozen, view_of
from tests.workers.transform.optimize.test_module import BatchNormAct, SamePadding, chain, head
from workers.engine.device.gate import DeviceGate
from workers.transform.optimize import make_optimized
from workers.transform.optimize.layout import ChannelsLast
from workers.transform.optimize.layout_race import GAIN, MOST_ROWS, is_faster, race

SAMPLE = (torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64),)
MODELS: dict[str, Callable[[], nn.Module]] = {
    "norm after convolution": lambda: chain(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.ReLU(), *head(5)),
    "norm and activation": lambda: chain(nn.Conv2d(3, 4, 3), BatchNormAct(4), *head(4)),
    "no norm": lambda: chain(nn.Conv2d(3, 4, 3), nn.SiLU(), nn.Conv2d(4, 4, 3), *head(4)),
    "its own padding": lambda: chain(SamePadding(3, 5, 2), nn.Tanh(), *head(5)),
}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_channels_last_is_taken_only_where_it_is_faster(make: Callable[[], nn.Module]) -> None:
    compared: list[tuple[nn.Module, nn.Module]] = []
    for faster in (True, False):

        def measured(first: nn.Module, second: nn.Module, faster: bool = faster) -> bool:
            compared.append((first, second))
            return faster

        model = frozen(make())
        optimized = make_optimized(model, [SAMPLE], 1, measured)
        assert isinstance(optimized, ChannelsLast) == faster
        first, second = compared[-1]
        assert isinstance(first, ChannelsLast)
        assert not isinstance(second, ChannelsLast)
        assert optimized is (first if faster else second)
        assert torch.allclose(optimized(*SAMPLE), model(*SAMPLE), rtol=1e-9, atol=1e-12)
    assert len(compared) == 2


def test_what_has_no_layout_is_not_measured() -> None:
    def never(first: nn.Module, second: nn.Module) -> bool:
        raise AssertionError

    model = frozen(ToyMlp())
    assert make_optimized(model, [(torch.randn(1, 6, dtype=torch.float64),)], 1, never) is model


class Clock:
    """Times of passes by rows, and the order in which they were asked."""

    def __init__(self, name: str, asked: list[str], seconds: Callable[[int], float | None]) -> None:
        self.name = name
        self.asked = asked
        self.seconds = seconds

    def __call__(self, rows: int) -> float | None:
        self.asked.append(f"{self.name}{rows}")
        return self.seconds(rows)


@pytest.mark.parametrize(
    ("last", "built", "taken"),
    [
        (lambda rows: 1e-4 * rows, lambda rows: 2e-4 * rows, True),
        (lambda rows: 2e-4 * rows, lambda rows: 1e-4 * rows, False),
        (lambda rows: 1e-4 * rows, lambda rows: 1e-4 * rows, False),  # a tie stays as it was built
        (lambda rows: 1e-4 * rows, lambda rows: 1e-4 * rows * (1 + GAIN) / 2, False),  # not told apart
        (lambda rows: 5e-3 if rows < 64 else 1e-3 * rows, lambda rows: 4e-3 if rows < 64 else 2e-3 * rows, True),
        (lambda rows: None, lambda rows: 1.0, False),  # it does not fit
        (lambda rows: 1e-3 if rows <= 16 else None, lambda rows: 2e-3, True),  # larger batches do not fit
    ],
)
def test_the_faster_layout(
    last: Callable[[int], float | None], built: Callable[[int], float | None], taken: bool
) -> None:
    asked: list[str] = []
    assert race(Clock("last", asked, last), Clock("built", asked, built)) == taken
    pairs = list(zip(asked[::2], asked[1::2], strict=True))
    assert all(one.removeprefix("last") == other.removeprefix("built") for one, other in pairs)  # they take turns
    assert max(int(one.removeprefix("last")) for one, _ in pairs) <= MOST_ROWS


def test_one_disturbed_round_decides_nothing() -> None:
    times = iter([0.2, 0.06, 0.06])  # another process had the first round
    assert race(lambda _: next(times), lambda _: 0.1)


class Counting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        self.rows.append(len(x))
        return x.flatten(1)[:, :2]


class Raising(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        raise ValueError


def test_both_are_run_as_passes() -> None:
    view = view_of(frozen(ToyMlp()))
    first, second = Counting(), Counting()
    assert is_faster(view, SAMPLE, DeviceGate(), 1, first, second) in (True, False)
    assert max(first.rows) == max(second.rows) >= 4
    assert not is_faster(view, SAMPLE, DeviceGate(), 1, Raising(), second)


class Watching(nn.Module):
    """Notes whether TF32 was allowed when it ran."""

    def __init__(self, seen: set[bool]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.seen = [seen]

    def forward(self, x: Tensor) -> Tensor:
        self.seen[0].add(torch.backends.cudnn.allow_tf32 or torch.backends.cuda.matmul.allow_tf32)
        return self.conv(x).flatten(1)


def test_proofs_are_made_without_tf32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    monkeypatch.setattr("workers.transform.optimize.module.use_fused_modules", lambda *_: None)
    seen: set[bool] = set()
    compared: list[set[bool]] = []

    def watched(original: nn.Module, other: nn.Module, *args: object, **kwargs: object) -> str | None:
        seen.clear()
        with torch.no_grad():
            original(*SAMPLE)
        compared.append(set(seen))
        return None

    monkeypatch.setattr("workers.transform.optimize.module.in_float64", lambda *_: None)
    monkeypatch.setattr("workers.transform.optimize.module.compare", watched)
    assert isinstance(make_optimized(frozen(Watching(seen)), [SAMPLE], 1), ChannelsLast)
    assert compared == [{False}]
