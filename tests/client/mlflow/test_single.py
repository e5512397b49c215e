"""One result in a run."""

import json
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
from mlflow.exceptions import MlflowException

from attribution_client import Client, Result
from attribution_client.mlflow import log_explanation
from tests.client.core.scripted import problem
from tests.client.hostile_server import HostileServer, sends
from tests.client.mlflow.test_evaluator import artifacts


@pytest.fixture
def result(scripted: HostileServer) -> Any:
    with Client(scripted.url, language="en") as client:
        yield client.explain("a text", model="net")


def test_it_is_logged_to_the_active_run(store: mlflow.MlflowClient, result: Result) -> None:
    with mlflow.start_run() as run:
        folder = log_explanation(result)
    assert folder == "explanation/j1"
    assert artifacts(store, run.info.run_id) == {
        "explanation/j1/0.png",
        "explanation/j1/attributions.npz",
        "explanation/j1/explanation.json",
        "explanation_attributions.json",
    }
    assert store.get_run(run.info.run_id).data.tags["explanation.model"] == "net"


def test_its_numbers_are_read_back(store: mlflow.MlflowClient, result: Result, tmp_path: Path) -> None:
    with mlflow.start_run() as run:
        folder = log_explanation(result)
    local = Path(store.download_artifacts(run.info.run_id, folder, str(tmp_path)))
    with np.load(local / "attributions.npz", allow_pickle=False) as arrays:
        assert arrays.files == ["input"]
        assert np.array_equal(arrays["input"], result.arrays["input"])
    document = json.loads((local / "explanation.json").read_text())
    assert document["model"] == {"name": "net", "version": "1", "digest": "sha256:0"}
    table = mlflow.load_table("explanation_attributions.json", run_ids=[run.info.run_id])
    assert list(table["attribution"]) == [0.5]


def test_a_run_by_its_id(store: mlflow.MlflowClient, result: Result) -> None:
    run = store.create_run("0")
    log_explanation(result, run_id=run.info.run_id, prefix="why")
    assert mlflow.active_run() is None
    assert "why/j1/explanation.json" in artifacts(store, run.info.run_id)


def test_without_a_run_one_begins(store: mlflow.MlflowClient, result: Result) -> None:
    log_explanation(result)
    active = mlflow.active_run()
    assert active is not None
    assert artifacts(store, active.info.run_id)


def test_a_result_that_the_service_has_deleted_is_logged_without_its_picture(
    store: mlflow.MlflowClient, result: Result, scripted: HostileServer
) -> None:
    gone = problem("job_not_found", 404, "no such job")
    scripted.answers["/jobs/j1/overlay.png"] = [sends(gone.status, gone.content, "application/problem+json")]
    with mlflow.start_run() as run:
        log_explanation(result)
    found = artifacts(store, run.info.run_id)
    assert "explanation/j1/attributions.npz" in found
    assert not [path for path in found if path.endswith(".png")]
    (failure,) = mlflow.load_table("explanation_failures.json", run_ids=[run.info.run_id]).to_dict("records")
    assert failure["error"] == "JobNotFound"


@pytest.mark.parametrize("name", ["file", "allow_pickle", "features.0", "a b"])
def test_an_array_of_any_name_is_kept(store: mlflow.MlflowClient, result: Result, name: str, tmp_path: Path) -> None:
    result.arrays = {name: np.ones((1, 2), np.float32)}
    with mlflow.start_run() as run:
        folder = log_explanation(result)
    local = store.download_artifacts(run.info.run_id, f"{folder}/attributions.npz", str(tmp_path))
    with np.load(local, allow_pickle=False) as arrays:
        assert arrays.files == [name]


def test_a_prefix_that_is_no_name(store: mlflow.MlflowClient, result: Result) -> None:
    with pytest.raises(MlflowException, match="prefix"):
        log_explanation(result, prefix="../up")
