"""Every error of the client, in one tree. Those below `ServiceError` mirror the service's own.

AttributionError
  InputError                        a ValueError: this cannot be sent
  Unreachable                       no service answers at the address
  BadAnswer                         an answer is not what the service describes: cut off, of another type, redirected
  WaitedTooLong                     a TimeoutError: the job has not ended in time, and goes on
  ServiceError                      500  internal_error           the problem document of the service
    RequestError                    400  bad_request
      InvalidRequest                422  invalid_request          `errors` names the fields
      MalformedBody                 400  malformed_body
      BodyTooLarge                  413  body_too_large
      UnsupportedMedia              415  unsupported_media_type
      NotAcceptable                 406  not_acceptable
      Unauthorized                  401  unauthorized             set ATTRIBUTION_KEY, or `key=`
      ScopeMissing                  403  scope_missing
      AdminDisabled                 403  admin_disabled
      ModelNotFound                 404  model_not_found
      ModelUnloaded                 409  model_unloaded
      JobNotFound                   404  job_not_found
      ComparisonNotFound            404  comparison_not_found
      MonitorNotFound               404  monitor_not_found
      TooManyMonitors               409  too_many_monitors
      ResultNotReady                409  result_not_ready
      JobHasNoResult                409  job_has_no_result
      MetricNotFound                404  metric_not_found
      PathNotFound                  404  path_not_found
      IdempotencyConflict           422  idempotency_conflict
    Overloaded                      429  queue_full               `retry_after_s`
      KeyLimitReached               429  key_limit_reached
    Unavailable                     503  unavailable
      StoreUnavailable              503  store_unavailable
      StoreFull                     503  store_full
      ModelUnavailable              503  model_unavailable
    StillRunning                    504  still_running
    JobError                             job_failed               ended without a result; `job` is its id
      JobFailed                          job_failed
      InputRejected                      input_rejected
      OutOfMemory                        out_of_memory
      NonFinite                          non_finite
      WorkerLost                         worker_lost
      Unreadable                         unreadable
      JobStalled                         stalled
      UnloadedMeanwhile                  model_unloaded
      ModelChanged                       model_changed
      JobCancelled                       cancelled
"""

from __future__ import annotations

from typing import ClassVar

from attribution_client.wire.answers import FieldError, JobFailure, Problem


class AttributionError(Exception):
    """Base of all errors of the client."""


class InputError(AttributionError, ValueError):
    """An input or an argument that no request can carry. The message says why."""


class Unreachable(AttributionError):
    """No service answers at the address."""


class BadAnswer(AttributionError):
    """An answer that is not what the service's description promises."""


class WaitedTooLong(AttributionError, TimeoutError):
    """The job has not ended within the time given. It goes on; `job` is its id."""

    def __init__(self, message: str, job: str) -> None:
        super().__init__(message)
        self.job = job


class ServiceError(AttributionError):
    """The service's problem document as an exception.

    Attributes:
        code: stable and machine-readable.
        status: of the HTTP answer.
        title, detail: for people, in the language that the client asks for.
        told: the detail, and a line for each refused field that it does not name.
        errors: the refused fields, each with its place in the request and the reason.
        retry_after_s: seconds after which the same request may succeed; None where the service does not say.
    """

    code: ClassVar[str] = "internal_error"

    def __init__(self, problem: Problem, retry_after_s: float | None = None) -> None:
        self.told = _told(problem)
        super().__init__(f"{problem.title}: {self.told}" if self.told else problem.title)
        self.status = problem.status
        self.title = problem.title
        self.detail = problem.detail
        self.errors: list[FieldError] = problem.errors or []
        self.retry_after_s = retry_after_s


class RequestError(ServiceError):
    code = "bad_request"


class InvalidRequest(RequestError):
    """A field is missing, unknown or out of range; `errors` and the message name it."""

    code = "invalid_request"


class MalformedBody(RequestError):
    code = "malformed_body"


