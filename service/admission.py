"""The way of every request for an explanation into the queue, and the wait for its job's end."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from fastapi import Request

from broker import NewJob, Submitted, Waited
from schemas.models import ModelCard
from schemas.requests import ExplainRequest
from service.http.disconnect import unless_disconnected
from service.monitoring.request_trace import traced
from service.monitoring.submitting import submitting
from service.state import Gateway
from service.submission import Submission, prepare
from service.tuning import SMALL_JSON_BYTES, SMALL_PICTURE_PIXELS
from service.validation.inputs import check_picture_memory, picture_work

Wait = Callable[[float], Awaitable[Waited]]  # up to so many seconds for the end of a job


async def prepared(
    gateway: Gateway, explain_request: ExplainRequest, card: ModelCard, owner: str, body_bytes: int
) -> Submission:
    """`prepare`, in a thread unless body and picture are small. A picture's memory is reserved before it is decoded.

    Raises:
        InvalidRequest: the picture alone takes more memory than all pictures may; or as `prepare`.
        Unavailable: other pictures hold the memory for too long.
    """
    with traced("validate"):
        work = await gateway.compute_sized(body_bytes, picture_work, explain_request.input, card.input)
        if body_bytes <= SMALL_JSON_BYTES and work.pixels <= SMALL_PICTURE_PIXELS:
            return prepare(explain_request, card, owner)
        check_picture_memory(work, gateway.picture_memory.largest)
        async with gateway.picture_memory.reserve(work.memory_bytes):
            return await gateway.compute(prepare, explain_request, card, owner)


async def submitted_and_waited(
    request: Request, gateway: Gateway, job: NewJob, wait_s: float, *, takes_result: bool
) -> Waited | None:
    """Queue the job, and wait up to `wait_s` seconds for its end.

    Args:
        takes_result: whether the stored result is to be returned with an ended job.

    Returns:
        The job after the wait, or None if the client disconnected during it. When the gateway is told to stop, the
        wait ends and the job goes on.
    """
    if wait_s <= 0:
        with submitting(gateway.metrics, job) as submission:
            submission.submitted = await gateway.store.jobs.submit(submission.job)
        return Waited(submission.submitted.record)
    async with AsyncExitStack() as stack:
        submitted, wait = await submitted_and_watched(gateway, job, stack, takes_result=takes_result)
        ended = gateway.waits.until_stop(lambda: wait(wait_s), Waited(submitted.record))
        return await unless_disconnected(request, ended)


async def submitted_and_watched(
    gateway: Gateway, job: NewJob, stack: AsyncExitStack, *, takes_result: bool
) -> tuple[Submitted, Wait]:
    """Queue the job, and watch it until the stack is closed.

    Args:
        takes_result: as in `submitted_and_waited`.
    """
    with submitting(gateway.metrics, job) as submission:
        entering = gateway.store.jobs.submit_and_wait(submission.job, takes_result=takes_result)
        submission.submitted, wait = await stack.enter_async_context(entering)
    return submission.submitted, wait
