"""A gateway whose models sleep: ready, listing them so, and telling when a job starts."""

import httpx
import pytest

from broker import JobStore, WorkerInfo
from schemas.model_key import ModelKey
from schemas.models import ModelStatus, Residence
from service.readiness import loading_models
from tests.service.cards import ALL_CARDS
from tests.service.double import WorkerDouble
from tests.service.validation.refusals import row

pytestmark = pytest.mark.anyio
START_S = 12.5
TABLE = ModelKey("breast-cancer-mlp", "1")


@pytest.fixture
def sleeper(idle_worker: WorkerDouble) -> WorkerDouble:
    """A worker that has measured its start, and left."""
    idle_worker.cards = [card.model_copy(update={"start_s": START_S}) for card in ALL_CARDS]
    idle_worker.announce()
    idle_worker.queue.registration.retire()
    return idle_worker


async def model(client: httpx.AsyncClient) -> dict[str, object]:
    found: dict[str, object] = (await client.get(f"/models/{TABLE.name}")).json()
    return found


@pytest.mark.usefixtures("sleeper")
@pytest.mark.parametrize("path", ["/readyz", "/v2/health/ready", f"/v2/models/{TABLE.name}/ready"])
async def test_it_is_ready_without_a_worker(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 200


async def test_it_is_not_ready_where_no_model_could_sleep(
    client: httpx.AsyncClient, idle_worker: WorkerDouble, store: JobStore
) -> None:
    idle_worker.queue.registration.retire()
    for card in await store.models.cards():
        await store.admin_commands.unload(card.name, [card.version])
    assert (await client.get("/readyz")).status_code == 503


@pytest.mark.usefixtures("sleeper")
async def test_a_sleeping_model_is_listed_so_and_its_requests_are_checked_and_queued(
    client: httpx.AsyncClient, store: JobStore
) -> None:
    listed = (await client.get("/models")).json()["models"]
    statuses = {card["name"]: card["status"] for card in listed}
    assert statuses[TABLE.name] == "asleep"
    assert set(statuses.values()) <= {"asleep", "loading", "failed"}
    card = await model(client)
    assert (card["status"], card["residence"], card["start_s"]) == ("asleep", [], START_S)

    refused = await client.post("/explain", json=row(target="nobody"))
    assert refused.status_code == 422
    queued = await client.post("/explain", json=row())
    assert (queued.status_code, queued.json()["status"]) == (202, "queued")
    assert (await store.jobs.backlog())[TABLE] == 1
    assert queued.json()["starts_in_s"] == START_S
    assert "starts_in_s" not in (await client.get(f"/jobs/{queued.json()['id']}")).json()


@pytest.mark.usefixtures("sleeper")
async def test_jobs_ahead_count_at_the_pace_of_one_worker(client: httpx.AsyncClient, sleeper: WorkerDouble) -> None:
    sleeper.queue.measurements.tell_pace(TABLE, "default", rows=10, busy_s=10)
    first = (await client.post("/explain", json=row(method={"name": "integrated_gradients", "n_steps": 30}))).json()
    second = (await client.post("/explain", json=row())).json()
    assert first["starts_in_s"] == START_S
    assert second["starts_in_s"] == pytest.approx(START_S + first["progress"]["total"], abs=0.1)


@pytest.mark.usefixtures("sleeper")
async def test_a_client_that_waits_gets_202_and_what_is_left_of_the_start(client: httpx.AsyncClient) -> None:
    answer = await client.post("/explain?wait=0.3", json=row())
    assert answer.status_code == 202
    assert answer.json()["starts_in_s"] == pytest.approx(START_S - 0.3, abs=0.05)


async def test_no_time_is_told_before_a_start_was_measured(
    client: httpx.AsyncClient, idle_worker: WorkerDouble
) -> None:
    idle_worker.queue.registration.retire()
    answer = await client.post("/explain", json=row())
    assert answer.status_code == 202
    assert "starts_in_s" not in answer.json()


async def test_a_model_that_is_awake_tells_no_time(client: httpx.AsyncClient, idle_worker: WorkerDouble) -> None:
    idle_worker.cards = [card.model_copy(update={"start_s": START_S}) for card in ALL_CARDS]
    idle_worker.announce()
    assert "starts_in_s" not in (await client.post("/explain", json=row())).json()
    assert (await model(client))["status"] == "ready"


async def test_a_waiting_client_gets_the_result_of_the_worker_that_was_started_for_it(
    client: httpx.AsyncClient, sleeper: WorkerDouble
) -> None:
    sleeper.start()  # it claims at once, and announces itself within two seconds
    answer = await client.post("/explain?wait=20", json=row())
    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")


@pytest.mark.usefixtures("sleeper")
async def test_the_queue_of_a_sleeping_model_is_bounded_as_any(client: httpx.AsyncClient) -> None:
    headers = {"Cache-Control": "no-store"}
    answers = [await client.post("/explain", json=row(seed=seed), headers=headers) for seed in range(4)]
    assert [answer.status_code for answer in answers] == [202, 202, 202, 429]  # the depth of the tests' queue is 3
    assert int(answers[-1].headers["retry-after"]) >= 1


@pytest.mark.usefixtures("sleeper")
async def test_the_backlog_of_sleeping_models_is_told_to_scrapers(client: httpx.AsyncClient) -> None:
    series = 'attribution_backlog_seconds{group="default",measured="false",model="breast-cancer-mlp@1"}'

    async def told() -> float:
        lines = (await client.get("/metrics")).text.splitlines()
        return next(float(line.removeprefix(series)) for line in lines if line.startswith(series))

    assert await told() == 0
    await client.post("/explain", json=row())
    assert await told() > 0


async def test_models_that_are_being_loaded_are_counted_until_one_worker_serves_them(
    client: httpx.AsyncClient, idle_worker: WorkerDouble
) -> None:
    before = (await client.get("/readyz")).json()
    assert before == {"status": "ready", "workers": 1}
    fresh = [idle_worker.cards[0].model_copy(update={"name": name, "status": "loading"}) for name in ("a", "b")]
    idle_worker.cards = [*idle_worker.cards, *fresh]
    idle_worker.announce()
    assert (await client.get("/readyz")).json() == {"status": "ready", "workers": 1, "loading": 2}
    idle_worker.cards = [*idle_worker.cards[:-1], fresh[1].model_copy(update={"status": "ready"})]
    idle_worker.announce()
    assert (await client.get("/readyz")).json() == {"status": "ready", "workers": 1, "loading": 1}


def test_a_model_that_another_worker_serves_is_not_counted() -> None:
    def worker(status: ModelStatus) -> WorkerInfo:
        residence = {TABLE: Residence(worker=status, status=status)}
        return WorkerInfo(id=status, device="cpu", host="h", pid=1, started_ms=0, models=[], residence=residence)

    assert loading_models([worker("loading")]) == 1
    assert loading_models([worker("loading"), worker("ready")]) == 0
    assert loading_models([worker("loading"), worker("idle")]) == 0
    assert loading_models([worker("failed"), worker("unloaded")]) == 0
