"""Parameters and headers that several routes take, and the headers that their responses share."""

from typing import Annotated

from fastapi import Depends, Header, Path, Query

from schemas.results import Encoding
from service.http.authorization import ExplainCaller
from service.openapi.response_objects import ResponseObjects
from service.state import CurrentGateway


async def _own_job_id(
    gateway: CurrentGateway,
    caller: ExplainCaller,
    job_id: Annotated[str, Path(description="As in the response of POST /explain.")],
) -> str:
    """The id of a job that is the caller's.

    Raises:
        JobNotFound: there is no such job, or it is another's.
        Unauthorized, ScopeMissing: as `service.http.authorization`.
    """
    if caller.owner:
        await gateway.store.jobs.check_owner(job_id, caller.owner)
    return job_id


JobId = Annotated[str, Depends(_own_job_id)]  # every route of one job takes it, so none shows another's job
WaitQuery = Annotated[
    float | None, Query(ge=0, le=86_400, allow_inf_nan=False, description="Seconds to wait for the end of the job.")
]
EncodingQuery = Annotated[
    Encoding,
    Query(
        description="How JSON holds the attributions. `base64`: the elements' bytes, little-endian, which are quicker "
        "to write and to read than numbers and keep every bit."
    ),
]
PictureLanguage = Annotated[str | None, Header(description="Language of the words in a picture: `en` or `es`.")]
IfNoneMatch = Annotated[str | None, Header(description="The `ETag` of a representation that the client holds.")]
BINARY = {"schema": {"type": "string", "format": "binary"}}
CACHE_HEADERS = {
    "ETag": {"description": "The entity tag of this representation.", "schema": {"type": "string"}},
    "Cache-Control": {"description": "Private and immutable.", "schema": {"type": "string"}},
}
NOT_MODIFIED: ResponseObjects = {304: {"description": "The client holds the current representation."}}
