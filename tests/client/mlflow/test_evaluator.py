"""The evaluator in `mlflow.models.evaluate`: a real store of files, and a service that answers by a script."""

from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from mlflow.models.evaluation import EvaluationResult

from attribution_client.mlflow import AttributionEvaluator
from tests.client.core.scripted import job, problem
from tests.client.hostile_server import HostileServer, sends, sends_json

TEXTS = ["one", "two", "three", "four"]
KEY = "a-secret-key"


def evaluate(server: HostileServer, data: Any = None, **options: Any) -> EvaluationResult:
    frame = pd.DataFrame({"text": TEXTS, "label": [0, 1, 1, 0]}) if data is None else data
    config = {"model": "net", "url": server.url, "concurrency": 1, "language": "en", **options}
    return mlflow.models.evaluate(
        data=frame,
        targets="label" if "label" in frame else None,
        model_type="classifier" if "label" in frame else "text",
        evaluators=["attribution"],
        evaluator_config={"attribution": config},
    )


def refusal(detail: str) -> Any:
    """An answer of the scripted service."""
    reply = problem("invalid_request", 422, detail)
    return sends(reply.status, reply.content, "application/problem+json")


def artifacts(store: mlflow.MlflowClient, run_id: str, path: str | None = None) -> set[str]:
    """The files of a run, those in folders too."""
    found: set[str] = set()
    for one in store.list_artifacts(run_id, path):
        found |= artifacts(store, run_id, one.path) if one.is_dir else {one.path}
    return found


def run_of(store: mlflow.MlflowClient) -> Any:
    """The only run."""
    (run,) = store.search_runs(["0"])
    return run


def test_mlflow_finds_the_evaluator_by_its_entry_point() -> None:
    assert "attribution" in mlflow.models.list_evaluators()


def test_everything_is_logged(store: mlflow.MlflowClient, scripted: HostileServer) -> None:
    found = evaluate(scripted, pictures=2)
    run = run_of(store)
    assert run.info.status == "FINISHED"
    assert run.data.metrics == found.metrics == {"attribution/examples": 4.0, "attribution/failed_examples": 0.0}
    assert artifacts(store, run.info.run_id) == {
        "attribution/examples/0.png",
        "attribution/examples/1.png",
        "attribution/importances_chart.png",
        "attribution_attributions.json",
        "attribution_importances.json",
    }
    tags = {name: value for name, value in run.data.tags.items() if name.startswith("attribution.")}
    assert tags["attribution.model_digest"] == "sha256:0"
    assert tags["attribution.method"] == "saliency"
    assert tags["attribution.seed"] == "0"
    assert found.artifacts["attribution_examples_0"].content.size == (3, 2)


def test_tables_are_mlflows_own(store: mlflow.MlflowClient, scripted: HostileServer) -> None:
    found = evaluate(scripted)
    tables = found.tables
    table = tables["attribution_attributions"]
    assert list(table["example"]) == [0, 1, 2, 3]
    assert list(table["label"]) == [0, 1, 1, 0]
    assert list(table["attribution"]) == [0.5] * 4
    assert list(table["job"]) == ["j1"] * 4
    assert list(table["kind"]) == ["word"] * 4
    assert tables["attribution_importances"].to_dict("records") == [
        {"kind": "word", "name": "<script>alert(1)</script>", "mean_absolute": 0.5, "count": 4}
    ]


def test_a_result_is_saved_and_loaded(store: mlflow.MlflowClient, scripted: HostileServer, tmp_path: Path) -> None:
    found = evaluate(scripted)
    found.save(str(tmp_path / "saved"))
    loaded = EvaluationResult.load(str(tmp_path / "saved"))
    assert loaded.metrics == found.metrics
    assert set(loaded.artifacts) == set(found.artifacts)
    assert loaded.artifacts["attribution_importances_chart"].content.size[0] > 100


def test_what_fails_is_logged_and_the_rest_too(store: mlflow.MlflowClient, scripted: HostileServer) -> None:
    good = sends_json(job("succeeded"), 202)
    scripted.answers["/explain"] = [good, refusal("too long"), sends_json(job("succeeded"), 202), good]
    failed = job("failed", error={"code": "out_of_memory", "title": "No memory", "detail": "too large"})
    scripted.answers["/explain"][2] = sends_json(failed, 202)
    found = evaluate(scripted)
    assert found.metrics == {"attribution/examples": 2.0, "attribution/failed_examples": 2.0}
    assert run_of(store).info.status == "FINISHED"
    failures = found.tables["attribution_failures"].to_dict("records")
    assert [(one["example"], one["stage"], one["error"]) for one in failures] == [
        (1, "explain", "InvalidRequest"),
        (2, "explain", "OutOfMemory"),
    ]
    assert "too long" in failures[0]["message"]
    assert list(found.tables["attribution_attributions"]["example"]) == [0, 3]


@pytest.mark.parametrize("content", [b"no picture", b"\x89PNG\r\n\x1a\n", b""])
def test_a_picture_that_cannot_be_opened_is_a_failure_of_the_picture_alone(
    store: mlflow.MlflowClient, scripted: HostileServer, content: bytes
) -> None:
    scripted.answers["/jobs/j1/overlay.png"] = [sends(200, content, "image/png")]
    found = evaluate(scripted, pictures=1)
    assert found.metrics["attribution/examples"] == 4.0
    assert found.metrics["attribution/failed_examples"] == 0.0
    (failure,) = found.tables["attribution_failures"].to_dict("records")
    assert (failure["example"], failure["stage"], failure["error"]) == (0, "picture", "BadAnswer")
    assert not [path for path in artifacts(store, run_of(store).info.run_id) if "examples" in path]


