"""JSON responses."""

from fastapi import Request, Response
from pydantic import BaseModel


def json_response(body: BaseModel, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A pydantic model as a JSON response."""
    return Response(body.model_dump_json(), status_code=status, media_type="application/json", headers=headers)


def root_path(request: Request) -> str:
    """The path prefix under which a proxy serves the gateway; empty without one."""
    prefix: str = request.scope.get("root_path", "")
    return prefix
