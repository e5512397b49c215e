"""Every error of the service, in one tree.

    ServiceError                        500  internal_error
      RequestError                      400  bad_request
        InvalidRequest                  422  invalid_request          fields named in `errors`
          PicturesDiffer                422  invalid_request          pictures of a list that need requests of their own
        MalformedBody                   400  malformed_body
        BodyTooLarge                    413  body_too_large
        UnsupportedMedia                415  unsupported_media_type
        NotAcceptable                   406  not_acceptable
        Unauthorized                    401  unauthorized             no API key, or an unknown one
        ScopeMissing                    403  scope_missing            the API key does not allow it
        AdminDisabled                   403  admin_disabled           the service has no API keys
        ModelNotFound                   404  model_not_found
        ModelUnloaded                   409  model_unloaded           the operator unloaded it
        JobNotFound                     404  job_not_found
        ComparisonNotFound              404  comparison_not_found
        MonitorNotFound                 404  monitor_not_found
        TooManyMonitors                 409  too_many_monitors        delete one
        ResultNotReady                  409  result_not_ready
        JobHasNoResult                  409  job_has_no_result        failed or cancelled
        MetricNotFound                  404  metric_not_found         the request did not name it
        PathNotFound                    404  path_not_found           the request wants no frames
        IdempotencyConflict             422  idempotency_conflict
      Overloaded                        429  queue_full               Retry-After
        KeyLimitReached                 429  key_limit_reached        of the API key; Retry-After
      Unavailable                       503  unavailable              Retry-After
        StoreUnavailable                503  store_unavailable        Redis cannot be reached
        StoreFull                       503  store_full               Redis is out of memory
        ModelUnavailable                503  model_unavailable        loading, or it failed to load
      StillRunning                      504  still_running            to a client whose protocol knows no jobs
      JobError                          a failure of one job, shown by GET /jobs/{id}
        JobFailed                            job_failed               the model or the method raised
        InputRejected                        input_rejected           the worker could not use the input
        OutOfMemory                          out_of_memory            one row alone does not fit
        NonFinite                            non_finite               the result holds NaN or infinity
        WorkerLost                           worker_lost              it ended three workers
        Unreadable                           unreadable               its stored record cannot be read
        JobStalled                           stalled                  it made no progress, three times
        UnloadedMeanwhile                    model_unloaded           its model was unloaded before it ran
        ModelChanged                         model_changed            its model changed, and it no longer fits
        JobCancelled                         cancelled

`code` is stable and machine-readable, `title` is fixed per class. `detail` is written for the client: it never holds a
traceback, a path of the server or the client's data.
"""

from typing import Annotated, ClassVar

from pydantic import Field, SkipValidation

from schemas.base import Record
from schemas.sentences import Sentence, words


class FieldError(Record):
    """One refused field: its location in the request, and the reason."""

    loc: list[str | int]
    msg: Annotated[str, SkipValidation]  # a `Sentence` stays one


class Problem(Record):
    """An RFC 9457 problem document, `application/problem+json`."""

    type: str
    title: str
    status: int
    detail: Annotated[str, SkipValidation]  # a `Sentence` stays one
    errors: list[FieldError] | None = None
    trace_id: str | None = Field(default=None, description="The trace of the request, where it has one.")


