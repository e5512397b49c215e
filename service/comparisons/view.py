"""A stored comparison and its jobs as the `Comparison` document that clients see. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from broker import ComparisonRecord, JobRecord
from schemas.comparisons import Agreement, Cell, CellLinks, CellRecord, Comparison, ComparisonLinks
from schemas.errors import JobNotFound
from schemas.jobs import TERMINAL, JobFailure, JobStatus, Progress
from schemas.timestamps import rfc3339
from service.http.asked_language import asked_language
from service.http.translation import failure_in_language
from service.job_view import job_path, job_view, requested_targets

EXPIRED = JobFailure.of(JobNotFound("the job is no longer kept"))


def comparison_path(comparison_id: str, root_path: str = "") -> str:
    """The path of `GET /comparisons/{id}`."""
    return f"{root_path}/comparisons/{comparison_id}"


def comparison_view(
    record: ComparisonRecord,
    jobs: Mapping[str, JobRecord],
    agreement: Sequence[Agreement] | None,
    root_path: str = "",
) -> Comparison:
    """The `Comparison` document, with links under `root_path`.

    Args:
        jobs: those that are kept, by their ids.
    """
    own = comparison_path(record.id, root_path)
    return Comparison(
        id=record.id,
        status=status_of(list(jobs.values())),
        progress=Progress.of(sum(job.done for job in jobs.values()), sum(job.total for job in jobs.values())),
        created_at=rfc3339(record.created_ms),
        cells=[_cell(cell, jobs.get(cell.job or ""), root_path) for cell in record.cells],
        agreement=None if agreement is None else list(agreement),
        links=ComparisonLinks(self=own, sheet=f"{own}/sheet.png"),
    )


def status_of(jobs: Sequence[JobRecord]) -> JobStatus:
    """One status for all jobs: queued until the first one starts, running until the last one ends."""
    seen = {job.status for job in jobs}
    if not seen <= TERMINAL:
        return "queued" if seen == {"queued"} else "running"
    if "succeeded" in seen:
        return "succeeded"
    return "cancelled" if seen == {"cancelled"} else "failed"


def has_ended(jobs: Mapping[str, JobRecord]) -> bool:
    return all(job.status in TERMINAL for job in jobs.values())


def _cell(cell: CellRecord, job: JobRecord | None, root_path: str) -> Cell:
    if cell.job is None:
        return Cell(
            **_fields(cell),
            target=None,
            job=None,
            status="refused",
            error=failure_in_language(cell.error, asked_language()),
        )
    own = job_path(cell.job, root_path)
    links = CellLinks(job=own, result=f"{own}/result", overlay=f"{own}/overlay.png")
    if job is None:
        target = requested_targets(cell.target)
        error = failure_in_language(EXPIRED, asked_language())
        return Cell(**_fields(cell), target=target, job=cell.job, status="expired", error=error, links=links)
    shown = job_view(job, root_path)
    return Cell(**_fields(cell), target=shown.target, job=cell.job, status=job.status, error=shown.error, links=links)


def _fields(cell: CellRecord) -> dict[str, Any]:
    return {"model": cell.model, "version": cell.version, "method": cell.method}