class BodyTooLarge(RequestError):
    code = "body_too_large"


class UnsupportedMedia(RequestError):
    code = "unsupported_media_type"


class NotAcceptable(RequestError):
    code = "not_acceptable"


class Unauthorized(RequestError):
    code = "unauthorized"


class ScopeMissing(RequestError):
    code = "scope_missing"


class AdminDisabled(RequestError):
    code = "admin_disabled"


class ModelNotFound(RequestError):
    code = "model_not_found"


class ModelUnloaded(RequestError):
    code = "model_unloaded"


class JobNotFound(RequestError):
    code = "job_not_found"


class ComparisonNotFound(RequestError):
    code = "comparison_not_found"


class MonitorNotFound(RequestError):
    code = "monitor_not_found"


class TooManyMonitors(RequestError):
    code = "too_many_monitors"


class ResultNotReady(RequestError):
    code = "result_not_ready"


class JobHasNoResult(RequestError):
    code = "job_has_no_result"


class MetricNotFound(RequestError):
    code = "metric_not_found"


class PathNotFound(RequestError):
    code = "path_not_found"


class IdempotencyConflict(RequestError):
    code = "idempotency_conflict"


class Overloaded(ServiceError):
    code = "queue_full"


class KeyLimitReached(Overloaded):
    code = "key_limit_reached"


class Unavailable(ServiceError):
    code = "unavailable"


class StoreUnavailable(Unavailable):
    code = "store_unavailable"


class StoreFull(Unavailable):
    code = "store_full"


class ModelUnavailable(Unavailable):
    code = "model_unavailable"


class StillRunning(ServiceError):
    code = "still_running"


class JobError(ServiceError):
    """A job that ended without a result. `job` is its id, `code` says why."""

    code = "job_failed"
    job: str | None = None


class JobFailed(JobError):
    pass


class InputRejected(JobError):
    code = "input_rejected"


class OutOfMemory(JobError):
    code = "out_of_memory"


class NonFinite(JobError):
    code = "non_finite"


class WorkerLost(JobError):
    code = "worker_lost"


class Unreadable(JobError):
    code = "unreadable"


class JobStalled(JobError):
    code = "stalled"


class UnloadedMeanwhile(JobError):
    code = "model_unloaded"


class ModelChanged(JobError):
    """Sent again, the request is checked against the present model."""

    code = "model_changed"


class JobCancelled(JobError):
    code = "cancelled"


def service_error(problem: Problem, retry_after_s: float | None = None) -> ServiceError:
    """The error of a problem document; of one with an unknown code, the base class that its status suggests."""
    code = problem.type.rsplit(":", 1)[-1].replace("-", "_")
    known = {one.code: one for one in _subclasses(ServiceError) if not issubclass(one, JobError)}
    by_status: dict[int, type[ServiceError]] = {429: Overloaded, 503: Unavailable}
    fallback = RequestError if 400 <= problem.status < 500 else ServiceError
    return known.get(code, by_status.get(problem.status, fallback))(problem, retry_after_s)


def job_error(failure: JobFailure, job: str) -> JobError:
    """The error of a job that ended without a result."""
    known: dict[str, type[JobError]] = {one.code: one for one in JobError.__subclasses__()}
    error = known.get(failure.code, JobFailed)(
        Problem(type=failure.code, title=failure.title, status=500, detail=failure.detail)
    )
    error.job = job
    return error


def _subclasses(kind: type[ServiceError]) -> list[type[ServiceError]]:
    """The class and all below it, those that others derive from first."""
    found = [kind]
    for one in found:
        found += one.__subclasses__()
    return found


def _told(problem: Problem) -> str:
    fields = [f"{'.'.join(map(str, one.loc))}: {one.msg}" for one in problem.errors or []]
    return "\n  ".join([problem.detail, *(line for line in fields if line.partition(": ")[2] not in problem.detail)])
