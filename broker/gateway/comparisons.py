"""Comparisons: which jobs belong together, kept as long as the last of them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from pydantic import TypeAdapter, ValidationError
from redis.exceptions import ResponseError

from broker.gateway.async_connection import AsyncConnection
from broker.gateway.job_id import JOB_ID
from broker.job_hash import job_from_reply
from broker.keys import new_job_id
from broker.records import BegunComparison, ComparisonRecord, Idempotency, JobRecord
from schemas.comparisons import Agreement, CellRecord
from schemas.errors import ComparisonNotFound, IdempotencyConflict
from schemas.sentences import Sentence

CELLS: TypeAdapter[list[CellRecord]] = TypeAdapter(list[CellRecord])
AGREEMENT: TypeAdapter[list[Agreement]] = TypeAdapter(list[Agreement])


class StoredComparisons:
    """The comparisons of a store. A job joins one by `NewJob.comparison`."""

    def __init__(self, connection: AsyncConnection, id_ending: str = "") -> None:
        self._connection = connection
        self._keys = connection.keys
        self._id_ending = id_ending

    async def begin(self, owner: str, idempotency: Idempotency | None) -> BegunComparison:
        """A new comparison of this owner without cells, or the earlier one with this idempotency key.

        Raises:
            IdempotencyConflict: the key was used with another fingerprint.
        """
        new_id = new_job_id() + self._id_ending
        keys = [
            self._keys.comparison(new_id),
            self._keys.idempotency(_own_name(idempotency.key), owner) if idempotency else "",
        ]
        fingerprint = idempotency.fingerprint if idempotency else ""
        outcome, found, is_complete = await self._connection.run("begin_comparison", keys, new_id, owner, fingerprint)
        if outcome == b"conflict":
            raise IdempotencyConflict("this Idempotency-Key was used with another request")
        return BegunComparison(found.decode(), bool(is_complete))

    async def complete(self, comparison_id: str, cells: Sequence[CellRecord]) -> None:
        """Writes the cells. Does nothing where the comparison has expired."""
        await self._write(comparison_id, "cells", CELLS.dump_json(list(cells)))

    async def keep_agreement(self, comparison_id: str, agreement: Sequence[Agreement]) -> None:
        """Writes the agreement of the cells, so that it is computed once. Does nothing where it has expired."""
        await self._write(comparison_id, "agreement", AGREEMENT.dump_json(list(agreement)))

    async def drop(self, comparison_id: str) -> None:
        """Removes a comparison without jobs."""
        async with self._connection.guard():
            await self._connection.client.delete(self._keys.comparison(comparison_id))

    async def get(self, comparison_id: str, owner: str = "") -> ComparisonRecord:
        """The comparison.

        Args:
            owner: whose it must be; empty on a service without keys, where it may be anybody's.

        Raises:
            ComparisonNotFound: there is none, it has expired with its jobs, or it is another's.
        """
        key = self._keys.comparison(_checked(comparison_id))
        async with self._connection.guard(), _missing_if_damaged(comparison_id):
            found: Any = await self._connection.client.hmget(key, ["owner", "created_ms", "cells", "agreement"])
        stored_owner, created_ms, cells, agreement = found
        if cells is None or (owner and stored_owner != owner.encode()):
            raise _missing(comparison_id)
        try:
            return ComparisonRecord(
                comparison_id,
                int(created_ms),
                CELLS.validate_json(cells),
                None if agreement is None else AGREEMENT.validate_json(agreement),
            )
        except (ValidationError, ValueError, TypeError):
            raise _missing(comparison_id) from None

    async def jobs(self, job_ids: Sequence[str]) -> dict[str, JobRecord]:
        """The jobs with these ids that are kept, in one round trip."""
        async with self._connection.guard(), self._connection.client.pipeline(transaction=False) as pipeline:
            for job_id in job_ids:
                pipeline.hgetall(self._keys.job(job_id))
            replies: list[Any] = await pipeline.execute(raise_on_error=False)
        found = {}
        for job_id, fields in zip(job_ids, replies, strict=True):
            if isinstance(fields, ResponseError) and "WRONGTYPE" in str(fields):
                continue  # damaged, which is as good as absent
            if isinstance(fields, Exception):
                raise fields
            if fields:
                found[job_id] = job_from_reply(job_id, [part for pair in fields.items() for part in pair]).record
        return found

    async def _write(self, comparison_id: str, name: str, document: bytes) -> None:
        await self._connection.run("write_comparison", [self._keys.comparison(comparison_id)], name, document)


def cell_idempotency(idempotency: Idempotency | None, cell: int) -> Idempotency | None:
    """The idempotency of one job of a comparison, so that a repeat queues no job twice."""
    return idempotency and idempotency._replace(key=f"\ncell {cell}\n{idempotency.key}")


def _own_name(key: str) -> str:
    """A client's key under a name that no key of a job has: clients send no line breaks."""
    return f"\ncomparison\n{key}"


def _checked(comparison_id: str) -> str:
    if not JOB_ID.fullmatch(comparison_id):
        raise ComparisonNotFound("no such comparison")
    return comparison_id


def _missing(comparison_id: str) -> ComparisonNotFound:
    return ComparisonNotFound(Sentence("no comparison {comparison_id}", comparison_id=comparison_id))


@asynccontextmanager
async def _missing_if_damaged(comparison_id: str) -> AsyncIterator[None]:
    try:
        yield
    except ResponseError as error:
        if "WRONGTYPE" not in str(error):
            raise
        raise _missing(comparison_id) from error
