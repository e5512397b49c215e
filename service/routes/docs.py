"""`/docs`: the OpenAPI document as an interactive page. Needs no other host."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from starlette.exceptions import HTTPException

from service.openapi.page import ASSETS, HEADERS, asset, page

router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def get_docs() -> Response:
    return Response(page(), media_type="text/html", headers=HEADERS)


@router.get("/docs/{name}")
async def get_docs_asset(name: Annotated[str, Path(max_length=100)]) -> Response:
    if name not in ASSETS:
        raise HTTPException(404)
    return Response(asset(name), media_type=ASSETS[name][1], headers=HEADERS)
