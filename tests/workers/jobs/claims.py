"""Claimed jobs that never were in a job store."""

from typing import Any

from safetensors.torch import save
from torch import Tensor

from broker import Claim
from schemas.jobs import JobSpec
from workers.jobs.job import ClaimedJob

QUEUED_MS = 1


def claimed(spec: JobSpec, tensors: dict[str, Tensor] | bytes, job_id: str = "job", **fields: Any) -> ClaimedJob:
    """A job of this spec and these payload tensors, which has waited `QUEUED_MS`; `fields` are those of `Claim`."""
    payload = tensors if isinstance(tensors, bytes) else save(tensors)
    given = {"attempt": 1, "token": "token", "created_ms": 0, "started_ms": QUEUED_MS, **fields}
    return ClaimedJob(Claim(job_id=job_id, spec=spec, payload=payload, **given))
