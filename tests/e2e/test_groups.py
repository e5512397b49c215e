"""Groups of workers over one store, as real processes: who holds what, what sleeps, and what is told of it."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.parts import GatewayPart, WorkerPart
from tests.e2e.serving_repository import add_version
from tests.e2e.toy_repository import MODEL_PY, MODEL_TOML
from tests.e2e.watching import LIMIT_S, ended, job, until
from tests.servers import StoreServer

SERIES = re.compile(
    r'^attribution_backlog_seconds\{group="([^"]*)",measured="([^"]*)",model="([^"]*)"\} (\S+)$', re.MULTILINE
)


@pytest.fixture
def store() -> Iterator[StoreServer]:
    with StoreServer("valkey") as server:
        yield server


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """`slow` of version 1, `left` and `right`."""
    directory = tmp_path / "models"
    add_version(directory, "1")
    for name in ("left", "right"):
        folder = directory / name
        folder.mkdir()
        (folder / "model.toml").write_text(MODEL_TOML.replace('"slow"', f'"{name}"'))
        (folder / "model.py").write_text(MODEL_PY)
    return directory


@pytest.fixture
def client(store: StoreServer, tmp_path: Path) -> Iterator[httpx.Client]:
    with (
        GatewayPart(tmp_path / "g", store) as gateway,
        httpx.Client(
            base_url=gateway.wait_until_alive().url,
            timeout=LIMIT_S,
            headers={"Cache-Control": "no-store"},
            trust_env=False,
        ) as client,
    ):
        yield client


def submit(client: httpx.Client, model: str, steps: int = 40, target: int | None = 1) -> httpx.Response:
    body = {
        "model": model,
        "input": {"tensor": {"shape": [1, 4], "data": [1.0, -1.0, 0.5, 2.0]}},
        "method": {"name": "integrated_gradients", "n_steps": steps},
        "target": target,
    }
    return client.post("/explain", json=body)


def statuses(client: httpx.Client) -> dict[str, str]:
    return {card["name"]: card["status"] for card in client.get("/models").json()["models"]}


def backlogs(client: httpx.Client) -> dict[tuple[str, str], tuple[str, float]]:
    """By model and group: whether it was measured, and the seconds."""
    found = SERIES.findall(client.get("/metrics").text)
    by_name = {(model, group): (measured, float(seconds)) for group, measured, model, seconds in found}
    assert len(by_name) == len(found), "a series has one value of `measured` at a time"
    return by_name


def test_groups_hold_their_models_sleep_and_wake_and_are_told_apart(
    store: StoreServer, models: Path, client: httpx.Client, tmp_path: Path
) -> None:
    assert client.get("/readyz").status_code == 503
    one = {"ATTRIBUTION_SERVE": "left,slow@1", "ATTRIBUTION_GROUP": "one"}
    two = {"ATTRIBUTION_SERVE": "right, slow", "ATTRIBUTION_GROUP": "two"}
    with WorkerPart(tmp_path / "w1", store, models, **one) as first:
        first.wait_until_serving()
        assert statuses(client) == {"left": "ready", "slow": "ready"}
        answered = submit(client, "slow", steps=2_000)
        assert ended(client, answered.json()["id"])["status"] == "succeeded"
        until(lambda: backlogs(client)["slow@1", "one"] == ("true", 0.0), "the pace of the group")
        assert first.stop() == 0
    assert statuses(client) == {"left": "asleep", "slow": "asleep"}
    assert client.get("/readyz").json() == {"status": "ready", "workers": 0}
    assert backlogs(client) == {("left@1", "one"): ("false", 0.0), ("slow@1", "one"): ("true", 0.0)}

    waiting = submit(client, "slow")
    assert waiting.status_code == 202
    assert waiting.json()["starts_in_s"] > 0
    assert backlogs(client)["slow@1", "one"][1] > 0
    with WorkerPart(tmp_path / "w2", store, models, **two) as second:
        assert ended(client, waiting.json()["id"])["status"] == "succeeded", "the group that is up takes it"
        second.wait_until_serving()
        until(lambda: statuses(client).get("right") == "ready", "the model without waiting jobs")
        assert statuses(client) == {"left": "asleep", "right": "ready", "slow": "ready"}
        assert {group for model, group in backlogs(client) if model == "slow@1"} == {"one", "two"}
        left = submit(client, "left").json()["id"]
        assert second.stop() == 0
    assert job(client, left)["status"] == "queued", "the second group does not hold it"
    with WorkerPart(tmp_path / "w3", store, models, **one) as third:
        assert ended(client, left)["status"] == "succeeded"
        assert third.stop() == 0


def test_a_folder_that_changed_during_sleep_is_compared_with_each_waiting_job(
    store: StoreServer, models: Path, client: httpx.Client, tmp_path: Path
) -> None:
    serve = {"ATTRIBUTION_SERVE": "left"}
    with WorkerPart(tmp_path / "w1", store, models, **serve) as first:
        first.wait_until_serving()
        assert first.stop() == 0
    before = client.get("/models/left").json()
    fits, misfits = submit(client, "left", target=1).json()["id"], submit(client, "left", target=2).json()["id"]
    source = (models / "left" / "model.py").read_text()
    (models / "left" / "model.py").write_text(source.replace("nn.Linear(8, 3)", "nn.Linear(8, 2)"))
    with WorkerPart(tmp_path / "w2", store, models, **serve) as second:
        assert ended(client, fits)["status"] == "succeeded"
        failed = ended(client, misfits)
        assert (failed["status"], failed["error"]["code"]) == ("failed", "model_changed")
        spanish = client.get(f"/jobs/{misfits}", headers={"Accept-Language": "es"}).json()["error"]
        assert spanish["detail"].startswith("el modelo ha cambiado")
        second.wait_until_serving()
        card = client.get("/models/left").json()
        assert (card["status"], card["output"]["size"]) == ("ready", 2)
        assert card["digest"] != before["digest"]
        assert client.get(f"/jobs/{fits}/result").json()["model"]["digest"] == card["digest"]
        assert submit(client, "left", target=2).status_code == 422
        assert second.stop() == 0


def test_a_name_that_the_repository_lacks_stops_the_start(store: StoreServer, models: Path, tmp_path: Path) -> None:
    with WorkerPart(tmp_path / "w", store, models, ATTRIBUTION_SERVE="left,lefft") as worker:
        assert worker.ended() == 2
        assert "ATTRIBUTION_SERVE: the repository has no model lefft; it has: left, right, slow" in " ".join(
            worker.log.read_text().split()
        )
