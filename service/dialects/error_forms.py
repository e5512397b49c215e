"""What the error documents of several protocols have in common."""

from typing import Any

from schemas.errors import InvalidRequest, Problem


def status_of(problem: Problem) -> int:
    """The HTTP status of an error in a dialect: these protocols say 400 where `/explain` says 422."""
    return 400 if problem.status == InvalidRequest.status else problem.status


def plain_form(problem: Problem) -> tuple[int, dict[str, Any]]:
    """An error as KServe's v1 and the Open Inference Protocol send it."""
    return status_of(problem), {"error": problem.detail}