def test_an_input_without_a_picture_gets_bars(store: mlflow.MlflowClient, scripted: HostileServer) -> None:
    reply = problem("not_acceptable", 406, "a tensor has no picture")
    scripted.answers["/jobs/j1/overlay.png"] = [sends(reply.status, reply.content, "application/problem+json")]
    found = evaluate(scripted, pictures=1)
    assert "attribution_failures" not in found.artifacts
    assert found.artifacts["attribution_examples_0"].content.size[0] > 100


def test_every_example_may_fail(store: mlflow.MlflowClient, scripted: HostileServer) -> None:
    scripted.answers["/explain"] = [refusal("no")]
    found = evaluate(scripted)
    assert found.metrics == {"attribution/examples": 0.0, "attribution/failed_examples": 4.0}
    assert len(found.tables["attribution_failures"]) == 4
    assert run_of(store).info.status == "FINISHED"


def test_a_service_that_is_away_loses_no_run(store: mlflow.MlflowClient, scripted: HostileServer) -> None:
    scripted.answers["/models/net"] = [refusal("no such model")]
    found = evaluate(scripted)
    assert found.metrics == {"attribution/examples": 0.0, "attribution/failed_examples": 4.0}
    failures = found.tables["attribution_failures"]
    assert list(failures["stage"]) == ["service", *["explain"] * 4]
    assert list(failures["error"]) == ["InvalidRequest", *["NotTried"] * 4]


def test_after_an_outage_no_further_example_waits(store: mlflow.MlflowClient, scripted: HostileServer) -> None:
    def hangs_up(handler: Any) -> None:
        handler.close_connection = True

    scripted.answers["/explain"] = [sends_json(job("succeeded"), 202), hangs_up]
    found = evaluate(scripted, pd.DataFrame({"text": [str(n) for n in range(200)]}), sample=200)
    assert found.metrics == {"attribution/examples": 1.0, "attribution/failed_examples": 199.0}
    failures = found.tables["attribution_failures"]
    assert list(failures["error"]) == ["Unreachable", *["NotTried"] * 198]
    assert sum(path == "/explain" for _, path, _ in scripted.requests) < 20


def test_a_sample_is_explained(store: mlflow.MlflowClient, scripted: HostileServer) -> None:
    frame = pd.DataFrame({"text": [str(n) for n in range(50)]})
    first = evaluate(scripted, frame, sample=5, prefix="first")
    again = evaluate(scripted, frame, sample=5, prefix="again")
    other = evaluate(scripted, frame, sample=5, prefix="other", sample_seed=1)
    rows = [
        list(one.tables[f"{name}_attributions"]["example"])
        for name, one in (("first", first), ("again", again), ("other", other))
    ]
    assert rows[0] == rows[1] != rows[2]
    assert len(rows[0]) == 5
    assert first.metrics == {"first/examples": 5.0, "first/failed_examples": 0.0}


def test_it_joins_mlflows_own_evaluators(store: mlflow.MlflowClient, scripted: HostileServer) -> None:
    frame = pd.DataFrame({"text": TEXTS, "label": [0, 1, 1, 0], "guess": [0, 1, 0, 0]})
    found = mlflow.models.evaluate(
        data=frame,
        targets="label",
        predictions="guess",
        model_type="classifier",
        evaluators=["classifier", "attribution"],
        evaluator_config={
            "classifier": {"log_model_explainability": False},
            "attribution": {"model": "net", "url": scripted.url, "language": "en"},
        },
    )
    assert found.metrics["accuracy_score"] == 0.75
    assert found.metrics["attribution/examples"] == 4.0


def test_a_flat_list_of_texts(store: mlflow.MlflowClient, scripted: HostileServer) -> None:
    found = mlflow.models.evaluate(
        data=TEXTS,
        model_type="text",
        evaluators="attribution",
        evaluator_config={"model": "net", "url": scripted.url, "language": "en"},
    )
    assert found.metrics["attribution/examples"] == 4.0


@pytest.mark.parametrize("options", [{"sampel": 3}, {"input_column": "body"}, {"prefix": "a/b"}])
def test_a_mistake_in_the_configuration_is_raised(
    store: mlflow.MlflowClient, scripted: HostileServer, options: dict[str, Any]
) -> None:
    with pytest.raises(MlflowException, match="evaluator 'attribution'"):
        evaluate(scripted, **options)
    assert not [path for _, path, _ in scripted.requests if path == "/explain"]


@pytest.mark.parametrize(
    ("config", "takes_part"), [({}, False), (None, False), ({"pos_label": 1}, False), ({"model": "net"}, True)]
)
def test_it_takes_part_only_where_a_model_is_named(config: Any, takes_part: bool) -> None:
    assert AttributionEvaluator.can_evaluate(model_type="classifier", evaluator_config=config) is takes_part


def test_the_key_is_logged_nowhere(
    store: mlflow.MlflowClient, scripted: HostileServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ATTRIBUTION_KEY", KEY)
    evaluate(scripted)
    assert all(headers["Authorization"] == f"Bearer {KEY}" for _, _, headers in scripted.requests)
    files = [path for path in (tmp_path / "mlruns").rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if KEY.encode() in path.read_bytes()]


def test_labels_of_any_type(store: mlflow.MlflowClient, scripted: HostileServer) -> None:
    frame = pd.DataFrame({"text": TEXTS, "label": ["a", "b", "a", "b"]})
    assert list(evaluate(scripted, frame).tables["attribution_attributions"]["label"]) == ["a", "b", "a", "b"]
    numbers = pd.DataFrame({"text": TEXTS, "label": np.array([0.5, 1.5, 0.5, 1.5], np.float32)})
    table = evaluate(scripted, numbers, prefix="again").tables["again_attributions"]
    assert list(table["label"]) == [0.5, 1.5, 0.5, 1.5]
