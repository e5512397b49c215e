"""`/methods`: the catalogue of attribution methods, in English and Spanish, as JSON and as pages for people."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Response

from schemas.errors import InvalidRequest, NotAcceptable
from schemas.methods import METHOD_NAMES
from schemas.sentences import Sentence
from service.catalogue import html_page
from service.catalogue.guides import catalogue, guide_of
from service.catalogue.markdown_page import catalogue_markdown, guide_markdown
from service.http.compression import compressed_response
from service.http.negotiation import choose_media, language_of
from service.http.problems import http_problem, problem_response
from service.http.responses import json_response
from service.languages import LANGUAGES, Language
from service.openapi import response_objects as openapi
from service.validation.document.suggest import with_suggestion

router = APIRouter(tags=["methods"])
JSON, HTML, MARKDOWN = MEDIA = ("application/json", "text/html", "text/markdown")
Accept = Annotated[str | None, Header(description=f"{', '.join(MEDIA)}. Default: {JSON}.")]
AcceptLanguage = Annotated[str | None, Header(description="`en` (default) or `es`.")]
AcceptEncoding = Annotated[str | None, Header(description="`gzip` or none.")]
Lang = Annotated[Language | None, Query(description="Goes before `Accept-Language`.")]
LANGUAGE_HEADERS = {
    "Content-Language": {"description": "`en` or `es`.", "schema": {"type": "string", "enum": list(LANGUAGES)}},
    "Vary": {"description": "`Accept, Accept-Language`.", "schema": {"type": "string"}},
}


@router.get(
    "/methods",
    summary="All methods compared",
    description="For each method: its idea, whether it uses gradients and a baseline, typical results, an analogy, "
    "when to use it and when not, its paper, and the JSON schema of its parameters. As HTML and Markdown: the "
    "comparison table.",
    responses={
        200: openapi.with_pages(
            openapi.json_response_object("MethodCatalogue", "The catalogue.", None, LANGUAGE_HEADERS)
        ),
        **openapi.problems(NotAcceptable, InvalidRequest),
    },
)
async def list_methods(
    accept: Accept = None,
    accept_language: AcceptLanguage = None,
    accept_encoding: AcceptEncoding = None,
    lang: Lang = None,
) -> Response:
    media, language = _media(accept), lang or language_of(accept_language)
    whole, headers = catalogue(language), _headers(language)
    if media == HTML:
        return _page(html_page.catalogue_page(whole, _query(lang)), headers)
    if media == MARKDOWN:
        return Response(catalogue_markdown(whole), media_type=MARKDOWN, headers=headers)
    return compressed_response(json_response(whole, headers=headers), accept_encoding)


@router.get(
    "/methods/{name}",
    summary="One method",
    description="A method's texts and the JSON schema of its parameters; as HTML and Markdown for people.",
    responses={
        200: openapi.with_pages(openapi.json_response_object("MethodGuide", "The method.", None, LANGUAGE_HEADERS)),
        404: openapi.plain_problem(404, "No such method."),
        **openapi.problems(NotAcceptable, InvalidRequest),
    },
)
async def get_method(
    name: Annotated[str, Path(description="As in GET /methods.", examples=["integrated_gradients"])],
    accept: Accept = None,
    accept_language: AcceptLanguage = None,
    lang: Lang = None,
) -> Response:
    media, language = _media(accept), lang or language_of(accept_language)
    guide, headers = guide_of(name, language), _headers(language)
    if guide is None:
        return problem_response(http_problem(404, with_suggestion("There is no such method", name, METHOD_NAMES)))
    if media == HTML:
        return _page(html_page.guide_page(guide, catalogue(language), _query(lang)), headers)
    if media == MARKDOWN:
        return Response(guide_markdown(guide, catalogue(language)), media_type=MARKDOWN, headers=headers)
    return json_response(guide, headers=headers)


@router.get(f"/{html_page.STYLESHEET}", include_in_schema=False)
async def get_stylesheet() -> Response:
    headers = {**html_page.HEADERS, "Cache-Control": "public, max-age=3600"}
    return Response(html_page.stylesheet(), media_type="text/css", headers=headers)


def _media(accept: str | None) -> str:
    media = choose_media(accept, MEDIA)
    if media is None:
        raise NotAcceptable(
            Sentence("The methods are available as {media}; accept one of them.", media=", ".join(MEDIA))
        )
    return media


def _page(html: str, headers: dict[str, str]) -> Response:
    return Response(html, media_type=HTML, headers={**headers, **html_page.HEADERS})


def _query(lang: Language | None) -> str:
    """A language that was chosen by hand stays chosen."""
    return f"?lang={lang}" if lang else ""


def _headers(language: Language) -> dict[str, str]:
    return {"Content-Language": language, "Vary": "Accept, Accept-Language"}
