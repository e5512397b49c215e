"""`/methods`: the catalogue of attribution methods, in English and Spanish."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Response

from schemas.methods import METHOD_NAMES
from service.catalogue.guides import catalogue
from service.http.negotiation import language_of
from service.http.problems import http_problem, problem_response
from service.http.responses import json_response
from service.languages import LANGUAGES, Language
from service.openapi import response_objects as openapi
from service.validation.document.suggest import suggestion

router = APIRouter(tags=["methods"])
AcceptLanguage = Annotated[str | None, Header(description="`en` (default) or `es`.")]
LANGUAGE_HEADERS = {
    "Content-Language": {"description": "`en` or `es`.", "schema": {"type": "string", "enum": list(LANGUAGES)}},
    "Vary": {"description": "`Accept-Language`.", "schema": {"type": "string"}},
}


@router.get(
    "/methods",
    summary="All methods compared",
    description="For each method: its idea, whether it uses gradients and a baseline, typical results, an analogy, "
    "when to use it and when not, its paper, and the JSON schema of its parameters.",
    responses={200: openapi.json_response_object("MethodCatalogue", "The catalogue.", headers=LANGUAGE_HEADERS)},
)
async def list_methods(accept_language: AcceptLanguage = None) -> Response:
    language = language_of(accept_language)
    return json_response(catalogue(language), headers=_headers(language))


@router.get(
    "/methods/{name}",
    summary="One method",
    responses={
        200: openapi.json_response_object("MethodGuide", "The method.", headers=LANGUAGE_HEADERS),
        404: openapi.plain_problem(404, "No such method."),
    },
)
async def get_method(
    name: Annotated[str, Path(description="As in GET /methods.", examples=["integrated_gradients"])],
    accept_language: AcceptLanguage = None,
) -> Response:
    language = language_of(accept_language)
    guide = next((guide for guide in catalogue(language).methods if guide.name == name), None)
    if guide is None:
        return problem_response(http_problem(404, f"There is no such method{suggestion(name, METHOD_NAMES)}"))
    return json_response(guide, headers=_headers(language))


def _headers(language: Language) -> dict[str, str]:
    return {"Content-Language": language, "Vary": "Accept-Language"}
