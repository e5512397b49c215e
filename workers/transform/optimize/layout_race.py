"""Which of two equal modules computes more rows a second on the device that will run them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import structlog
from torch import nn

from workers.engine.batch_size import PassTimer
from workers.engine.device.gate import DeviceGate
from workers.engine.device.threads import use_threads
from workers.engine.tuning import FIRST_BATCH_ROWS
from workers.engine.view import ModelView
from workers.tracing.samples import Tensors, first_row

log = structlog.get_logger()
LONG_S = 0.05  # a pass so long tells layouts apart; a shorter one measures how fast it is launched
VERY_LONG_S = 0.25  # a pass that takes so long is repeated once
MOST_ROWS = 128
ROUNDS = 3
GAIN = 1.03  # so much faster the first must be: what is not told apart stays as it was built

Seconds = Callable[[int], float | None]  # of one pass of so many rows; None for what does not fit


def is_faster(
    view: ModelView, sample: Tensors, gate: DeviceGate, threads: int, first: nn.Module, second: nn.Module
) -> bool:
    """True if passes of `first` compute more rows a second than those of `second`, both in place of the view's module.

    Passes take their turn on the device, as an engine's would. False where they cannot be measured.

    Args:
        sample: what both take, with at least one row of each tensor.
    """
    timers = [PassTimer(replace(view, optimized=one), first_row(sample), gate, threads) for one in (first, second)]
    with ThreadPoolExecutor(1, "layout", use_threads, (1,)) as thread:
        try:
            return thread.submit(race, *timers).result()
        except Exception as error:  # the model's own code may raise anything
            log.warning("layouts cannot be measured", error=type(error).__name__)
            return False


def race(first: Seconds, second: Seconds) -> bool:
    """`is_faster` by functions that time a pass. They take turns, so that what else the machine does meets both."""
    rows = FIRST_BATCH_ROWS // 2
    times = _both(first, second, rows)
    while times is not None and max(times) < LONG_S and rows < MOST_ROWS:
        longer = _both(first, second, 2 * rows)
        if longer is None:
            break
        rows, times = 2 * rows, longer
    if times is None:
        return False
    for _ in range(ROUNDS - 1 if max(times) < VERY_LONG_S else 1):
        again = _both(first, second, rows)
        if again is not None:
            times = (min(times[0], again[0]), min(times[1], again[1]))
    paces = [rows / took_s for took_s in times]
    log.info("layouts measured", rows=rows, channels_last=round(paces[0], 1), as_built=round(paces[1], 1))
    return paces[0] > GAIN * paces[1]


def _both(first: Seconds, second: Seconds, rows: int) -> tuple[float, float] | None:
    one, other = first(rows), second(rows)
    return None if one is None or other is None else (one, other)
