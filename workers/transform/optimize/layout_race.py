"""Measures which of two equal modules computes more rows per second on the device that will run them."""

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
from workers.transform.tuning import LAYOUT_GAIN, LAYOUT_LONG_PASS_S, LAYOUT_PASS_S, LAYOUT_ROUNDS, LAYOUT_ROWS

log = structlog.get_logger()
Seconds = Callable[[int], float | None]  # of one pass of a number of rows; None where memory does not suffice


def is_faster(
    view: ModelView, sample: Tensors, gate: DeviceGate, threads: int, first: nn.Module, second: nn.Module
) -> bool | None:
    """Whether passes of `first` are faster than those of `second`, each in the place of the view's module.

    Passes wait for the device as those of an engine do. None where the modules cannot be measured.

    Args:
        sample: what both modules take, one row or more.
        threads: CPU threads of a pass.
    """
    timers = [
        PassTimer(replace(view, optimized=one), first_row(sample), gate, threads, repeat_below_s=LAYOUT_PASS_S)
        for one in (first, second)
    ]
    with ThreadPoolExecutor(1, "layout", use_threads, (1,)) as thread:
        try:
            return thread.submit(race, *timers).result()
        except Exception as error:  # the model's own code may raise anything
            log.warning("layouts cannot be measured", error=type(error).__name__)
            return None


def race(first: Seconds, second: Seconds) -> bool:
    """`is_faster` of two functions that time a pass. They alternate, so that other load affects both alike."""
    rows = FIRST_BATCH_ROWS // 2
    times = _both(first, second, rows)
    while times is not None and max(times) < LAYOUT_PASS_S and rows < LAYOUT_ROWS:
        longer = _both(first, second, 2 * rows)
        if longer is None:
            break
        rows, times = 2 * rows, longer
    if times is None:
        return False
    for _ in range(LAYOUT_ROUNDS - 1 if max(times) < LAYOUT_LONG_PASS_S else 1):
        again = _both(first, second, rows)
        if again is not None:
            times = (min(times[0], again[0]), min(times[1], again[1]))
    rows_per_s = [rows / took_s for took_s in times]
    log.info("layouts measured", rows=rows, channels_last=round(rows_per_s[0], 1), as_built=round(rows_per_s[1], 1))
    return rows_per_s[0] > LAYOUT_GAIN * rows_per_s[1]


def _both(first: Seconds, second: Seconds, rows: int) -> tuple[float, float] | None:
    one, other = first(rows), second(rows)
    return None if one is None or other is None else (one, other)
