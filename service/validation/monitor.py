"""Checks the request of a monitor against the model's card, and the jobs that it names as its reference."""

from collections.abc import Mapping

import orjson

from broker import JobRecord
from schemas.errors import InvalidRequest, JobNotFound
from schemas.limits import MAX_WATCHED_FEATURES
from schemas.methods import METHODS, AnyMethod, stored_fields
from schemas.monitors import MonitorDefinition, MonitorRequest
from schemas.sentences import Sentence
from service.validation.method import MIN_PERMUTED, check_method, check_supported
from service.validation.model import ReadyModel


def check_monitor(request: MonitorRequest, model: ReadyModel, owner: str, *, watches_all: bool) -> MonitorDefinition:
    """The monitor as the job store keeps it, with the card's defaults filled in.

    Raises:
        InvalidRequest: the model does not support the method, a parameter does not fit it or is a tensor, or its table
            has too many columns.
    """
    if isinstance(request.method, str):
        name, parameters = request.method, None
        check_supported(name, model)
    else:
        name, parameters = request.method.name, _parameters(request.method, model)
    first = int(request.reference.removeprefix("first:")) if isinstance(request.reference, str) else None
    jobs = None if isinstance(request.reference, str) else list(dict.fromkeys(request.reference.jobs))
    return MonitorDefinition(
        owner=owner,
        watches_all=watches_all,
        model=request.model,
        version=request.version,
        method=name,
        parameters=parameters,
        columns=_columns(name, model),
        first=first,
        jobs=jobs,
        window=request.window,
    )


def check_reference_jobs(definition: MonitorDefinition, found: Mapping[str, JobRecord]) -> None:
    """Whether the jobs of the reference can be one.

    Raises:
        JobNotFound: there is no such job, or it is another's.
        InvalidRequest: a job has not succeeded, or is of another model or method.
    """
    for index, job_id in enumerate(definition.jobs or ()):
        record = found.get(job_id)
        if record is None or not (definition.watches_all or record.spec.owner == definition.owner):
            raise JobNotFound(Sentence("no job {job_id}", job_id=job_id))
        if record.status != "succeeded":
            reason: str = Sentence("the job is {status}", status=record.status)
        elif not definition.watches(record.spec):
            reason = Sentence("the job is of another model, or of another method or parameters than the monitor's")
        else:
            continue
        raise InvalidRequest.at(["reference", "jobs", index], reason)


def _parameters(method: AnyMethod, model: ReadyModel) -> dict[str, object]:
    """All parameters, as a job with this method has them."""
    complete, arrays = check_method(method, model, MIN_PERMUTED if method.permutes else 1)
    if arrays:
        raise InvalidRequest.at(
            ["method"], "a monitor's method takes no tensors; give its name, and every job by it is watched"
        )
    fields: dict[str, object] = orjson.loads(orjson.dumps(stored_fields(complete)))  # as they are in the job store
    return fields


def _columns(method: str, model: ReadyModel) -> list[str] | None:
    """Names of the columns that the method explains; None where it explains something else."""
    features = model.input.features
    if model.input.kind != "tabular" or features is None or METHODS[method].kind == "layer":
        return None
    if len(features) > MAX_WATCHED_FEATURES:
        reason = Sentence(
            "its table has {count} columns; a monitor tells apart at most {most}",
            count=len(features),
            most=MAX_WATCHED_FEATURES,
        )
        raise InvalidRequest.at(["model"], reason)
    return [one.name for one in features]
