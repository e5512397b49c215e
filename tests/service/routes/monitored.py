"""A monitor's request, and results observed for it."""

import asyncio
from typing import Any

from broker import JobStore
from schemas.results import ResultMeta
from workers.monitors.keeper import MonitorKeeper

BODY: dict[str, Any] = {"model": "breast-cancer-mlp", "method": "saliency", "reference": "first:50", "window": 50}


async def feed(store: JobStore, keeper: MonitorKeeper, job_id: str, count: int, owner: str = "") -> None:
    """The result of a job, observed several times."""
    record = await store.jobs.get(job_id)
    meta, tensors = await store.results.get(job_id)
    spec = record.spec.model_copy(update={"owner": owner})
    for _ in range(count):
        keeper._watching.observe(spec, ResultMeta.model_validate_json(meta), tensors, ())
    await asyncio.to_thread(keeper.step)
