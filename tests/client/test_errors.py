"""The client's errors mirror the service's: the same names, codes and parents."""

import inspect
import re
from typing import Any

import pytest

from attribution_client import errors
from attribution_client.errors import InvalidRequest, job_error, service_error
from attribution_client.wire.answers import FieldError, JobFailure, Problem
from schemas import errors as served

SAME_CODE = {served.PicturesDiffer}  # which a client meets as `InvalidRequest`


def below(kind: type[Any]) -> list[type[Any]]:
    return [kind, *(one for sub in kind.__subclasses__() for one in below(sub))]


SERVED = [kind for kind in below(served.ServiceError) if kind.__module__ == served.__name__ and kind not in SAME_CODE]


@pytest.mark.parametrize("kind", SERVED, ids=lambda kind: kind.__name__)
def test_each_error_of_the_service_has_one_of_the_client(kind: type[served.ServiceError]) -> None:
    mirrored = getattr(errors, kind.__name__)
    assert mirrored.code == kind.code
    parents = [base.__name__ for base in kind.__mro__ if issubclass(base, served.ServiceError)]
    assert [base.__name__ for base in mirrored.__mro__ if issubclass(base, errors.ServiceError)] == parents


def test_the_client_has_no_others() -> None:
    assert {one.__name__ for one in below(errors.ServiceError)} == {one.__name__ for one in SERVED}


def test_the_tree_at_the_top_names_each() -> None:
    tree = inspect.getdoc(errors) or ""
    for one in below(errors.AttributionError):
        assert re.search(rf"^ *{one.__name__}\b", tree, re.MULTILINE), one
    for kind in SERVED:
        assert re.search(rf"^ *{kind.__name__} .*\b{kind.code}\b", tree, re.MULTILINE), kind


@pytest.mark.parametrize(
    "kind", [one for one in SERVED if not issubclass(one, served.JobError)], ids=lambda kind: kind.__name__
)
def test_a_problem_becomes_its_error(kind: type[served.ServiceError]) -> None:
    sent = kind("what is wrong").problem()
    error = service_error(Problem(sent.type, sent.title, sent.status, sent.detail), 3.0)
    assert type(error).__name__ == kind.__name__
    assert (error.status, error.detail, error.retry_after_s) == (kind.status, "what is wrong", 3.0)


@pytest.mark.parametrize("kind", below(served.JobError), ids=lambda kind: kind.__name__)
def test_a_failure_of_a_job_becomes_its_error(kind: type[served.JobError]) -> None:
    error = job_error(JobFailure(kind.code, kind.title, "why"), "j1")
    expected = "JobFailed" if kind is served.JobError else kind.__name__
    assert type(error).__name__ == expected
    assert error.job == "j1"
    assert str(error) == f"{kind.title}: why"


def test_the_message_names_each_field_once() -> None:
    fields = [FieldError(["method", "n_steps"], "must be 2 or more"), FieldError(["input", "text", 0], "too long")]
    many = Problem("urn:attribution-service:problem:invalid-request", "Not valid", 422, "2 fields are refused", fields)
    assert str(service_error(many)) == (
        "Not valid: 2 fields are refused\n  method.n_steps: must be 2 or more\n  input.text.0: too long"
    )
    one = Problem(many.type, "Not valid", 422, "method.n_steps: must be 2 or more", fields[:1])
    error = service_error(one)
    assert str(error) == "Not valid: method.n_steps: must be 2 or more"
    assert isinstance(error, InvalidRequest)
    assert error.errors[0].loc == ["method", "n_steps"]