class ServiceError(Exception):
    """Base of all errors that clients may see."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"

    def __init__(
        self,
        detail: str,
        *,
        errors: list[FieldError] | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors
        self.retry_after_s = retry_after_s

    def problem(self) -> Problem:
        """The problem document of this error."""
        return Problem(
            type=problem_type(self.code),
            title=self.title,
            status=self.status,
            detail=self.detail,
            errors=self.errors,
        )


def problem_type(code: str) -> str:
    """The `type` URI of a problem, from its code."""
    return f"urn:attribution-service:problem:{code.replace('_', '-')}"


class RequestError(ServiceError):
    code, status, title = "bad_request", 400, "Bad request"


class InvalidRequest(RequestError):
    """A field is missing, unknown or out of range; `errors` names it."""

    code, status, title = "invalid_request", 422, "The request is not valid"

    @classmethod
    def at(cls, loc: list[str | int], msg: str) -> "InvalidRequest":
        """The error for one refused field."""
        where = ".".join(str(part) for part in loc)
        detail = Sentence("{where}: {reason}", where=where, reason=words(msg))
        return cls(detail, errors=[FieldError(loc=loc, msg=msg)])


class PicturesDiffer(InvalidRequest):
    """Pictures of a list that cannot share a job, and could each have their own."""


class MalformedBody(RequestError):
    code, status, title = "malformed_body", 400, "The body could not be parsed"


class BodyTooLarge(RequestError):
    code, status, title = "body_too_large", 413, "The body is too large"


class UnsupportedMedia(RequestError):
    code, status, title = "unsupported_media_type", 415, "Unsupported media type"


class NotAcceptable(RequestError):
    code, status, title = "not_acceptable", 406, "No acceptable representation"


class ModelNotFound(RequestError):
    code, status, title = "model_not_found", 404, "No such model"


class Unauthorized(RequestError):
    code, status, title = "unauthorized", 401, "An API key is needed"


class ScopeMissing(RequestError):
    code, status, title = "scope_missing", 403, "The API key does not allow this"


class AdminDisabled(RequestError):
    code, status, title = "admin_disabled", 403, "The admin routes are off"


class ModelUnloaded(RequestError):
    code, status, title = "model_unloaded", 409, "The model is unloaded"


class JobNotFound(RequestError):
    code, status, title = "job_not_found", 404, "No such job"


class ComparisonNotFound(RequestError):
    code, status, title = "comparison_not_found", 404, "No such comparison"


class MonitorNotFound(RequestError):
    code, status, title = "monitor_not_found", 404, "No such monitor"


class TooManyMonitors(RequestError):
    code, status, title = "too_many_monitors", 409, "There are too many monitors"


class ResultNotReady(RequestError):
    code, status, title = "result_not_ready", 409, "The job has not finished"


class JobHasNoResult(RequestError):
    code, status, title = "job_has_no_result", 409, "The job did not succeed"


class MetricNotFound(RequestError):
    code, status, title = "metric_not_found", 404, "The result holds no such metric"


class PathNotFound(RequestError):
    code, status, title = "path_not_found", 404, "The result holds no path"


class IdempotencyConflict(RequestError):
    code, status, title = "idempotency_conflict", 422, "Idempotency-Key reused with another request"


class Overloaded(ServiceError):
    code, status, title = "queue_full", 429, "The queue is full"


class KeyLimitReached(Overloaded):
    code, title = "key_limit_reached", "A limit of the API key is reached"


class Unavailable(ServiceError):
    code, status, title = "unavailable", 503, "Temporarily unavailable"


class StoreUnavailable(Unavailable):
    code, title = "store_unavailable", "The job store is unavailable"


class StoreFull(Unavailable):
    code, title = "store_full", "The job store is out of memory"


class ModelUnavailable(Unavailable):
    code, title = "model_unavailable", "The model is not available"


class StillRunning(ServiceError):
    """The job has not ended within the wait of a protocol that knows no jobs. `location` is the job's path."""

    code, status, title = "still_running", 504, "The job is still running"
    location: str | None = None

    @classmethod
    def at(cls, location: str, detail: str) -> "StillRunning":
        """The error for the job at this path."""
        error = cls(detail)
        error.location = location
        return error


class JobError(ServiceError):
    """A failure of one job. The job's record carries code, title and detail; `status` is never sent."""

    code, title = "job_failed", "The job failed"


class JobFailed(JobError):
    pass


class InputRejected(JobError):
    code, title = "input_rejected", "The input could not be used"


class OutOfMemory(JobError):
    code, title = "out_of_memory", "Out of device memory"


class NonFinite(JobError):
    code, title = "non_finite", "The result is not finite"


class WorkerLost(JobError):
    code, title = "worker_lost", "The worker died repeatedly"


class Unreadable(JobError):
    """The stored record is damaged, or of a version of the service that this one cannot read."""

    code, title = "unreadable", "The stored job cannot be read"


class JobStalled(JobError):
    code, title = "stalled", "The job made no progress"


class UnloadedMeanwhile(JobError):
    code, title = "model_unloaded", "The model is unloaded"


class ModelChanged(JobError):
    """The request was checked against an earlier card of the model; sent again, it is checked anew."""

    code, title = "model_changed", "The model has changed"


class JobCancelled(JobError):
    code, title = "cancelled", "The job was cancelled"
