"""`/jobs`: look, list, cancel, and follow by server-sent events."""

from collections.abc import AsyncIterator
from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sse_starlette import EventSourceResponse, ServerSentEvent

from schemas.errors import InvalidRequest, JobNotFound, ServiceError, StoreUnavailable
from schemas.jobs import JobPage, JobStatus
from schemas.requests import ModelName, Version
from service.http.responses import json_response
from service.job_view import job_view
from service.openapi import operations as openapi
from service.openapi import examples
from service.state import CurrentGateway, Gateway

router = APIRouter(tags=["jobs"])
HEARTBEAT_S = 15
JobId = Annotated[str, Path(description="As in the answer of POST /explain.")]

EVENTS_RESPONSE = {
    "description": "A stream of events.",
    "content": {"text/event-stream": {"schema": {"type": "string"}, "example": "event: job\r\ndata: {…}\r\n\r\n"}},
}


class JobFilter(BaseModel):
    """Query parameters of `GET /jobs`; others are refused."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    status: JobStatus | None = None
    model: ModelName | None = Field(default=None, description="A model's name.")
    version: Version | None = Field(default=None, description="Of the model named.")
    limit: Annotated[int, Field(ge=1, le=200, description="Jobs on one page.")] = 50
    cursor: Annotated[str, Field(max_length=100)] | None = Field(default=None, description="`next` of the page before.")


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
async def list_jobs(request: Request, gateway: CurrentGateway, query: Annotated[JobFilter, Query()]) -> Response:
    if query.version is not None and query.model is None:
        raise InvalidRequest.at(["version"], "of which model?")
    model = query.model if query.version is None else f"{query.model}@{query.version}"
    records, following = await gateway.store.list(
        status=query.status, model=model, cursor=query.cursor, limit=query.limit
    )
    root = request.scope.get("root_path", "")
    return json_response(JobPage(jobs=[job_view(record, root) for record in records], next=following))


@router.get(
    "/jobs/{job_id}",
    summary="Where a job stands",
    responses={
        200: openapi.json_response_object("Job", "The job.", examples.SUCCEEDED_JOB),
        **openapi.problems(JobNotFound, StoreUnavailable),
    },
)
async def get_job(request: Request, gateway: CurrentGateway, job_id: JobId) -> Response:
    record = await gateway.store.get(job_id)
    return json_response(job_view(record, request.scope.get("root_path", "")), headers={"Cache-Control": "no-store"})


@router.delete(
    "/jobs/{job_id}",
    summary="Cancel a job, mid-run too",
    description="A job that has ended stays as it is; the answer shows it.",
    responses={
        200: openapi.json_response_object("Job", "The job after the call.", examples.CANCELLED_JOB),
        **openapi.problems(JobNotFound, StoreUnavailable),
    },
)
async def cancel_job(request: Request, gateway: CurrentGateway, job_id: JobId) -> Response:
    record = await gateway.store.cancel(job_id)
    return json_response(job_view(record, request.scope.get("root_path", "")))


@router.get(
    "/jobs/{job_id}/events",
    summary="Follow a job by server-sent events",
    description="An event `job` with the job as JSON now and after each change, until the job has ended; then the "
    "stream closes. An event `problem` tells of an outage that ends the stream early. Comments keep it alive.",
    responses={200: EVENTS_RESPONSE, **openapi.problems(JobNotFound, StoreUnavailable)},
)
async def job_events(request: Request, gateway: CurrentGateway, job_id: JobId) -> Response:
    await gateway.store.get(job_id)  # so that an unknown job is a plain 404
    events = _events(gateway, job_id, request.scope.get("root_path", ""))
    response: Response = EventSourceResponse(events, ping=HEARTBEAT_S)
    return response


async def _events(gateway: Gateway, job_id: str, root: str) -> AsyncIterator[ServerSentEvent]:
    try:
        async with gateway.store.watch(job_id) as changes:
            async for record in changes:
                yield ServerSentEvent(job_view(record, root).model_dump_json(), event="job")
    except ServiceError as error:
        problem = orjson.dumps(error.problem().model_dump(exclude_none=True)).decode()
        yield ServerSentEvent(problem, event="problem")
