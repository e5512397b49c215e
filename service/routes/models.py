"""`/models`: the cards of all models."""

import asyncio
import re
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Response

from schemas.errors import InvalidRequest, ModelNotFound, StoreUnavailable
from schemas.requests import Version
from service.gateway_documents import ModelList
from service.http.authorization import MayReadModels
from service.http.compression import compressed_response
from service.http.responses import json_response
from service.model_cards import find_card
from service.model_residence import shown_card
from service.openapi import response_objects as openapi
from service.state import CurrentGateway

router = APIRouter(tags=["models"], dependencies=[MayReadModels], responses=openapi.DENIED)
AcceptEncoding = Annotated[str | None, Header(description="`gzip` or none.")]
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@router.get(
    "/models",
    summary="All models, with their status",
    responses={
        200: openapi.json_response_object("ModelList", "The models' cards."),
        **openapi.problems(StoreUnavailable),
    },
)
async def list_models(gateway: CurrentGateway, accept_encoding: AcceptEncoding = None) -> Response:
    cards, workers = await asyncio.gather(gateway.store.models.cards(), gateway.store.workers.live())
    whole = json_response(
        ModelList(models=[shown_card(card, workers) for card in cards]), headers={"Vary": "Accept-Language"}
    )
    return compressed_response(whole, accept_encoding)


@router.get(
    "/models/{name}",
    summary="One model's card",
    description="Input kind and shape, labels, layers, defaults, and the methods, with the reason if one is not "
    "supported.",
    responses={
        200: openapi.json_response_object("ModelCard", "The card."),
        **openapi.problems(ModelNotFound, InvalidRequest, StoreUnavailable),
    },
)
async def get_model(
    gateway: CurrentGateway,
    name: Annotated[str, Path(description="As in GET /models.")],
    version: Annotated[Version | None, Query(description="Default: the highest version that takes jobs.")] = None,
) -> Response:
    if not NAME.fullmatch(name):
        raise ModelNotFound("no such model: a name has letters, digits, dots, hyphens and underscores")
    card, workers = await asyncio.gather(find_card(gateway.store, name, version), gateway.store.workers.live())
    return json_response(shown_card(card, workers), headers={"Vary": "Accept-Language"})
