"""Memory that jobs hold at once for the inputs that Captum expands."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from schemas.errors import InputRejected, JobCancelled
from schemas.limits import MAX_FIT_BYTES, MAX_NOISE_BYTES
from schemas.methods import BaseMethod, IntegratedGradients, KernelShap, Lime
from schemas.sentences import Sentence
from workers.engine.task import Task
from workers.methods.adaptive.integrated_gradients import most_steps
from workers.methods.explain_inputs import ExplainInputs, chunk_rows
from workers.methods.tuning import CANCELLED_POLL_S, FIT_CELL_BYTES

BUDGET_BYTES = 4 * MAX_NOISE_BYTES  # of expanded inputs at once; Captum keeps a handful of tensors of that size
CHUNK_COPIES = 4  # a chunk's inputs and answers while its job waits, and what Captum joins and scales them from


class MemoryBudget:
    """A budget of bytes. A job waits for its share before it is live, so that the engine does not wait for it."""

    def __init__(self, total: int = BUDGET_BYTES) -> None:
        self._total = total
        self._lent = 0
        self._changed = threading.Condition()

    @contextmanager
    def lend(self, count: int, task: Task | None = None) -> Iterator[None]:
        """Waits until `count` bytes are free, or, for more than there are in all, until none is lent.

        Raises:
            JobCancelled: the task was cancelled meanwhile.
        """
        count = min(count, self._total)
        with self._changed, nullcontext() if task is None else task.waits():
            while self._lent + count > self._total:
                self._changed.wait(CANCELLED_POLL_S)
                if task is not None and task.cancelled.is_set():
                    raise JobCancelled("the job was cancelled")
            self._lent += count
        try:
            yield
        finally:
            with self._changed:
                self._lent -= count
                self._changed.notify_all()


def expanded_bytes(method: BaseMethod, subject: ExplainInputs, batch_rows: int, answer_bytes: int = 0) -> int:
    """What a job holds of inputs that Captum expands for it, and of what the model answers to them.

    Jobs that go chunk by chunk are charged for every copy of a chunk: a dozen of them keep passes full, and more would
    only hold more. Of noisy copies, which a job must draw in one piece, the draw alone is counted. `answer_bytes` are
    those of one row, where they are worth counting: a map of scores for each class is larger than the picture. Methods
    that take gradients are given the target's score alone.

    Raises:
        InputRejected: noisy copies, which cannot be made in parts, or the samples of a linear model take more than any
            job may.
    """
    fitted = _fitted_bytes(method, subject)
    each = sum(tensor[0].numel() * tensor.element_size() for tensor in subject.inputs)
    shown = int(each * subject.examples * method.path_frames)
    if method.perturbs == "input":
        each += answer_bytes
    if isinstance(method, IntegratedGradients) and method.adaptive:
        steps, together = most_steps(subject)
        return shown + int(each * (steps * together + chunk_rows(batch_rows, 1)))
    if method.noisy_samples is None:
        alters = hasattr(method, "baseline") or hasattr(method, "feature_mask")  # else the input itself is all there is
        rows = CHUNK_COPIES * chunk_rows(batch_rows, subject.examples) if alters else subject.examples
        return shown + fitted + int(each * rows)
    samples = method.noisy_copies
    noise = each * subject.examples * samples
    if noise > MAX_NOISE_BYTES:
        raise InputRejected(
            Sentence("{copies} noisy copies of this input are too large; ask for fewer samples", copies=samples)
        )
    return int(noise)


def _fitted_bytes(method: BaseMethod, subject: ExplainInputs) -> int:
    """Bytes of the samples that a linear model is fitted to; 0 for methods without one.

    Raises:
        InputRejected: they are more than any job may have.
    """
    if not isinstance(method, KernelShap | Lime):
        return 0
    masks = subject.feature_mask
    features = (
        sum(t[0].numel() for t in subject.inputs) if masks is None else 1 + max(int(mask.max()) for mask in masks)
    )
    fitted = int(method.n_samples * features * subject.examples * FIT_CELL_BYTES)
    if fitted > MAX_FIT_BYTES:
        raise InputRejected(
            Sentence(
                "{count} samples of {features} features are too many for a linear model; ask for fewer samples, or "
                "give a feature_mask of fewer features",
                count=method.n_samples,
                features=features,
            )
        )
    return fitted
