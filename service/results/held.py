"""A stored result and its job's payload in memory, for which room is reserved, while it is drawn."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from pydantic import BaseModel

from broker import OpenedResult
from schemas.results import ResultMeta
from service.languages import Language
from service.rendered import picture_key
from service.results.draw_overlay import needs_payload
from service.state import Gateway


@asynccontextmanager
async def held_result(
    gateway: Gateway, job_id: str, meta: ResultMeta, opened: OpenedResult, drawing_bytes: int
) -> AsyncIterator[tuple[bytes | bytearray, bytes]]:
    """The stored tensors, and the payload if the drawing shows the input. Large tensors are in memory one at a time.

    Args:
        drawing_bytes: the memory that the drawing takes besides them, which is reserved too.

    Raises:
        Unavailable: other pictures hold the memory for too long.
        JobNotFound: the job has expired meanwhile.
        StoreUnavailable: the job store cannot be reached.
    """
    has_payload = needs_payload(meta)
    payload_bytes = await gateway.store.jobs.payload_bytes(job_id) if has_payload else 0
    async with AsyncExitStack() as stack:
        if not opened.is_whole:
            await stack.enter_async_context(gateway.large_results)
        taken = min(drawing_bytes + opened.size + payload_bytes, gateway.picture_memory.largest)
        await stack.enter_async_context(gateway.picture_memory.reserve(taken))
        payload = await gateway.store.jobs.payload(job_id) if has_payload else b""
        yield await opened.whole(), payload


def result_key(kind: str, job_id: str, opened: OpenedResult, options: BaseModel, language: Language) -> bytes:
    """The key of a drawing: the job, its result, and how it is drawn. Some defaults depend on what is drawn, so it
    matters which options are given."""
    given = ",".join(sorted(options.model_fields_set))
    return picture_key(kind, job_id, opened.meta, str(opened.size), options.model_dump_json(), given, language)
