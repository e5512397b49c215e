"""Submits the jobs of a comparison through the admission that every job passes, one after another."""

from collections.abc import Sequence

from broker import Idempotency, cell_idempotency
from schemas.comparisons import CellRecord
from schemas.errors import ModelNotFound, ServiceError, StoreUnavailable
from schemas.methods import echo, stored_method
from schemas.models import ModelCard
from service.comparisons.cells import PlannedCell
from service.comparisons.shared_inputs import SharedInputs
from service.http.authorization import Caller
from service.monitoring.request_trace import traced
from service.monitoring.submitting import submitting
from service.state import Gateway
from service.submission import Submission, new_job, prepare
from service.tuning import COMPARED_CELL_BYTES


class CellSubmitter:
    """Submits cells of one comparison. The input is checked, and its picture decoded, once for each kind of model."""

    def __init__(
        self, gateway: Gateway, caller: Caller, comparison_id: str, idempotency: Idempotency | None, cache_control: str
    ) -> None:
        self._gateway = gateway
        self._caller = caller
        self._comparison_id = comparison_id
        self._idempotency = idempotency
        self._cache_control = cache_control
        self._inputs = SharedInputs(gateway)

    async def submit(self, cells: Sequence[PlannedCell]) -> list[CellRecord]:
        """Submit all cells; a refused one says why. A payload at a time is in memory.

        Raises:
            ServiceError: all cells were refused, by the error of the first one.
            StoreUnavailable: the job store cannot be reached; the jobs that it has got are cancelled.
        """
        records: list[CellRecord] = []
        refusals: list[ServiceError] = []
        try:
            for number, cell in enumerate(cells):
                try:
                    records.append(await self._submit(number, cell))
                except StoreUnavailable:
                    raise
                except ServiceError as error:
                    refusals.append(cell.located(error))
                    records.append(cell.refused(error))
        except StoreUnavailable:
            if self._idempotency is None:  # with a key, a repeat goes on where this one has stopped
                await cancel_jobs(self._gateway, records)
            raise
        if len(refusals) == len(cells):
            raise _strongest(refusals)
        return records

    async def _submit(self, number: int, cell: PlannedCell) -> CellRecord:
        card = await self._card(cell)
        prepared = await self._prepare(cell, card)
        settings, limits = self._gateway.settings, self._caller.limits
        job = new_job(prepared, self._cache_control, cache=settings.cache, limits=limits)
        job = job._replace(
            idempotency=cell_idempotency(self._idempotency, number),
            result_bytes=job.result_bytes + COMPARED_CELL_BYTES,
            comparison=self._comparison_id,
        )
        with submitting(self._gateway.metrics, job) as submission:
            submission.submitted = await self._gateway.store.jobs.submit(submission.job)
        record = submission.submitted.record
        spec = record.spec
        return CellRecord(
            model=spec.model,
            version=spec.version,
            method=echo(stored_method(spec.method)),
            target=spec.target,
            job=record.id,
            row=cell.row,
        )

    async def _card(self, cell: PlannedCell) -> ModelCard:
        return await self._gateway.cards.find(self._gateway.store, cell.request.model, cell.request.version)

    async def _prepare(self, cell: PlannedCell, card: ModelCard) -> Submission:
        with traced("validate"):
            given = await self._inputs.checked(cell.request.input, card)
            return await self._gateway.compute(prepare, cell.request, card, self._caller.owner, given)


async def cancel_jobs(gateway: Gateway, cells: Sequence[CellRecord]) -> None:
    """Cancel the jobs of these cells that have not ended. What has expired meanwhile is left alone."""
    for cell in cells:
        if cell.job is None:
            continue
        try:
            await gateway.store.jobs.cancel(cell.job)
        except ServiceError as error:
            if isinstance(error, StoreUnavailable):
                raise


def _strongest(refusals: Sequence[ServiceError]) -> ServiceError:
    """The refusal to answer with: one that a repeat may pass, such as a full queue, before those that stay."""
    passing = [error for error in refusals if error.retry_after_s is not None]
    fitting = [error for error in refusals if not isinstance(error, ModelNotFound)]
    return (passing or fitting or list(refusals))[0]
