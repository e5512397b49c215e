"""`/jobs`: list jobs, get one, cancel it, and follow it by server-sent events."""

from collections.abc import AsyncIterator
from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sse_starlette import EventSourceResponse, ServerSentEvent

from schemas.errors import InvalidRequest, JobNotFound, ServiceError, StoreUnavailable
from schemas.jobs import JobPage, JobStatus
from schemas.requests import ModelName, Version
from service.http.authorization import ExplainCaller, MayExplain
from service.http.problems import with_trace
from service.http.responses import json_response, root_path
from service.job_view import job_response, job_view
from service.openapi import examples
from service.openapi import response_objects as openapi
from service.routes.parameters import JobId
from service.state import CurrentGateway, Gateway
from service.tuning import EVENTS_HEARTBEAT_S

router = APIRouter(tags=["jobs"], dependencies=[MayExplain], responses=openapi.DENIED)
EVENTS_RESPONSE = {
    "description": "A stream of events.",
    "content": {"text/event-stream": {"schema": {"type": "string"}, "example": "event: job\r\ndata: {…}\r\n\r\n"}},
}


class JobFilter(BaseModel):
    """The query parameters of `GET /jobs`; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    status: JobStatus | None = None
    model: ModelName | None = Field(default=None, description="A model's name.")
    version: Version | None = Field(default=None, description="A version of the model; requires `model`.")
    limit: Annotated[int, Field(ge=1, le=200, description="Jobs on one page.")] = 50
    cursor: Annotated[str, Field(max_length=100)] | None = Field(
        default=None, description="`next` of the previous page."
    )


@router.get(
    "/jobs",
    summary="List recent jobs, newest first",
    responses={
        200: openapi.json_response_object(
            "JobPage", "One page of jobs.", {"jobs": [examples.SUCCEEDED_JOB], "next": "1772366400000000"}
        ),
        **openapi.problems(InvalidRequest, StoreUnavailable),
    },
)
async def list_jobs(
    request: Request, gateway: CurrentGateway, caller: ExplainCaller, query: Annotated[JobFilter, Query()]
) -> Response:
    if query.version is not None and query.model is None:
        raise InvalidRequest.at(["version"], "a version needs the parameter model; add it")
    records, following = await gateway.store.jobs.page(
        status=query.status,
        model=query.model,
        version=query.version,
        cursor=query.cursor,
        limit=query.limit,
        owner=caller.owner,
    )
    jobs = [job_view(record, root_path(request)) for record in records]
    return json_response(JobPage(jobs=jobs, next=following))


@router.get(
    "/jobs/{job_id}",
    summary="A job and its progress",
    responses={
        200: openapi.json_response_object("Job", "The job.", examples.SUCCEEDED_JOB),
        **openapi.problems(JobNotFound, StoreUnavailable),
    },
)
async def get_job(request: Request, gateway: CurrentGateway, job_id: JobId) -> Response:
    record = await gateway.store.jobs.get(job_id)
    return job_response(request, record, headers={"Cache-Control": "no-store"})


@router.delete(
    "/jobs/{job_id}",
    summary="Cancel a job, queued or running",
    description="A job that has ended does not change. Returns the job after the call.",
    responses={
        200: openapi.json_response_object("Job", "The job after the call.", examples.CANCELLED_JOB),
        **openapi.problems(JobNotFound, StoreUnavailable),
    },
)
async def cancel_job(request: Request, gateway: CurrentGateway, job_id: JobId) -> Response:
    return job_response(request, await gateway.store.jobs.cancel(job_id))


@router.get(
    "/jobs/{job_id}/events",
    summary="Follow a job by server-sent events",
    description="Sends an event `job` with the job as JSON now and after each change. The stream closes when the job "
    "has ended. An event `problem` reports an outage, which ends the stream early. Comments keep the stream alive.",
    responses={200: EVENTS_RESPONSE, **openapi.problems(JobNotFound, StoreUnavailable)},
)
async def job_events(request: Request, gateway: CurrentGateway, job_id: JobId) -> Response:
    await gateway.store.jobs.get(job_id)  # an unknown job is a 404, not a stream
    events = _events(gateway, job_id, root_path(request))
    response: Response = EventSourceResponse(events, ping=EVENTS_HEARTBEAT_S)
    return response


async def _events(gateway: Gateway, job_id: str, prefix: str) -> AsyncIterator[ServerSentEvent]:
    """The events of one job, until it has ended or the job store fails. Links are under `prefix`."""
    try:
        async with gateway.store.jobs.watch(job_id) as changes:
            async for record in changes:
                yield ServerSentEvent(job_view(record, prefix).model_dump_json(), event="job")
    except ServiceError as error:
        problem = orjson.dumps(with_trace(error.problem()).model_dump(exclude_none=True)).decode()
        yield ServerSentEvent(problem, event="problem")
