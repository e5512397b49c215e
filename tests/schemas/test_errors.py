"""The tree of errors: its documentation is complete and true."""

import re

import pytest

from schemas import errors
from schemas.errors import FieldError, InvalidRequest, JobError, ServiceError


def all_errors(root: type[ServiceError] = ServiceError) -> list[type[ServiceError]]:
    return [root, *(error for child in root.__subclasses__() for error in all_errors(child))]


def documented() -> dict[str, tuple[int, str | None, str]]:
    """Class name -> (depth, status, code), as the module's docstring lists them."""
    line = re.compile(r"^( +)([A-Z]\w+) +(?:(\d{3}) +)?([a-z_]+)?", re.MULTILINE)
    return {name: (len(indent) // 2 - 2, status, code) for indent, name, status, code in line.findall(errors.__doc__)}


@pytest.mark.parametrize("error", all_errors(), ids=lambda error: error.__name__)
def test_the_docstring_lists_every_error(error: type[ServiceError]) -> None:
    depth, status, code = documented()[error.__name__]
    assert depth == len(error.__mro__) - len(ServiceError.__mro__)
    if error is JobError:
        return  # its line describes the branch
    assert code == error.code
    if not issubclass(error, JobError):
        assert status == str(error.status)


def test_the_docstring_lists_no_other_class() -> None:
    assert set(documented()) == {error.__name__ for error in all_errors()}


def test_the_problem_document() -> None:
    problem = InvalidRequest.at(["method", "n_steps"], "too large").problem()
    assert problem.type == "urn:attribution-service:problem:invalid-request"
    assert (problem.status, problem.title) == (422, "The request is not valid")
    assert problem.detail == "method.n_steps: too large"
    assert problem.errors == [FieldError(loc=["method", "n_steps"], msg="too large")]
