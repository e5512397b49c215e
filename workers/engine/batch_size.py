"""How many rows a full pass should have, measured on the model and the device that will run it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from math import log2

import structlog
import torch
from torch import Tensor

from workers.engine.device.gate import DeviceGate
from workers.engine.device.memory import is_out_of_memory
from workers.engine.device.stopwatch import Stopwatch
from workers.engine.device.threads import use_threads
from workers.engine.shared.batch import run_pass
from workers.engine.shared.block import Block, Part, PassKind
from workers.engine.task import Task
from workers.engine.tuning import (
    CLOSE_SHARE,
    COLD_PASS_TIMES,
    FIRST_BATCH_ROWS,
    FORWARD_ROWS,
    LEAST_GROWTH,
    MAX_BATCH_ROWS,
    MAX_MEMORY_SHARE,
    MAX_PASS_S,
    MIN_SPEEDUP,
    TIMED_PASSES,
    TIMED_TEXT_TOKENS,
)
from workers.engine.view import ModelView
from workers.tracing.samples import Tensors, first_row

log = structlog.get_logger()


def tune_rows(view: ModelView, sample: Tensors, gate: DeviceGate, threads: int, processes: int = 1) -> int | None:
    """The batch size above which larger batches no longer compute rows faster.

    Batches are doubled while rows per second rise, a pass takes at most `MAX_PASS_S`, and the device has the memory.
    Each pass takes its turn on the device, as an engine's passes do.

    Args:
        view: the model.
        sample: what `view.module` takes, with at least one row of each tensor.
        gate: turns on the device.
        threads: CPU threads of a pass.
        processes: that share the device and its memory, this one included.

    Returns:
        Rows; None where the model raises.
    """
    timer = PassTimer(view, first_row(sample), gate, threads, processes=processes)
    with ThreadPoolExecutor(1, "tuning", use_threads, (1,)) as thread:
        try:
            most_rows = MAX_BATCH_ROWS.get(view.device.type, MAX_BATCH_ROWS["cuda"])
            return thread.submit(fastest, partial(warm_seconds, timer), most_rows).result()
        except Exception as error:  # the model's own code may raise anything
            log.warning("batch cannot be tuned", error=type(error).__name__)
            return None
        finally:
            if view.device.type == "cuda":  # larger batches were tried than passes will have
                torch.cuda.empty_cache()  # so that other processes may use the memory


def fits(view: ModelView, sample: Tensors, gate: DeviceGate, threads: int, rows: int, processes: int = 1) -> bool:
    """Whether a pass of so many rows, as `tune_rows` runs it, fits into memory.

    Raises:
        Exception: whatever else the model raises.
    """
    timer = PassTimer(view, first_row(sample), gate, threads, processes=processes)
    with ThreadPoolExecutor(1, "tuning", use_threads, (1,)) as thread:
        return thread.submit(timer.fits, rows).result()


def fastest(seconds: Callable[[int], float | None], most_rows: int) -> int:
    """The batch size that `tune_rows` describes.

    Args:
        seconds: times one pass of so many rows; None for a pass that does not fit into memory.
        most_rows: the largest batch that is tried.
    """
    rows, best, pace = FIRST_BATCH_ROWS, 1, 0.0
    while rows <= most_rows and (took_s := seconds(rows)) is not None:
        if took_s > MAX_PASS_S and rows > FIRST_BATCH_ROWS:
            break
        needed = pace * MIN_SPEEDUP ** log2(rows / best)
        if CLOSE_SHARE * needed < rows / took_s < needed:
            took_s = min(took_s, seconds(rows) or took_s)
        if rows / took_s >= needed:
            best, pace = rows, rows / took_s
        elif rows > 4 * best:  # other processes disturb timings, so two batches in a row may disappoint
            break
        if took_s * LEAST_GROWTH > MAX_PASS_S:
            break
        rows *= 2
    log.info("batch tuned", batch_rows=best, rows_per_second=round(pace, 1))
    return best


def warm_seconds(seconds: Callable[[int], float | None], rows: int) -> float | None:
    """`seconds`, once the memory of such a pass has been taken from the operating system.

    The first pass of a size takes up to twice as long as the others for it. A shorter pass is repeated by the timer.
    """
    took_s = seconds(rows)
    if took_s is None or not MAX_PASS_S / 4 <= took_s <= COLD_PASS_TIMES * MAX_PASS_S:
        return took_s
    again_s = seconds(rows)
    return took_s if again_s is None else min(took_s, again_s)


def forward_rows(view: ModelView, sample: Tensors) -> int:
    """Rows without gradients that a full pass holds for each row with them, where the batch size was measured.

    Without its backward a pass takes about half of the time, so twice the rows keep others waiting no longer. It needs
    less memory. Measured on CPUs alone.
    """
    return FORWARD_ROWS if view.device.type == "cpu" and _timed_kind(view, sample) == "gradient" else 1


def _timed_kind(view: ModelView, sample: Tensors) -> PassKind:
    """Passes with gradients, where the inputs can have them."""
    return "gradient" if all(tensor.is_floating_point() for tensor in sample[: view.input_count]) else "forward"


class PassTimer:
    """Times passes over copies of one row; with gradients, where the inputs can have them.

    Args:
        view: the model.
        row: what `view.module` takes, one row of each tensor.
        gate: turns on the device.
        threads: CPU threads of a pass.
        repeat_below_s: a shorter pass is timed `TIMED_PASSES` times.
        processes: that share the device.
    """

    def __init__(
        self,
        view: ModelView,
        row: Tensors,
        gate: DeviceGate,
        threads: int,
        repeat_below_s: float = MAX_PASS_S / 4,
        processes: int = 1,
    ) -> None:
        self._view = view
        self._gate = gate
        self._threads = threads
        self._processes = processes
        self._row = tuple(_of_length(tensor, TIMED_TEXT_TOKENS) for tensor in row) if view.padded else row
        self._kind = _timed_kind(view, row)
        self._repeat_below_s = repeat_below_s
        self._dimensions: int | None = None  # of an output, without that of rows
        self._warm = False

    def __call__(self, rows: int) -> float | None:
        """Seconds of a pass of so many rows, on a CPU without those that other processes took; None if it does not fit
        into memory.

        Raises:
            Exception: whatever else the model raises.
        """
        if not self._warm:
            self._pass(1)  # the first pass of a model takes longer
            self._warm = True
        try:
            took_s = self._pass(rows)
            for _ in range(TIMED_PASSES - 1):
                if took_s < self._repeat_below_s:
                    took_s = min(took_s, self._pass(rows))
        except Exception as error:
            if is_out_of_memory(error):
                return None
            raise
        return took_s if self._fits() else None

    def fits(self, rows: int) -> bool:
        """Whether one pass of so many rows fits into memory.

        Raises:
            Exception: whatever else the model raises.
        """
        try:
            self._pass(rows)
        except Exception as error:
            if is_out_of_memory(error):
                return False
            raise
        return self._fits()

    def _pass(self, rows: int) -> float:
        return self._gate.run(partial(self._timed, self._block(rows)), self._threads)

    def _timed(self, block: Block) -> float:
        watch = Stopwatch(self._threads)
        run_pass(self._view, self._kind, [Part(block, 0, block.size)])
        if self._view.device.type == "cuda":
            torch.cuda.synchronize(self._view.device)
            return watch.took_s()
        return watch.undisturbed_s()

    def _block(self, rows: int) -> Block:
        repeated = tuple(tensor.expand(rows, *tensor.shape[1:]).contiguous() for tensor in self._row)
        if self._dimensions is None:
            with torch.no_grad():
                self._dimensions = int(self._view.pass_module(*(t.clone() for t in self._row)).dim()) - 1
        targets = None
        if self._dimensions:
            shape = (rows,) if self._dimensions == 1 else (rows, self._dimensions)
            targets = torch.zeros(shape, dtype=torch.int64)
        return Block(
            Task("tuning"), self._kind, repeated[: self._view.input_count], repeated[self._view.input_count :], targets
        )

    def _fits(self) -> bool:
        """False once passes take our share of a GPU's memory. A CPU's batch is limited by the time of a pass."""
        device = self._view.device
        if device.type != "cuda":
            return True
        _, total = torch.cuda.mem_get_info(device)
        return torch.cuda.max_memory_allocated(device) <= MAX_MEMORY_SHARE * total / self._processes


def _of_length(tensor: Tensor, length: int) -> Tensor:
    """(1, n, …) repeated to (1, length, …)."""
    return torch.cat([tensor] * -(-length // tensor.shape[1]), dim=1)[:, :length]
