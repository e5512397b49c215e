"""`/comparisons/{id}`: a comparison with the agreement of its cells, its sheet, and its end."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from broker import ComparisonRecord
from schemas.errors import ComparisonNotFound, InvalidRequest, JobHasNoResult, ResultNotReady, StoreUnavailable
from service.comparisons.reading import job_ids, read_comparison
from service.comparisons.sheet import sheet_png
from service.comparisons.sheet_query import SheetQuery
from service.comparisons.submitting import cancel_jobs
from service.comparisons.view import has_ended
from service.http.authorization import ExplainCaller
from service.http.negotiation import language_of
from service.http.responses import json_response, root_path
from service.openapi import response_objects as openapi
from service.results.caching import cached_response, entity_tag
from service.results.formats import PNG
from service.routes.parameters import BINARY, CACHE_HEADERS, NOT_MODIFIED, IfNoneMatch, PictureLanguage
from service.state import CurrentGateway, Gateway

router = APIRouter(tags=["comparisons"], responses=openapi.DENIED)
ComparisonId = Annotated[str, Path(description="As in the response of POST /compare.")]
FOUND = openapi.json_response_object("Comparison", "The comparison.")
MISSING = openapi.problems(ComparisonNotFound, StoreUnavailable)


@router.get(
    "/comparisons/{comparison_id}",
    summary="A comparison, its progress, and how far its cells agree",
    responses={200: FOUND, **MISSING},
)
async def get_comparison(
    request: Request, gateway: CurrentGateway, caller: ExplainCaller, comparison_id: ComparisonId
) -> Response:
    record = await gateway.store.comparisons.get(comparison_id, caller.owner)
    comparison = await read_comparison(gateway, record, root_path(request))
    return json_response(comparison, headers={"Cache-Control": "no-store"})


@router.delete(
    "/comparisons/{comparison_id}",
    summary="Cancel the jobs of a comparison",
    description="Jobs that have ended do not change. Returns the comparison after the call.",
    responses={200: FOUND, **MISSING},
)
async def cancel_comparison(
    request: Request, gateway: CurrentGateway, caller: ExplainCaller, comparison_id: ComparisonId
) -> Response:
    record = await gateway.store.comparisons.get(comparison_id, caller.owner)
    await cancel_jobs(gateway, record.cells)
    return json_response(await read_comparison(gateway, record, root_path(request)))


@router.get(
    "/comparisons/{comparison_id}/sheet.png",
    summary="All attributions side by side as one picture",
    description="What the model sees, then one panel for each cell, with its method, parameters and scale. Drawn from "
    "the stored attributions once all jobs have ended. Unknown parameters are refused.",
    responses={
        200: {"description": "The sheet.", "headers": CACHE_HEADERS, "content": {PNG: BINARY}},
        **NOT_MODIFIED,
        **openapi.problems(ComparisonNotFound, ResultNotReady, JobHasNoResult, InvalidRequest, StoreUnavailable),
    },
)
async def get_sheet(
    gateway: CurrentGateway,
    caller: ExplainCaller,
    comparison_id: ComparisonId,
    options: Annotated[SheetQuery, Query()],
    accept_language: PictureLanguage = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    record = await gateway.store.comparisons.get(comparison_id, caller.owner)
    await _check_ended(gateway, record)
    language = options.lang or language_of(accept_language)
    tag = entity_tag(comparison_id, "sheet", options.model_dump_json(), language)

    async def body() -> bytes:
        return await sheet_png(gateway, record, options, language)

    return await cached_response(tag, if_none_match, PNG, "Accept-Language", body)


async def _check_ended(gateway: Gateway, record: ComparisonRecord) -> None:
    """Raises `ResultNotReady` while a job of the comparison is queued or running."""
    if not has_ended(await gateway.store.comparisons.jobs(job_ids(record))):
        raise ResultNotReady("not all jobs of the comparison have ended")
