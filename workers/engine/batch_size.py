"""How many rows a full pass should have, measured on the model and the device that will run it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from math import log2
from time import perf_counter

import structlog
import torch
from torch import Tensor

from workers.engine.block import Block, PassKind
from workers.engine.executor import is_out_of_memory
from workers.engine.gate import DeviceGate
from workers.engine.passes import Part, run_pass
from workers.engine.task import Task
from workers.engine.threads import use_threads
from workers.engine.view import ModelView
from workers.tracing.samples import Tensors, first_row

log = structlog.get_logger()
FIRST_ROWS = 8  # fewer never pay, and are told from more only on a quiet machine
MOST_ROWS = {"cpu": 4_096, "cuda": 1_024}  # of passes that stay short
ENOUGH = 1.03  # a doubled batch must compute rows so much faster to be worth its wait and its memory
PASS_S = 0.5  # a pass may take so long: a one-row job that comes behind it waits for its end
REPEATS = 3
MEMORY_SHARE = 0.6  # of the device's memory, at most, with models and all
TEXT_LENGTH = 128  # of the texts that are timed: a batch suits short and long ones


def tune_rows(view: ModelView, sample: Tensors, gate: DeviceGate, threads: int) -> int | None:
    """The batch size from which on larger ones no longer compute rows faster; None where the model cannot be measured.

    Batches are doubled while rows per second rise, a pass stays under `PASS_S`, and the device has the memory. Each
    pass takes its turn on the device, as an engine's would.

    Args:
        sample: what `view.module` takes, with at least one row of each tensor.
    """
    timer = PassTimer(view, first_row(sample), gate, threads)
    with ThreadPoolExecutor(1, "tuning", use_threads, (1,)) as thread:
        try:
            return thread.submit(fastest, timer, MOST_ROWS.get(view.device.type, MOST_ROWS["cuda"])).result()
        except Exception as error:  # the model's own code may raise anything
            log.warning("batch cannot be tuned", error=type(error).__name__)
            return None
        finally:
            if view.device.type == "cuda":
                torch.cuda.empty_cache()  # of batches larger than passes will have: others may use the device, too


def fastest(seconds: Callable[[int], float | None], most: int) -> int:
    """`tune_rows` by a function that times one pass of so many rows, and gives None for what does not fit."""
    rows, best, pace = FIRST_ROWS, 1, 0.0
    while rows <= most and (took_s := seconds(rows)) is not None:
        if rows / took_s >= pace * ENOUGH ** log2(rows / best):
            best, pace = rows, rows / took_s
        elif rows > 4 * best:  # passes are hard to time beside other processes: two disappointments are let pass
            break
        if 2 * took_s > PASS_S:
            break
        rows *= 2
    log.info("batch tuned", batch_rows=best, rows_per_second=round(pace, 1))
    return best


class PassTimer:
    """Times passes of one row over and over; gradients where the inputs can have them."""

    def __init__(self, view: ModelView, row: Tensors, gate: DeviceGate, threads: int) -> None:
        self._view = view
        self._gate = gate
        self._threads = threads
        self._row = tuple(_of_length(tensor, TEXT_LENGTH) for tensor in row) if view.padded else row
        inputs = row[: view.inputs]
        self._kind: PassKind = "gradient" if all(tensor.is_floating_point() for tensor in inputs) else "forward"
        self._warm = False

    def __call__(self, rows: int) -> float | None:
        if not self._warm:
            self._pass(1)  # what is made at the first call
            self._warm = True
        try:
            took_s = self._pass(rows)
            for _ in range(REPEATS - 1):
                if took_s < PASS_S / 4:  # the longer a pass, the better one alone tells
                    took_s = min(took_s, self._pass(rows))
        except Exception as error:
            if is_out_of_memory(error):
                return None
            raise
        return took_s if self._fits() else None

    def _pass(self, rows: int) -> float:
        return self._gate.run(partial(self._timed, self._block(rows)), self._threads)

    def _timed(self, block: Block) -> float:
        begun_s = perf_counter()
        run_pass(self._view, self._kind, [Part(block, 0, block.rows)])
        if self._view.device.type == "cuda":
            torch.cuda.synchronize(self._view.device)
        return perf_counter() - begun_s

    def _block(self, rows: int) -> Block:
        repeated = tuple(tensor.expand(rows, *tensor.shape[1:]).contiguous() for tensor in self._row)
        with torch.no_grad():
            places = self._view.pass_module(*(t.clone() for t in self._row)).dim() - 1
        targets = None
        if places:
            targets = torch.zeros((rows,) if places == 1 else (rows, places), dtype=torch.int64)
        return Block(Task("tuning"), self._kind, repeated[: self._view.inputs], repeated[self._view.inputs :], targets)

    def _fits(self) -> bool:
        """False once passes have taken their share of the device; the CPU's limit is the time of a pass."""
        device = self._view.device
        if device.type != "cuda":
            return True
        _, total = torch.cuda.mem_get_info(device)
        return torch.cuda.max_memory_allocated(device) <= MEMORY_SHARE * total


def _of_length(tensor: Tensor, length: int) -> Tensor:
    """(1, n, …) repeated to (1, length, …)."""
    return torch.cat([tensor] * -(-length // tensor.shape[1]), dim=1)[:, :length]
