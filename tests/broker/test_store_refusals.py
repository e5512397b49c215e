"""A store that answers with errors: each call is refused as `Unavailable`, nothing dies, and service comes back."""

import asyncio
import socketserver
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from broker import JobStore, WorkerQueue
from broker.gateway.job_events import JobEvents
from schemas.errors import ServiceError, StoreUnavailable, Unavailable
from tests.broker.conftest import MakeQueue, MakeStore
from tests.broker.helpers import WAIT_MS, claim_one, submit
from tests.broker.test_outages import gateway_calls, worker_calls
from tests.servers import StoreServer

pytestmark = pytest.mark.anyio
LIMIT_S = 30.0
ERRORS = (
    "LOADING Redis is loading the dataset in memory",
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
    "MISCONF Errors writing to the AOF file: No space left on device",
    "NOREPLICAS Not enough good replicas to write.",
    "READONLY You can't write against a read only replica.",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "NOPERM User default has no permissions to run the 'evalsha' command",
    "NOAUTH Authentication required.",
    "CLUSTERDOWN The cluster is down",
    "OOM command not allowed when used memory > 'maxmemory'.",
    "ERR max number of clients reached",
    "ERR something that no version has said yet",
)


class Refusing(socketserver.StreamRequestHandler):
    """Answers each command with the error of its server."""

    def handle(self) -> None:
        error: str = self.server.error  # type: ignore[attr-defined]
        while head := self.rfile.readline():
            for _ in range(int(head[1:])):
                size = int(self.rfile.readline()[1:])
                self.rfile.read(size + 2)
            try:
                self.wfile.write(f"-{error}\r\n".encode())
            except OSError:
                return


