"""`GET /jobs/{id}/events` over a real connection."""

import json
from collections.abc import Iterator
from typing import Any

import httpx

from service.app import create_app
from service.settings import GatewaySettings
from tests.servers import StoreServer
from tests.service.double import WorkerDouble
from tests.service.server import Server
from tests.service.validation.refusals import row


def events(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def test_events(served: tuple[httpx.Client, WorkerDouble]) -> None:
    client, worker = served
    job = client.post("/explain", json=row()).json()
    with client.stream("GET", job["links"]["events"]) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        stream = events(response.iter_lines())
        assert next(stream) == ("job", job)
        worker.start()
        seen = [job_now for name, job_now in stream if name == "job"]  # ends with the stream
    statuses = [job_now["status"] for job_now in seen]
    assert statuses[0] == "running"
    assert statuses[-1] == "succeeded"
    assert seen[-1] == client.get(job["links"]["self"]).json()


def test_events_of_an_ended_job(served: tuple[httpx.Client, WorkerDouble]) -> None:
    client, _ = served
    job = client.post("/explain", json=row()).json()
    client.delete(job["links"]["self"])
    with client.stream("GET", job["links"]["events"]) as response:
        assert [job_now["status"] for _, job_now in events(response.iter_lines())] == ["cancelled"]


def test_an_outage_ends_the_stream_with_a_problem() -> None:
    with StoreServer() as store:
        worker = WorkerDouble(store.url, "attribution")
        settings = GatewaySettings(redis_url=store.url)
        with Server(create_app(settings)) as server, httpx.Client(base_url=server.url, timeout=20) as client:
            job = client.post("/explain", json=row()).json()
            with client.stream("GET", job["links"]["events"]) as response:
                stream = events(response.iter_lines())
                assert next(stream)[0] == "job"
                store.stop()
                ((name, problem),) = stream
        worker.stop()
    assert name == "problem"
    assert problem["type"].endswith("store-unavailable")
