"""Sends requests over several connections, and judges every response."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.fuzz import grammar, mutations
from tests.fuzz.http_request import HttpRequest
from tests.fuzz.wire import Answer, Connection, Hang, NoAnswer

BOUND_S = 60.0  # a response that takes longer is a hang
KEPT_JOBS = 64  # whose ids later requests look at
SHOWN_BYTES = 3_000  # of a request in a report
SHOWN_FAULTS = 50  # of a run in its report
LEAKS = (b"Traceback (most recent call last)", b"site-packages", b'File "/')
INTERNAL_ERROR = 500
# Of a hundred requests: what is sent. The rest of the table says which are changed, and how.
SHARES = {"explain": 55, "form": 8, "values": 10, "text": 5, "picture": 5, "headers": 4, "query": 3, "changed form": 2,
          "look": 5, "frame": 3}  # fmt: skip


@dataclass
class FuzzReport:
    """What came back. `reached`: requests whose job a worker ended, with a result or a failure."""

    sent: int = 0
    reached: int = 0
    by_kind: Counter[str] = field(default_factory=Counter)
    by_status: Counter[str] = field(default_factory=Counter)  # the status, or `closed` for none
    reached_by_kind: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)  # of jobs, by code
    slowest_s: float = 0.0
    faults: list[str] = field(default_factory=list)

    @property
    def reached_share(self) -> float:
        return self.reached / max(1, self.sent)

    def document(self) -> dict[str, Any]:
        """For one line of JSON."""
        counters = {name: dict(value) for name, value in vars(self).items() if isinstance(value, Counter)}
        shown = {"reached_share": round(self.reached_share, 3), "fault_count": len(self.faults)}
        return {**vars(self), **counters, **shown, "faults": self.faults[:SHOWN_FAULTS]}


class Fuzzer:
    """The clients of one seed. Each has a connection and random numbers of its own."""

    def __init__(self, host: str, port: int, seed: int) -> None:
        self.report = FuzzReport()
        self._address = (host, port)
        self._seed = seed
        self._jobs: list[str] = []
        self._until_s = 0.0

    async def run(self, requests: int, clients: int, within_s: float) -> FuzzReport:
        """Sends `requests` in all, or as many as `within_s` seconds allow."""
        self._until_s = asyncio.get_running_loop().time() + within_s
        shares = [requests // clients + (index < requests % clients) for index in range(clients)]
        await asyncio.gather(*(self._client(index, share) for index, share in enumerate(shares)))
        return self.report

    async def _client(self, index: int, requests: int) -> None:
        chance = random.Random(f"fuzz {self._seed} {index}")
        connection = Connection(*self._address, BOUND_S)
        clock = asyncio.get_running_loop().time
        for _ in range(requests):
            if clock() > self._until_s:
                break
            kind = chance.choices(list(SHARES), list(SHARES.values()))[0]
            began_s = clock()
            if kind == "frame":
                await self._frame(chance, connection)
            else:
                await self._request(kind, chance, connection)
            self.report.sent += 1
            self.report.by_kind[kind] += 1
            self.report.slowest_s = max(self.report.slowest_s, clock() - began_s)
        await connection.close()

    async def _request(self, kind: str, chance: random.Random, connection: Connection) -> None:
        request = self._make(kind, chance)
        chunked = request.document is not None and request.content is None and chance.random() < 0.05
        data = request.chunked(chance) if chunked else request.encode()
        try:
            if request.length is not None:  # it lies about its length: more may be awaited, or a second request begins
                answers = await connection.send_and_end(data)
            else:
                answers = [await connection.send(data, head_only=request.head_only)]
        except NoAnswer:
            answers = []
        except Hang:
            self._fault("hang", data)
            return
        for answer in answers:
            self._judge(kind, answer, data)
        if not answers:
            self.report.by_status["closed"] += 1
            if kind in {"explain", "form", "look"}:
                self._fault("closed without a response", data)

    def _make(self, kind: str, chance: random.Random) -> HttpRequest:
        if kind == "look":
            return grammar.look(chance, self._jobs)
        request = grammar.form(chance) if kind in {"form", "changed form"} else grammar.explain(chance)
        if kind in CHANGES:
            CHANGES[kind](chance, request)
        return request

    async def _frame(self, chance: random.Random, connection: Connection) -> None:
        """Requests cut anywhere, with flipped bytes, several at once."""
        frames = [
            self._make(chance.choice(("explain", "form", "look")), chance).encode() for _ in range(chance.randint(1, 3))
        ]
        data = bytearray(b"".join(frames))
        if chance.random() < 0.5:
            data = data[: chance.randrange(len(data) + 1)]
        if chance.random() < 0.5 and data:
            for _ in range(chance.randint(1, 6)):
                data[chance.randrange(len(data))] = chance.randrange(256)
        if chance.random() < 0.3:
            await connection.send_and_leave(bytes(data))
            self.report.by_status["left"] += 1
            return
        try:
            answers = await connection.send_and_end(bytes(data))
        except Hang:
            self._fault("hang", bytes(data))
            return
        for answer in answers:
            self._judge("frame", answer, bytes(data))
        if not answers:
            self.report.by_status["closed"] += 1

    def _judge(self, kind: str, answer: Answer, data: bytes) -> None:
        self.report.by_status[str(answer.status)] += 1
        media = answer.headers.get("content-type", "")
        if answer.status >= INTERNAL_ERROR:
            honest = answer.status == 503 and media.startswith("application/problem+json")
            if not (honest and "retry-after" in answer.headers):
                self._fault(f"{answer.status} {answer.body[:300]!r}", data)
        if any(leak in answer.body for leak in LEAKS):
            self._fault(f"a leak in a body of {answer.status}: {answer.body[:300]!r}", data)
        if answer.status in {200, 202, 409} and "location" in answer.headers:
            self._count_job(kind, answer)

    def _count_job(self, kind: str, answer: Answer) -> None:
        """Counts a job that a worker has ended while the client waited."""
        job = answer.headers["location"].rsplit("/", 1)[-1]
        self._jobs = [*self._jobs[-KEPT_JOBS:], job]
        if answer.status == 202:
            return  # it may still wait
        ended = True
        if (
            answer.headers.get("content-type", "").startswith("application/json")
            and "content-location" not in answer.headers
        ):
            document = orjson.loads(answer.body)
            ended = document.get("status") in {"succeeded", "failed"}
            if document.get("status") == "failed":
                self.report.failures[(document.get("error") or {}).get("code", "unknown")] += 1
        if ended:
            self.report.reached += 1
            self.report.reached_by_kind[kind] += 1

    def _fault(self, what: str, data: bytes) -> None:
        self.report.faults.append(f"{what} AFTER {data[:SHOWN_BYTES]!r}")


CHANGES: dict[str, mutations.Change] = {
    "values": mutations.changed_values,
    "text": mutations.changed_text,
    "picture": mutations.changed_picture,
    "headers": mutations.changed_headers,
    "query": mutations.changed_query,
    "changed form": mutations.changed_form,
}
