"""The MLflow evaluator on the three shipped models, in a real store of files."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.models.evaluation import EvaluationResult
from sklearn.datasets import load_breast_cancer

from attribution_client import Client
from attribution_client.mlflow import log_explanation
from benchmarks.pictures import pictures
from tests.client.mlflow.store import file_store
from tests.paths import ROOT

CAT = ROOT / "models" / "efficientnet-lite0" / "chelsea.jpg"
TEXTS = ["A lovely, warm film.", "A dull mess.", "The acting is superb, but the plot is a mess.", "Lovely music."]
PICTURES, TABLES, SENTENCES = "efficientnet-lite0", "breast-cancer-mlp", "minilm-sentiment"

pytestmark = [pytest.mark.models, pytest.mark.slow]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[mlflow.MlflowClient]:
    with file_store(tmp_path / "mlruns") as client:
        yield client


def evaluate(service: str, frame: pd.DataFrame, **options: Any) -> EvaluationResult:
    labels = {"targets": "label", "model_type": "classifier"} if "label" in frame else {"model_type": "text"}
    return mlflow.models.evaluate(
        data=frame,
        evaluators=["attribution"],
        evaluator_config={"attribution": {"url": service, "language": "en", **options}},
        **labels,
    )


def the_run(store: mlflow.MlflowClient) -> Any:
    (run,) = store.search_runs(["0"])
    assert run.info.status == "FINISHED"
    return run


def test_a_table(service: str, store: mlflow.MlflowClient) -> None:
    data, labels = load_breast_cancer(return_X_y=True, as_frame=True)
    frame = data.assign(label=labels)
    quality = ["infidelity", "sensitivity_max"]
    method = {"name": "integrated_gradients", "n_steps": 64}
    found = evaluate(service, frame, model=TABLES, method=method, quality=quality, sample=12, pictures=2)
    assert found.metrics["attribution/examples"] == 12
    assert found.metrics["attribution/failed_examples"] == 0
    assert 0 <= found.metrics["attribution/completeness_error_mean"] < 0.05
    assert found.metrics["attribution/infidelity_mean"] >= 0
    assert found.metrics["attribution/sensitivity_max_mean"] > 0
    table = found.tables["attribution_attributions"]
    assert len(table) == 12 * 30
    mean = table["attribution"].abs().groupby(table["part"]).mean().sort_values(ascending=False)
    importances = found.tables["attribution_importances"]
    assert list(importances["name"]) == list(mean.index)
    assert np.allclose(importances["mean_absolute"], mean)
    first = table[table["example"] == table["example"].iloc[0]]
    assert np.allclose(first["value"], data.iloc[first["example"].iloc[0]], rtol=1e-5)
    run = the_run(store)
    with Client(service) as client:
        assert run.data.tags["attribution.model_digest"] == client.model(TABLES).digest
    assert run.data.tags["attribution.method.n_steps"] == "64"
    assert {
        "attribution.service",
        "attribution.captum",
        "attribution.torch",
        "attribution.seed",
    } <= run.data.tags.keys()
    pictures_logged = [name for name in found.artifacts if "examples" in name]
    assert len(pictures_logged) == 2
    assert found.artifacts["attribution_importances_chart"].content.size[0] > 500


def test_texts_of_which_one_cannot_be_explained(service: str, store: mlflow.MlflowClient) -> None:
    frame = pd.DataFrame({"text": [*TEXTS, "", "word " * 5_000]})
    found = evaluate(service, frame, model=SENTENCES, method={"name": "integrated_gradients", "n_steps": 20})
    failures = found.tables["attribution_failures"]
    assert found.metrics["attribution/examples"] + found.metrics["attribution/failed_examples"] == 6
    assert found.metrics["attribution/examples"] >= len(TEXTS)
    assert 4 in list(failures["example"])
    assert set(failures["stage"]) == {"explain"}
    importances = found.tables["attribution_importances"].set_index("name")
    assert importances.loc["lovely", "count"] == 2
    assert importances.loc["mess", "count"] == 2
    assert importances.loc["superb", "mean_absolute"] > importances.loc["the", "mean_absolute"]
    the_run(store)


def test_pictures(service: str, store: mlflow.MlflowClient, tmp_path: Path) -> None:
    paths = []
    for name, picture in pictures(3):
        paths.append(str(tmp_path / f"{name}.png"))
        picture.save(paths[-1])
    frame = pd.DataFrame({"file": [*paths, str(tmp_path / "absent.png")]})
    found = evaluate(service, frame, model=PICTURES, method="saliency", pictures=1)
    assert found.metrics["attribution/examples"] == 3
    assert found.metrics["attribution/failed_examples"] == 1
    (failure,) = found.tables["attribution_failures"].to_dict("records")
    assert (failure["example"], failure["error"]) == (3, "InputError")
    table = found.tables["attribution_attributions"]
    assert len(table) == 3 * 49
    assert set(table["kind"]) == {"region"}
    assert found.artifacts["attribution_examples_0"].content.size[0] >= 512
    assert found.artifacts["attribution_importances_chart"].content.size[0] > 500
    the_run(store)


def test_one_result(service: str, store: mlflow.MlflowClient, tmp_path: Path) -> None:
    with Client(service, language="en") as client, mlflow.start_run() as run:
        result = client.explain([CAT, CAT], model=PICTURES, method="layer_grad_cam")
        folder = log_explanation(result)
    local = Path(store.download_artifacts(run.info.run_id, folder, str(tmp_path)))
    assert {path.name for path in local.iterdir()} == {"0.png", "1.png", "attributions.npz", "explanation.json"}
    with np.load(local / "attributions.npz", allow_pickle=False) as arrays:
        assert np.array_equal(arrays[arrays.files[0]], result.values)
    assert json.loads((local / "explanation.json").read_text())["id"] == result.id
    table = mlflow.load_table("explanation_attributions.json", run_ids=[run.info.run_id])
    assert len(table) == 2 * 49
    assert np.isclose(table["attribution"].sum(), result.values.sum(), rtol=1e-4)
