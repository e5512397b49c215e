"""The parameters of a drawing on routes that have other query parameters too."""

from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from service.results.draw_overlay import OverlayQuery


def read_drawing(request: Request, *others: str) -> OverlayQuery:
    """The options of a drawing among the query parameters.

    Args:
        others: the route's own query parameters.

    Raises:
        RequestValidationError: a parameter is unknown or not valid; named as FastAPI names them.
    """
    given = {name: value for name, value in request.query_params.items() if name not in others}
    try:
        return OverlayQuery.model_validate(given)
    except ValidationError as error:
        raise RequestValidationError([{**one, "loc": ("query", *one["loc"])} for one in error.errors()]) from None


def drawing_parameters() -> list[dict[str, Any]]:
    """The parameters as OpenAPI documents them."""
    properties = OverlayQuery.model_json_schema()["properties"]
    return [
        {"name": name, "in": "query", "required": False, "description": schema.pop("description", ""), "schema": schema}
        for name, schema in properties.items()
    ]
