"""`/` and `/static`: the page to try, compare and learn, which uses the public API alone."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Response
from starlette.exceptions import HTTPException

from schemas.errors import NotAcceptable
from schemas.sentences import Sentence
from service.gateway_documents import Alive
from service.http.negotiation import accepts_encoding, choose_media
from service.http.responses import json_response
from service.openapi import response_objects as openapi
from service.results.caching import matches
from service.web.files import PageFile, index, page_version, served_files

router = APIRouter(tags=["page"])
JSON, HTML = MEDIA = ("application/json", "text/html")

# Only files and the API of this service: no inline script or style, no request elsewhere, no frame, no form.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "font-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {"X-Content-Type-Options": "nosniff"}
DOCUMENT_HEADERS = {  # of what a browser may show by itself; they do nothing for scripts and styles
    **HEADERS,
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
DOCUMENTS = frozenset({"text/html; charset=utf-8", "image/svg+xml"})
REVALIDATED = "no-cache"  # kept, and asked about each time
FOR_GOOD = "public, max-age=31536000, immutable"

ALIVE = openapi.json_response_object("Alive", "The page, or the document.")
ALIVE["content"][HTML] = {"schema": {"type": "string"}}
Accept = Annotated[str | None, Header(description=f"{' or '.join(MEDIA)}. Default: {JSON}.")]
AcceptEncoding = Annotated[str | None, Header(description="`gzip` or none.")]
IfNoneMatch = Annotated[str | None, Header(description="The `ETag` of a representation that the client holds.")]


@router.get(
    "/",
    summary="The page, or a sign of life",
    description='The page to browsers, which accept HTML; `{"status": "alive"}` to clients that want JSON.',
    responses={
        200: ALIVE,
        304: {"description": "The client holds the current page."},
        **openapi.problems(NotAcceptable),
    },
)
async def get_page(
    accept: Accept = None, accept_encoding: AcceptEncoding = None, if_none_match: IfNoneMatch = None
) -> Response:
    media = choose_media(accept, MEDIA)
    if media is None:
        raise NotAcceptable(Sentence("The page is available as {media}; accept one of them.", media=", ".join(MEDIA)))
    if media == JSON:
        return json_response(Alive(), headers={"Vary": "Accept, Accept-Encoding"})
    return _sent(index(), REVALIDATED, accept_encoding, if_none_match, vary="Accept, Accept-Encoding")


@router.head("/", include_in_schema=False)
async def head_page(accept: Accept = None, accept_encoding: AcceptEncoding = None) -> Response:
    return await get_page(accept, accept_encoding)


@router.api_route("/static/{version}/{path:path}", methods=["GET", "HEAD"], include_in_schema=False)
async def get_file(
    version: Annotated[str, Path(max_length=64)],
    path: Annotated[str, Path(max_length=200)],
    accept_encoding: AcceptEncoding = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """A file of the page. One asked for by another version's URL, such as that of a page opened before an upgrade, is
    sent as it is now, and not to be kept."""
    file = served_files().get(path)
    if file is None:
        raise HTTPException(404)
    caching = FOR_GOOD if version == page_version() else REVALIDATED
    return _sent(file, caching, accept_encoding, if_none_match, vary="Accept-Encoding")


def _sent(file: PageFile, caching: str, accept_encoding: str | None, if_none_match: str | None, vary: str) -> Response:
    """The file, compressed if the client accepts that; 304 if it holds this representation."""
    compressed = file.compressed if accepts_encoding(accept_encoding, "gzip") else None
    tag = f'"{file.tag}"' if compressed is None else f'"{file.tag}-gzip"'
    own = DOCUMENT_HEADERS if file.media in DOCUMENTS else HEADERS
    headers = {**own, "Cache-Control": caching, "ETag": tag, "Vary": vary}
    if matches(tag, if_none_match):
        return Response(status_code=304, headers=headers)
    if compressed is not None:
        headers["Content-Encoding"] = "gzip"
    return Response(file.body if compressed is None else compressed, media_type=file.media, headers=headers)
