"""Parameters and headers that several routes take, and the headers that their responses share."""

from typing import Annotated

from fastapi import Header, Path, Query

from service.openapi.response_objects import ResponseObjects

JobId = Annotated[str, Path(description="As in the response of POST /explain.")]
WaitQuery = Annotated[
    float | None, Query(ge=0, le=86_400, allow_inf_nan=False, description="Seconds to wait for the end of the job.")
]
PictureLanguage = Annotated[str | None, Header(description="Language of the words in a picture: `en` or `es`.")]
IfNoneMatch = Annotated[str | None, Header(description="The `ETag` of a representation that the client holds.")]
BINARY = {"schema": {"type": "string", "format": "binary"}}
CACHE_HEADERS = {
    "ETag": {"description": "The entity tag of this representation.", "schema": {"type": "string"}},
    "Cache-Control": {"description": "Private and immutable.", "schema": {"type": "string"}},
}
NOT_MODIFIED: ResponseObjects = {304: {"description": "The client holds the current representation."}}
