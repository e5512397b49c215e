"""A picture, a table row and a sentence, explained through the running service, end to end."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import load

from schemas.methods import METHOD_NAMES, METHODS, AnyMethod, IntegratedGradients, Saliency, stored_fields
from tests.e2e.running import ROOT
from tests.workers.methods.captum_calls import max_relative_difference
from tests.workers.shipped import methods_for, shipped_model

MODELS = ROOT / "models"
CAT = (MODELS / "efficientnet-lite0" / "chelsea.jpg").read_bytes()
CATS_FACE = (0.30, 0.10, 0.75, 0.85)  # left, top, right, bottom, as fractions of the picture
SENTENCE = (MODELS / "minilm-sentiment" / "sample.txt").read_text().strip()
ROW = json.loads((MODELS / "breast-cancer-mlp" / "sample.json").read_text())


@pytest.fixture(scope="module")
def client(service: str) -> Iterator[httpx.Client]:
    computed = {"Cache-Control": "no-store"}  # independent of other tests' requests
    with httpx.Client(base_url=service, timeout=120, headers=computed) as client:
        yield client


SAMPLES: dict[str, dict[str, object]] = {
    "efficientnet-lite0": {"files": {"image": ("cat.jpg", CAT, "image/jpeg")}},
    "breast-cancer-mlp": {"files": {"features": (None, json.dumps(ROW))}},
    "minilm-sentiment": {"files": {"text": (None, SENTENCE)}},
}


def explain(client: httpx.Client, model: str, method: dict[str, object], **fields: object) -> dict[str, object]:
    """Runs a method on the model's sample. Returns the finished job."""
    data = {"model": model, "method": json.dumps(method), **fields}
    response = client.post("/explain", params={"wait": 60}, data=data, **SAMPLES[model])  # type: ignore[arg-type]
    assert response.status_code == 200, response.text
    job: dict[str, object] = response.json()
    assert job["status"] == "succeeded", job
    return job


def result(client: httpx.Client, job: dict[str, object]) -> dict[str, object]:
    found: dict[str, object] = client.get(f"/jobs/{job['id']}/result").json()
    return found


@pytest.mark.parametrize("name", METHOD_NAMES)
@pytest.mark.parametrize("model", ["breast-cancer-mlp", "efficientnet-lite0", "minilm-sentiment"])
def test_every_method_answers_for_every_model(client: httpx.Client, model: str, name: str) -> None:
    """A method that a model does not support is refused with the reason in the model card."""
    card = client.get(f"/models/{model}").json()
    support = next(one for one in card["methods"] if one["name"] == name)
    method = next((one for one in methods_for(model) if one.name == name), None)
    if not support["supported"] or method is None:
        unit = {"neuron_selector": 0} if "neuron_selector" in METHODS[name].model_fields else {}
        data = {"model": model, "method": json.dumps({"name": name, **unit})}
        refused = client.post("/explain", data=data, **SAMPLES[model])  # type: ignore[arg-type]
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["loc"][0] in {"method", "input"}
        assert support["supported"] or support["reason"] in refused.json()["detail"]
        return
    job = explain(client, model, method.model_dump())
    assert job["progress"]["fraction"] == 1.0  # type: ignore[index]
    found = result(client, job)
    for tensor in found["attributions"]:  # type: ignore[attr-defined]
        assert len(tensor["data"]) == np.prod(tensor["shape"])
        assert np.isfinite(tensor["data"]).all()
    assert found["predictions"][0][0]["score"] > 0.5  # type: ignore[index]
    assert found["timing"]["rows"] > 0  # type: ignore[index]
    picture = client.get(f"/jobs/{job['id']}/overlay.png")
    if len(tensor["shape"]) < 4 and not found["features"] and not found["words"]:  # the units of a layer have no place
        assert picture.status_code == 406
    else:
        assert picture.status_code == 200
        assert Image.open(io.BytesIO(picture.content)).format == "PNG"


