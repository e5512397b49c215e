"""Monitors of attribution drift: which there are, and what workers have found."""

import re
from typing import Any

import structlog
from redis.exceptions import ResponseError

from broker.gateway.async_connection import AsyncConnection
from broker.keys import new_job_id
from broker.monitor_hash import FIELDS, MonitorRecord, monitor_id, monitor_label, read_figures, read_monitor
from schemas.errors import MonitorNotFound, TooManyMonitors
from schemas.monitors import MONITOR_NAME, MonitorDefinition, Statistic
from schemas.sentences import Sentence

log = structlog.get_logger(__name__)
NAME = re.compile(MONITOR_NAME)


class StoredMonitors:
    """The monitors of a store. Each belongs to an owner, whose names are its own."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._keys = connection.keys

    async def put(self, name: str, definition: MonitorDefinition) -> bool:
        """Creates a monitor for the definition's owner. Keeps one with an equal definition, and replaces any other.

        Returns whether it was made.

        Raises:
            TooManyMonitors: the service, or the owner, has as many as it may have.
        """
        arguments = [monitor_id(definition.owner, name), definition.owner, new_job_id(), definition.model_dump_json()]
        outcome, found = await self._connection.run("put_monitor", [self._keys.monitors], *arguments)
        if outcome == b"full":
            raise TooManyMonitors(Sentence("at most {most} monitors are kept; delete one", most=int(found)))
        return bool(outcome == b"created")

    async def get(self, name: str, owner: str) -> MonitorRecord:
        """The monitor.

        Raises:
            MonitorNotFound: there is none of this owner, it has expired, or it cannot be read.
        """
        generation = await self._generation(name, owner)
        found = None if generation is None else (await self._read({name: generation}))[0]
        if found is None:
            raise MonitorNotFound(Sentence("no monitor {name}", name=name))
        return found

    async def all(self, owner: str) -> list[MonitorRecord]:
        """The monitors of an owner that can be read, by name."""
        own: dict[str, str] = {}
        for stored_id, generation in (await self._index()).items():
            of, _, name = stored_id.partition("/")
            if of == owner:
                own[name] = generation
        return [one for one in await self._read(dict(sorted(own.items()))) if one is not None]

    async def delete(self, name: str, owner: str) -> None:
        """Removes a monitor with all that it holds. Raises `MonitorNotFound`."""
        keys = [self._keys.monitors]
        if not NAME.fullmatch(name) or not await self._connection.run("drop_monitor", keys, monitor_id(owner, name)):
            raise MonitorNotFound(Sentence("no monitor {name}", name=name))

    async def figures(self) -> dict[str, dict[Statistic, float]]:
        """What /metrics shows of all monitors whose first window is full, by their names among all keys'."""
        index = await self._index()
        async with self._connection.guard(), self._connection.client.pipeline(transaction=False) as pipeline:
            for generation in index.values():
                pipeline.hget(self._keys.monitor(generation), "figures")
            replies: list[Any] = await pipeline.execute(raise_on_error=False) if index else []
        found = {}
        for stored_id, reply in zip(index, replies, strict=True):
            if isinstance(reply, Exception) and not _is_damage(reply):
                raise reply
            figures = {} if isinstance(reply, Exception) else read_figures(reply)
            if figures:
                found[monitor_label(stored_id)] = figures
        return found

    async def _generation(self, name: str, owner: str) -> str | None:
        if not NAME.fullmatch(name):
            return None
        async with self._connection.guard():
            found: Any = await self._connection.client.hget(self._keys.monitors, monitor_id(owner, name))
        return None if found is None else found.decode(errors="replace")

    async def _index(self) -> dict[str, str]:
        """Generations by id, without entries that are damaged."""
        async with self._connection.guard():
            found: Any = await self._connection.client.hgetall(self._keys.monitors)
        index = {name.decode(errors="replace"): value.decode(errors="replace") for name, value in found.items()}
        return {name: value for name, value in index.items() if NAME.fullmatch(name.partition("/")[2])}

    async def _read(self, generations: dict[str, str]) -> list[MonitorRecord | None]:
        """The monitors of these names and generations, in one round trip."""
        async with self._connection.guard(), self._connection.client.pipeline(transaction=False) as pipeline:
            for generation in generations.values():
                pipeline.hmget(self._keys.monitor(generation), FIELDS)
                pipeline.llen(self._keys.monitor_raw(generation))
            replies: list[Any] = await pipeline.execute(raise_on_error=False) if generations else []
        records: list[MonitorRecord | None] = []
        for name, values, collected in zip(generations, replies[::2], replies[1::2], strict=True):
            for reply in (values, collected):
                if isinstance(reply, Exception) and not _is_damage(reply):
                    raise reply
            if isinstance(values, Exception) or isinstance(collected, Exception):
                records.append(None)
            else:
                records.append(read_monitor(name, values, collected))
            if records[-1] is None:
                log.warning("monitor_unreadable", monitor=name)
        return records


def _is_damage(error: Exception) -> bool:
    return isinstance(error, ResponseError) and "WRONGTYPE" in str(error)
