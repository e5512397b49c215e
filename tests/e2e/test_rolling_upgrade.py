"""Every process of the service is replaced, one after the other, while clients send requests: nothing is lost."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.e2e.load_balancer import LoadBalancer
from tests.e2e.parts import GatewayPart, WorkerPart
from tests.e2e.toy_repository import write_repository
from tests.e2e.watching import until
from tests.servers import StoreServer

CLIENTS = 4
STEPS = 60
LEAST_JOBS = 50
WAIT_S = 3


class Service:
    """Two gateways and two workers, each of which can be replaced by a new process."""

    def __init__(self, folder: Path, store: StoreServer, stack: ExitStack) -> None:
        self._folder, self._store, self._stack = folder, store, stack
        self._count = 0
        self._models = write_repository(folder / "models")
        self.workers = [self._worker() for _ in range(2)]
        self.gateways = [self._gateway() for _ in range(2)]
        self.balancer = LoadBalancer([gateway.wait_until_alive().url for gateway in self.gateways])
        for worker in self.workers:
            worker.wait_until_serving()

    def replace_gateways(self) -> None:
        """As an orchestrator does: a new one takes requests before the old one is told to stop. The balancer learns of
        the end of the old one last of all."""
        for old in list(self.gateways):
            new = self._gateway().wait_until_alive()
            self.balancer.add(new.url)
            self.gateways[self.gateways.index(old)] = new
            old.signal()
            old.ended()
            self.balancer.remove(old.url)

    def replace_workers(self) -> None:
        for old in list(self.workers):
            new = self._worker().wait_until_serving()
            self.workers[self.workers.index(old)] = new
            assert old.stop() == 0

    def _worker(self) -> WorkerPart:
        worker = WorkerPart(self._log("worker"), self._store, self._models, ATTRIBUTION_GRACE_S="0.3")
        return self._stack.enter_context(worker)

    def _gateway(self) -> GatewayPart:
        return self._stack.enter_context(GatewayPart(self._log("gateway"), self._store))

    def _log(self, name: str) -> Path:
        self._count += 1
        return self._folder / f"{name}-{self._count}.log"


class Client(threading.Thread):
    """Sends one request after the other until it is told to stop, and follows each job to its end."""

    def __init__(self, number: int, balancer: LoadBalancer, stop: threading.Event) -> None:
        super().__init__(name=f"client-{number}", daemon=True)
        self._number, self._balancer, self._ended = number, balancer, stop
        self.jobs: list[dict[str, Any]] = []
        self.wrong: list[str] = []

    def run(self) -> None:
        count = 0
        while not self._ended.is_set():
            count += 1
            job = self._explained(f"{self._number}-{count}", self._number + count / 1000)
            if job is not None:
                self.jobs.append(job)

    def _explained(self, key: str, value: float) -> dict[str, Any] | None:
        body = {
            "model": "slow",
            "input": {"tensor": {"shape": [1, 4], "data": [value, -1.0, 0.5, 2.0]}},
            "method": {"name": "integrated_gradients", "n_steps": STEPS},
            "target": 1,
        }
        answer = self._balancer.request(
            "POST", f"/explain?wait={WAIT_S}", json=body, headers={"Idempotency-Key": f"key-{key}"}
        )
        if answer.status_code not in (200, 202):
            self.wrong.append(f"{answer.status_code} {answer.text}")
            return None
        job: dict[str, Any] = answer.json()
        path = job["links"]["self"]
        return until(lambda: self._terminal(path), "the end of a job") if answer.status_code == 202 else job

    def _terminal(self, path: str) -> dict[str, Any] | None:
        answer = self._balancer.request("GET", path)
        if answer.status_code != 200:
            self.wrong.append(f"{answer.status_code} {answer.text}")
            return {"id": path, "status": "lost"}
        job: dict[str, Any] = answer.json()
        return job if job["status"] not in ("queued", "running") else None


@pytest.fixture
def store() -> Iterator[StoreServer]:
    with StoreServer("valkey") as server:
        yield server


@pytest.mark.long
@pytest.mark.parametrize("first", ["gateways", "workers"])
def test_nothing_is_lost_and_no_server_error_is_answered(first: str, store: StoreServer, tmp_path: Path) -> None:
    with ExitStack() as stack:
        service = Service(tmp_path, store, stack)
        stop = threading.Event()
        clients = [Client(number, service.balancer, stop) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        replace = [service.replace_gateways, service.replace_workers]
        for step in replace if first == "gateways" else replace[::-1]:
            step()
        before = sum(len(client.jobs) for client in clients)
        until(lambda: sum(len(client.jobs) for client in clients) > before + CLIENTS, "jobs of the new processes")
        stop.set()
        for client in clients:
            client.join()
        balancer = service.balancer
        for part in (*service.gateways, *service.workers):
            part.signal()
        assert [worker.ended() for worker in service.workers] == [0, 0]

    jobs = [job for client in clients for job in client.jobs]
    print(f"{len(jobs)} jobs; answers {balancer.answers}; refused {balancer.refused}, broken {balancer.broken}")
    assert [wrong for client in clients for wrong in client.wrong] == []
    assert balancer.answers.keys() <= {200, 202}
    assert len(jobs) >= LEAST_JOBS
    assert {job["status"] for job in jobs} == {"succeeded"}
    with redis.Redis.from_url(store.url, decode_responses=True) as raw:
        assert {raw.hget(f"attribution:job:{job['id']}", "attempts") for job in jobs} == {"1"}, "no attempt is used up"
        ended = raw.hgetall("attribution:measured:slow@1")
        counted = {name: int(count) for name, count in ended.items() if name.startswith("attribution_jobs_ended_total")}
        assert counted == {"attribution_jobs_ended_total interactive succeeded -": len(jobs)}, "none ended twice"
        assert "attribution_jobs_repeated_total lost" not in ended