def test_methods_that_need_several_rows_or_few_features(client: httpx.Client) -> None:
    rows = [{name: value * scale for name, value in ROW.items()} for scale in (0.8, 1.0, 1.2)]
    thirds = {"tensor": {"datatype": "INT64", "shape": [1, 30], "data": [k // 10 for k in range(30)]}}
    for method in ({"name": "feature_permutation"}, {"name": "shapley_values", "feature_mask": thirds}):
        request = {"model": "breast-cancer-mlp", "input": {"features": rows}, "method": method, "target": 0}
        job = client.post("/explain?wait=30", json=request).json()
        assert job["status"] == "succeeded", job
        scores = np.array([[f["score"] for f in row] for row in result(client, job)["features"]])  # type: ignore[union-attr]
        assert scores.shape == (3, 30)
        assert np.abs(scores).max() > 0


@pytest.mark.parametrize(
    ("model", "method"),
    [
        ("efficientnet-lite0", {"name": "kernel_shap", "feature_mask": {"superpixels": 12}, "n_samples": 30}),
        ("minilm-sentiment", {"name": "lime", "feature_mask": "words"}),
        ("minilm-sentiment", {"name": "shapley_value_sampling", "feature_mask": "words", "n_samples": 3}),
    ],
)
def test_superpixels_and_words_are_features(client: httpx.Client, model: str, method: dict[str, object]) -> None:
    found = result(client, explain(client, model, method))
    values = np.array(found["attributions"][0]["data"])  # type: ignore[index]
    assert 2 <= len(np.unique(values)) <= 25  # as many as there are features, not pixels


@pytest.mark.parametrize(
    ("model", "method", "unit", "most"),
    [
        ("breast-cancer-mlp", {"name": "integrated_gradients", "n_steps": "auto"}, "steps", 30),
        ("minilm-sentiment", {"name": "integrated_gradients", "n_steps": "auto", "tolerance": 0.02}, "steps", 60),
        ("efficientnet-lite0", {"name": "integrated_gradients", "n_steps": "auto"}, "steps", 60),
        ("breast-cancer-mlp", {"name": "kernel_shap", "n_samples": 1000, "tolerance": 0.1}, "samples", 999),
        ("breast-cancer-mlp", {"name": "smooth_grad", "nt_samples": 500, "tolerance": 0.05}, "samples", 499),
    ],
    ids=lambda value: value["name"] if isinstance(value, dict) else str(value),
)
def test_what_stops_by_itself_says_when(
    client: httpx.Client, model: str, method: dict[str, object], unit: str, most: int
) -> None:
    job = explain(client, model, method)
    assert job["progress"]["fraction"] == 1.0  # type: ignore[index]
    found = result(client, job)
    assert found["warnings"] == []
    convergence: dict[str, list[float]] = found["convergence"]  # type: ignore[assignment]
    (count,), (error,) = convergence["counts"], convergence["errors"]
    assert convergence["unit"] == unit
    assert 3 <= count <= most
    assert error <= convergence["tolerance"] == method.get("tolerance", 0.01)
    assert found["timing"]["rows"] <= count + 2  # type: ignore[index]


def test_the_cat_is_why_it_says_egyptian_cat(client: httpx.Client) -> None:
    job = explain(client, "efficientnet-lite0", {"name": "integrated_gradients", "n_steps": 20}, target="Egyptian cat")
    found = result(client, job)
    best = found["predictions"][0][0]  # type: ignore[index]
    assert best["label"] == "Egyptian cat"
    assert 0.7 < best["score"] < 0.85
    drawing = {"style": "heatmap", "colormap": "gray", "size": 200, "smooth": 0.015, "caption": False}
    heat = Image.open(io.BytesIO(client.get(f"/jobs/{job['id']}/overlay.png", params=drawing).content))
    values = np.asarray(heat.convert("L"), float)
    height, width = values.shape
    left, top, right, bottom = (int(f * side) for f, side in zip(CATS_FACE, (width, height) * 2, strict=True))
    rows, columns = np.nonzero(values >= np.quantile(values, 0.98))
    on_face = (left <= columns) & (columns < right) & (top <= rows) & (rows < bottom)
    assert on_face.mean() > 0.7  # of the hottest fiftieth; the face is a third of the picture


@pytest.mark.parametrize(
    "method", [Saliency(), IntegratedGradients(n_steps=8, baseline="zero")], ids=lambda method: method.name
)
@pytest.mark.parametrize("model", ["breast-cancer-mlp", "efficientnet-lite0"])
def test_over_http_it_is_captums_answer(client: httpx.Client, model: str, method: AnyMethod) -> None:
    """In one of the two memory layouts: which one the worker took is its own measurement.

    Of EfficientNet, the two are 1 % apart at a few pixels, where an activation is within rounding of a bend of ReLU6.
    """
    expected = shipped_model(model).captum_by_layout(method, 0)
    job = explain(client, model, stored_fields(method), target="1")
    tensors = client.get(f"/jobs/{job['id']}/result", headers={"Accept": "application/vnd.safetensors"}).content
    ours = tuple(torch.from_numpy(array.copy()) for array in load(tensors).values())
    assert min(max_relative_difference(ours, one) for one in expected) <= 1e-4


@pytest.mark.parametrize("model", sorted(SAMPLES))
def test_quality_metrics(client: httpx.Client, model: str) -> None:
    """The insertion curve of the strongest features has a larger area than the deletion curve."""
    metrics: list[object] = [
        "infidelity",
        {"name": "sensitivity_max", "n_perturb_samples": 2},
        {"name": "deletion_insertion", "n_steps": 6},
        *([{"name": "randomization", "stages": 1}] if model == "breast-cancer-mlp" else []),
    ]
    job = explain(client, model, {"name": "integrated_gradients", "n_steps": 10}, quality=json.dumps(metrics))
    found = result(client, job)["quality"]
    assert isinstance(found, dict)
    (complete,) = found["completeness"]
    assert complete["error"] == pytest.approx(complete["attributions_sum"] - complete["outputs_difference"], abs=1e-6)
    assert found["infidelity"]["values"][0] >= 0
    assert found["sensitivity_max"]["values"][0] > 0
    curves = found["deletion_insertion"]
    assert curves["unit"] == {"minilm-sentiment": "tokens", "breast-cancer-mlp": "columns"}.get(model, "pixels")
    (example,) = curves["examples"]
    assert example["insertion"]["auc"] > example["deletion"]["auc"]
    assert example["deletion"]["values"][0] == pytest.approx(example["insertion"]["values"][-1], abs=1e-5)
    assert (found["randomization"] is not None) == (model == "breast-cancer-mlp")
    pictures = [
        client.get(f"/jobs/{job['id']}/quality.png", headers={"Accept-Language": language}) for language in ("en", "es")
    ]
    assert all(Image.open(io.BytesIO(picture.content)).format == "PNG" for picture in pictures)
    assert pictures[0].content != pictures[1].content


def test_a_sentence_comes_back_by_token_and_by_word(client: httpx.Client) -> None:
    found = result(client, explain(client, "minilm-sentiment", {"name": "integrated_gradients"}))
    tokens, words = found["tokens"][0], found["words"][0]  # type: ignore[index]
    assert all(SENTENCE[word["start"] : word["end"]] == word["text"] for word in words)
    assert {word["text"] for word in words} >= {"gorgeous", "lifeless"}
    assert sum(word["score"] for word in words) == pytest.approx(sum(t["score"] for t in tokens), abs=1e-4)
    assert [len(tokens)] == found["attributions"][0]["shape"][1:]  # type: ignore[index]
    assert abs(found["convergence_delta"][0]) < 0.01  # type: ignore[index]


def test_rows_of_a_table_come_back_by_column_in_their_own_units(client: httpx.Client) -> None:
    rows = [ROW, {name: value * 0.9 for name, value in ROW.items()}]
    request = {
        "model": "breast-cancer-mlp",
        "input": {"features": rows},
        "method": "deep_lift",
        "target": ["malignant", 1],
    }
    job = client.post("/explain?wait=30", json=request).json()
    found = result(client, job)
    assert [t["label"] for t in found["target"]] == ["malignant", "benign"]  # type: ignore[union-attr]
    for row, columns in zip(rows, found["features"], strict=True):  # type: ignore[arg-type]
        assert {f["name"]: pytest.approx(f["value"]) for f in columns} == row
    assert all(abs(delta) < 1e-3 for delta in found["convergence_delta"])  # type: ignore[union-attr]


def test_every_format_holds_the_same_numbers(client: httpx.Client) -> None:
    job = explain(client, "breast-cancer-mlp", {"name": "integrated_gradients"})
    url = f"/jobs/{job['id']}/result"
    values = np.array(result(client, job)["attributions"][0]["data"], np.float32)  # type: ignore[index]
    npy = np.load(io.BytesIO(client.get(url, headers={"Accept": "application/x-npy"}).content), allow_pickle=False)
    tensors = load(client.get(url, headers={"Accept": "application/vnd.safetensors"}).content)
    assert np.array_equal(npy.ravel(), values)
    assert np.array_equal(tensors["input"].ravel(), values)


def test_the_sample_files_are_there() -> None:
    for folder in MODELS.iterdir():
        if (folder / "model.toml").exists():
            assert (folder / "README.md").exists()
            assert any((folder / name).exists() for name in ("chelsea.jpg", "sample.json", "sample.txt"))
            assert "icen" in Path(folder / "README.md").read_text()
