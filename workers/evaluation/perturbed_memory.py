"""The memory that metrics need for perturbed copies. All copies are drawn at once, so that a seed fixes them."""

from dataclasses import replace
from typing import Any

from schemas.errors import InputRejected
from schemas.limits import MAX_NOISE_BYTES
from schemas.metric_requests import AnyQuality
from schemas.sentences import Sentence
from workers.methods.explain_inputs import ExplainInputs
from workers.methods.memory_budget import expanded_bytes


def perturbed_bytes(metrics: list[AnyQuality], method: Any, subject: ExplainInputs, batch_rows: int) -> int:
    """Bytes of the largest set of copies, or of what the method expands them to, if that is larger.

    Raises:
        InputRejected: the copies take more than a job may use.
    """
    return max((_copies_bytes(metric, method, subject, batch_rows) for metric in metrics), default=0)


def _copies_bytes(metric: AnyQuality, method: Any, subject: ExplainInputs, batch_rows: int) -> int:
    copies = metric.perturbed_copies
    example_bytes = sum(tensor[0].numel() * tensor.element_size() for tensor in subject.inputs)
    needed = example_bytes * subject.examples * copies
    if needed > MAX_NOISE_BYTES:
        raise InputRejected(
            Sentence("{copies} perturbed copies of this input are too large; ask for fewer samples", copies=copies)
        )
    if not metric.explains_copies:
        return needed
    rows = subject.examples * copies
    perturbed = replace(subject, inputs=tuple(t[:1].expand(rows, *t.shape[1:]) for t in subject.inputs))
    return max(needed, expanded_bytes(method, perturbed, batch_rows))
