"""Runs the jobs of a dialect's request: the admission of `POST /explain` for each, and one wait for all."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

from broker import JobRecord, OpenedResult, Waited
from schemas.errors import InvalidRequest, JobFailed, JobNotFound, PicturesDiffer, ServiceError, StillRunning
from schemas.jobs import TERMINAL
from schemas.models import ModelCard
from schemas.results import ResultMeta
from schemas.sentences import Sentence
from service.admission import Wait, prepared, submitted_and_watched
from service.dialects.call import Call
from service.dialects.instances import Instance, Location
from service.dialects.options import Options
from service.dialects.planning import Part, batch, singles
from service.http.disconnect import unless_disconnected
from service.results.blob import LENGTH_BYTES, header_end
from service.results.formats import read_meta
from service.results.representation import ended_without_result, opened_result, whole_result
from service.submission import Submission, new_job
from service.tuning import HELD_RESULTS, MAX_DIALECT_JOBS
from service.validation.document.body import read_request


@dataclass(frozen=True, slots=True)
class Explained:
    """One example's part of a job's result."""

    job_id: str
    meta: ResultMeta
    opened: OpenedResult
    example: int


async def explained_instances(
    call: Call, card: ModelCard, instances: Sequence[Instance], options: Options, loc: Location
) -> list[Explained] | None:
    """`explained` for a list of examples: as one job where they make a batch, else as one job each."""
    try:
        return await explained(call, card, batch(instances, options, loc), options)
    except PicturesDiffer:
        return await explained(call, card, singles(instances, options, loc), options)


async def explained(call: Call, card: ModelCard, parts: Sequence[Part], options: Options) -> list[Explained] | None:
    """Run the jobs, and return what they say of each example, in order; None if the client disconnected meanwhile.

    A refused job cancels those before it.

    Raises:
        PicturesDiffer: a part of several pictures must be sent as several parts.
        InvalidRequest: a part does not fit the model, or its job could not use the input.
        StillRunning: not all jobs ended within the wait. They go on.
        JobFailed: a job failed.
        ServiceError: a job was refused, as by `POST /explain`.
    """
    if len(parts) > MAX_DIALECT_JOBS:
        raise InvalidRequest(
            Sentence(
                "the request takes {count} jobs; at most {most} are accepted", count=len(parts), most=MAX_DIALECT_JOBS
            )
        )
    async with AsyncExitStack() as stack:
        submitted: list[tuple[JobRecord, Wait]] = []
        try:
            for part in parts:
                entered = await _submitted(call, card, part, options, stack, takes_result=len(parts) == 1)
                submitted.append(entered)  # one by one: an error cancels those before it
        except BaseException:
            await _cancel(call, [record.id for record, _ in submitted])
            raise
        records = [Waited(record) for record, _ in submitted]
        waits = [wait for _, wait in submitted]
        ended = call.gateway.waits.until_stop(lambda: _all_ended(waits, call.limited_wait_s, records), records)
        waited = await unless_disconnected(call.request, ended)
    if waited is None:
        return None
    _check_ended(call, waited)
    return [
        one
        for part, at_end in zip(parts, waited, strict=True)
        for one in await _read(call, part, at_end, held=len(parts) <= HELD_RESULTS)
    ]


async def _submitted(
    call: Call, card: ModelCard, part: Part, options: Options, stack: AsyncExitStack, *, takes_result: bool
) -> tuple[JobRecord, Wait]:
    gateway = call.gateway
    try:
        submission = await _prepared(call, card, part, options)
    except PicturesDiffer:
        raise
    except InvalidRequest as error:
        raise part.located(error) from None
    cache_control = call.request.headers.get("cache-control", "")
    job = new_job(submission, cache_control, cache=gateway.settings.cache, limits=call.caller.limits)
    submitted, wait = await submitted_and_watched(gateway, job, stack, takes_result=takes_result)
    return submitted.record, wait


async def _prepared(call: Call, card: ModelCard, part: Part, options: Options) -> Submission:
    document = {
        "model": card.name,
        "version": card.version,
        "input": part.input,
        "method": options.method,
        "target": part.target,
        **options.fields,
    }
    request = await call.gateway.compute_sized(call.body_bytes, read_request, document)
    return await prepared(call.gateway, request, card, call.caller.owner, call.body_bytes)


async def _all_ended(waits: Sequence[Wait], wait_s: float, submitted: Sequence[Waited]) -> list[Waited]:
    """The jobs at their ends, or as they stand after the wait."""
    if wait_s <= 0:
        return list(submitted)
    return list(await asyncio.gather(*(wait(wait_s) for wait in waits)))


def _check_ended(call: Call, waited: Sequence[Waited]) -> None:
    """Raise the error of the first job that has not succeeded: first of those that failed."""
    for one in waited:
        record = one.record
        if record.status in TERMINAL and record.status != "succeeded":
            raise _failure(record)
    running = [one.record.id for one in waited if one.record.status not in TERMINAL]
    if running:
        location = call.job_path(running[0])
        detail = Sentence(
            "{running} of {count} jobs have not ended within {wait} s, and go on: the first is {location}; the same "
            "request, sent again, shares their results",
            running=len(running),
            count=len(waited),
            wait=f"{call.limited_wait_s:g}",
            location=location,
        )
        raise StillRunning.at(location, detail)


def _failure(record: JobRecord) -> ServiceError:
    detail = ended_without_result(record)
    is_rejected = record.error is not None and record.error.code == "input_rejected"
    return InvalidRequest(detail) if is_rejected else JobFailed(detail)


async def _read(call: Call, part: Part, waited: Waited, *, held: bool) -> list[Explained]:
    """The examples of a job's result. Unless `held`, its tensors are left in the store."""
    job_id = waited.record.id
    opened = await opened_result(call.gateway.store, job_id) if waited.result is None else whole_result(waited.result)
    if not held:
        opened = replace(opened, first=opened.first[: header_end(opened.first[:LENGTH_BYTES], opened.size)])
    meta = read_meta(opened.meta)
    return [Explained(job_id, meta, opened, example) for example in range(part.count)]


async def _cancel(call: Call, ids: Sequence[str]) -> None:
    """Cancel the jobs of a request that is refused. What has expired, or cannot be reached, is left alone."""
    for job_id in ids:
        try:
            await call.gateway.store.jobs.cancel(job_id)
        except JobNotFound:
            continue
        except ServiceError:
            return


def headers_of(call: Call, found: Sequence[Explained]) -> dict[str, str]:
    """Where the jobs of a response are: `Location` of the first, and a `Link` for each where there are several."""
    ids = list(dict.fromkeys(one.job_id for one in found))
    headers = {"Location": call.job_path(ids[0])}
    if len(ids) > 1:
        headers["Link"] = ", ".join(f'<{call.job_path(job_id)}>; rel="item"' for job_id in ids)
    return headers