@pytest.fixture(params=ERRORS, ids=lambda text: text.split()[0] + str(len(text)))
def refusing(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a server that refuses everything with one error."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refusing) as server:
        server.daemon_threads = True
        server.error = request.param  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"redis://127.0.0.1:{server.server_address[1]}/0"
        server.shutdown()
        thread.join(LIMIT_S)


async def test_every_error_of_the_store_is_unavailable(refusing: str, store: JobStore, queue: WorkerQueue) -> None:
    job_id = await submit(store)
    claim = claim_one(queue)
    refused, worker = JobStore(refusing, timeout_s=5.0), WorkerQueue(refusing, "w", timeout_s=5.0)
    try:
        for call in gateway_calls(refused, job_id):
            with pytest.raises(Unavailable):
                await call()
        for work in [*worker_calls(worker, claim), worker.commands.latest, worker.waiting_jobs.models]:
            with pytest.raises(Unavailable):
                await asyncio.to_thread(work)
    finally:
        await refused.close()
        worker.close()


def deny(client: redis.Redis) -> None:
    client.acl_setuser("default", enabled=True, nopass=True, commands=["-@all", "+acl"])


def allow(client: redis.Redis) -> None:
    client.acl_setuser("default", enabled=True, nopass=True, keys=["*"], channels=["*"], commands=["+@all"])


def fill(client: redis.Redis) -> None:
    client.config_set("maxmemory", "1")


def empty(client: redis.Redis) -> None:
    client.config_set("maxmemory", "0")


def demote(client: redis.Redis) -> None:
    client.replicaof("127.0.0.1", "1")


def promote(client: redis.Redis) -> None:
    client.replicaof("NO", "ONE")


Change = Callable[[redis.Redis], None]
CHANGES = [
    pytest.param(deny, allow, id="NOPERM"),
    pytest.param(fill, empty, id="OOM"),
    pytest.param(demote, promote, id="READONLY"),
]


@pytest.mark.parametrize(("harm", "mend"), CHANGES)
async def test_a_store_that_refuses_is_survived(
    make_store: MakeStore, make_queue: MakeQueue, own_server: StoreServer, harm: Change, mend: Change
) -> None:
    store, queue = make_store(), make_queue()
    job_id = await submit(store)
    claim = claim_one(queue)
    with redis.Redis.from_url(own_server.url, protocol=2) as admin:
        harm(admin)
        refused = 0
        for call in gateway_calls(store, job_id)[:-2]:  # those that enter a context would have to leave it
            try:
                await call()
            except ServiceError as error:  # reads of what is not there are answered as ever
                refused += isinstance(error, Unavailable)
        assert refused
        with pytest.raises(Unavailable):
            await submit(store)
        if harm is not fill:  # a full store still takes what frees memory
            with pytest.raises(Unavailable):
                queue.claimed_jobs.renew([claim])
        mend(admin)
    another = await submit(store)
    taken = claim_one(queue, WAIT_MS)
    while taken.job_id != another:
        taken = claim_one(queue, WAIT_MS)
    assert queue.claimed_jobs.finish(taken, b"{}", b"t")


async def test_listeners_come_back_after_a_refusal(
    make_store: MakeStore, make_queue: MakeQueue, own_server: StoreServer
) -> None:
    """A server whose operator takes the right to subscribe away, and gives it back."""
    deaths: list[None] = []
    store, queue = make_store(on_death=lambda: deaths.append(None)), make_queue()
    cancelled: list[str] = []
    heard, stop = threading.Event(), threading.Event()

    def hear(job_id: str) -> None:
        cancelled.append(job_id)
        heard.set()

    with redis.Redis.from_url(own_server.url, protocol=2) as admin:
        admin.acl_setuser("default", enabled=True, nopass=True, commands=["-subscribe"])
        listener = threading.Thread(target=queue.listen_cancelled, args=(hear, stop), daemon=True)
        listener.start()
        job_id = await submit(store)
        with pytest.raises(StoreUnavailable):
            async with store.jobs.watch(job_id):
                pass
        claim_one(queue)
        allow(admin)
    while not heard.is_set():  # it subscribes again after a pause; a message before that is lost
        await store.jobs.cancel(job_id)
        job_id = await submit(store)
        claim_one(queue)
        await asyncio.to_thread(heard.wait, 0.1)
    async with asyncio.timeout(LIMIT_S):
        while True:
            try:
                async with store.jobs.watch(job_id) as changes:
                    assert (await anext(changes)).status == "running"
                    break
            except StoreUnavailable:
                await asyncio.sleep(0.05)
    assert listener.is_alive()
    stop.set()
    listener.join(LIMIT_S)
    assert not deaths


async def test_messages_that_nobody_can_read_are_passed_over(store: JobStore, raw: redis.Redis, namespace: str) -> None:
    job_id = await submit(store)
    async with asyncio.timeout(LIMIT_S), store.jobs.watch(job_id) as changes:
        assert (await anext(changes)).status == "queued"
        for garbage in ("", "[]", '{"a": 1}', '["status"]', "\0" * 9):
            raw.publish(f"{namespace}:events:{job_id}", garbage)
        for inbox in raw.pubsub_channels(f"{namespace}:inbox:*"):
            for garbage in ("", "a b c d", f"{job_id} 9 9 x"):
                raw.publish(inbox, garbage)
        await store.jobs.cancel(job_id)
        assert [job.status async for job in changes][-1] == "cancelled"


async def test_the_end_of_the_fan_out_is_reported(make_store: MakeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    died = asyncio.Event()
    store = make_store(on_death=died.set)
    job_id = await submit(store)

    def fail(self: JobEvents, reply: Any) -> None:
        raise RuntimeError("a fault of the program")

    async with asyncio.timeout(LIMIT_S):
        async with store.jobs.watch(job_id) as changes:
            assert (await anext(changes)).status == "queued"
            monkeypatch.setattr(JobEvents, "_receive", fail)
            await store.jobs.cancel(job_id)
            with pytest.raises(StoreUnavailable):
                await anext(changes)
        await died.wait()
