"""The batch size is found by timing passes."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from tests.workers.toys import ToyMlp, ToyScalar, frozen, view_of
from workers.engine.batch_size import PassTimer, fastest, forward_rows, tune_rows, warm_seconds
from workers.engine.device.gate import DeviceGate
from workers.engine.tuning import TIMED_PASSES

ROW = (torch.zeros(1, 6, dtype=torch.float64),)


def costs(per_pass_s: float, per_row_s: float, memory_rows: int = 10_000) -> Callable[[int], float | None]:
    return lambda rows: per_pass_s + per_row_s * rows if rows <= memory_rows else None


@pytest.mark.parametrize(
    ("seconds", "rows"),
    [
        (costs(0.0, 0.02), 8),  # nothing is gained by more
        (costs(0.01, 0.005), 64),  # the next would take more than half a second
        (costs(0.1, 0.02), 16),  # 0.26 s, 0.42 s: twice the first is too long, but the second is not
        (costs(0.0, 0.0375), 8),  # 0.3 s: the next is tried, and takes 0.6
        (costs(0.16, 0.02), 8),  # 0.32 s, then 0.48 s: only a gain of half would be worth the try
        (costs(1e-4, 1e-7), 4_096),  # a tiny model: all that is allowed
        (costs(1e-4, 2e-6), 1_024),  # until 3 % are not gained any more
        (costs(1e-4, 1e-7, memory_rows=100), 64),
        (costs(0.0, 0.1, memory_rows=2), 1),  # not even the first fits
        (costs(0.0, 10.0), 8),
    ],
)
def test_the_fastest_batch(seconds: Callable[[int], float | None], rows: int) -> None:
    assert fastest(seconds, 4_096) == rows


def test_a_pass_over_the_limit_is_refused_though_its_rows_are_faster() -> None:
    times = {8: 0.3, 16: 0.51}
    assert fastest(times.get, 4_096) == 8


def test_the_first_pass_of_a_size_does_not_decide() -> None:
    seen: set[int] = set()

    def seconds(rows: int) -> float:
        took_s = (0.1 + 0.02 * rows) * (1.0 if rows in seen else 1.6)  # new memory
        seen.add(rows)
        return took_s

    assert fastest(partial(warm_seconds, seconds), 4_096) == 16
    seen.clear()
    assert fastest(seconds, 4_096) == 8


@pytest.mark.parametrize(("again_s", "rows"), [(0.33, 16), (0.37, 8), (None, 8)])
def test_a_batch_that_closely_misses_is_timed_once_more(again_s: float | None, rows: int) -> None:
    times = {8: iter([0.18]), 16: iter([0.365, again_s])}
    assert fastest(lambda rows: next(times[rows]), 4_096) == rows


def test_a_pass_that_fits_no_more_keeps_its_first_time() -> None:
    times = iter([0.3, None])
    assert warm_seconds(lambda _rows: next(times), 8) == 0.3
    assert warm_seconds(lambda _rows: None, 8) is None


@pytest.mark.parametrize(("took_s", "passes"), [(0.1, 1), (0.2, 2), (0.9, 2), (1.1, 1)])
def test_a_pass_is_repeated_where_another_could_matter(took_s: float, passes: int) -> None:
    times = iter([took_s] * 3)
    assert warm_seconds(lambda _rows: next(times), 8) == took_s
    assert len(list(times)) == 3 - passes


def test_one_mistimed_short_pass_does_not_end_the_search() -> None:
    plain = costs(1e-4, 1e-7)
    assert fastest(lambda rows: (1.0 if rows != 16 else 3.0) * (plain(rows) or 0.0), 4_096) == 4_096


@pytest.mark.parametrize("model", [ToyMlp(), ToyScalar()], ids=["outputs", "scalar"])
def test_a_tiny_model_gets_large_batches(model: nn.Module) -> None:
    rows = tune_rows(view_of(frozen(model)), ROW, DeviceGate(), threads=1)
    assert rows is not None
    assert rows >= 256


class Limited(nn.Module):
    """Fits 20 rows; or raises on everything."""

    def __init__(self, fits: int) -> None:
        super().__init__()
        self.fits = fits

    def forward(self, x: Tensor) -> Tensor:
        if not self.fits:
            raise ValueError
        if len(x) > self.fits:
            raise torch.OutOfMemoryError
        return x


@pytest.mark.parametrize(("dtype", "rows"), [(torch.float64, 2), (torch.float32, 2), (torch.int64, 1)])
def test_passes_without_gradients_hold_more_where_the_batch_has_gradients(dtype: torch.dtype, rows: int) -> None:
    assert forward_rows(view_of(frozen(ToyMlp())), (torch.zeros(1, 6, dtype=dtype),)) == rows


def test_what_does_not_fit_ends_the_search() -> None:
    rows = tune_rows(view_of(Limited(20)), ROW, DeviceGate(), threads=1)
    assert rows is not None
    assert rows <= 16


def test_a_model_that_raises_is_left_untuned() -> None:
    assert tune_rows(view_of(Limited(0)), ROW, DeviceGate(), threads=1) is None


@pytest.mark.parametrize(("repeat_below_s", "passes"), [(1_000.0, 1 + TIMED_PASSES), (0.0, 2)])
def test_only_a_short_pass_is_repeated(repeat_below_s: float, passes: int) -> None:
    model, sizes = ToyMlp(), []
    frozen(model)

    def note(_module: nn.Module, args: tuple[Tensor, ...]) -> None:
        if torch.is_grad_enabled():  # a pass, and not the forward that shows the output's shape
            sizes.append(len(args[0]))

    model.register_forward_pre_hook(note)
    assert PassTimer(view_of(model), ROW, DeviceGate(), 1, repeat_below_s)(4) is not None
    assert sizes == [1, *[4] * (passes - 1)]
