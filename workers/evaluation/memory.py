"""What the metrics of a job hold in memory at once: perturbed copies, which a seed draws in one piece."""

from dataclasses import replace
from typing import Any

from schemas.errors import InputRejected
from schemas.limits import MAX_NOISE_BYTES
from schemas.metric_requests import AnyQuality, Infidelity, SensitivityMax
from workers.methods.explain_inputs import ExplainInputs
from workers.methods.memory import expanded_bytes


def perturbed_bytes(metrics: list[AnyQuality], method: Any, subject: ExplainInputs, batch_rows: int) -> int:
    """The size of the largest set of copies, and of what the method expands from them.

    Raises:
        InputRejected: they take more than any job may.
    """
    most = 0
    for metric in metrics:
        if not isinstance(metric, Infidelity | SensitivityMax):
            continue
        samples = metric.n_perturb_samples
        each = sum(tensor[0].numel() * tensor.element_size() for tensor in subject.inputs)
        needed = each * subject.examples * samples
        if needed > MAX_NOISE_BYTES:
            raise InputRejected(f"{samples} perturbed copies of this input are too large; fewer samples are needed")
        if isinstance(metric, SensitivityMax):
            rows = subject.examples * samples
            copies = replace(subject, inputs=tuple(t[:1].expand(rows, *t.shape[1:]) for t in subject.inputs))
            needed = max(needed, expanded_bytes(method, copies, batch_rows))
        most = max(most, needed)
    return most
