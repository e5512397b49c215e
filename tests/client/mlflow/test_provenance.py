"""Provenance as tags."""

from attribution_client.mlflow.provenance import MAX_TAG, Provenance, provenance_of
from tests.client.mlflow.results import document, result


def test_versions_model_method_and_seed() -> None:
    found = provenance_of(result(layer="features.3"))
    assert found == {
        "service": "1",
        "captum": "0",
        "torch": "2",
        "device": "cpu",
        "dtype": "float32",
        "precision": "float32",
        "seed": "0",
        "model": "net",
        "model_version": "1",
        "model_digest": "sha256:0",
        "method": "integrated_gradients",
        "layer": "features.3",
        "method.n_steps": "50",
        "method.baseline": "zero",
    }


def test_a_tensor_stands_as_its_digest() -> None:
    baseline = {"tensor": {"datatype": "FP32", "shape": [1, 1000], "data": [0.5] * 1000}}
    method = {"name": "integrated_gradients", "baseline": baseline}
    first = provenance_of(result(method=method))["method.baseline"]
    baseline["tensor"]["data"] = [0.25] * 1000
    second = provenance_of(result(method=method))["method.baseline"]
    assert first.startswith("sha256:")
    assert len(first) < MAX_TAG
    assert first != second


def test_every_value_is_listed_where_results_differ() -> None:
    provenance = Provenance()
    source = document()["provenance"]
    for device in ("cpu", "cuda:0", "cpu"):
        provenance.add(result(provenance={**source, "device": device}))
    tags = provenance.tags()
    assert tags["device"] == "cpu; cuda:0"
    assert tags["torch"] == "2"


def test_many_values_do_not_outgrow_a_tag() -> None:
    provenance = Provenance()
    source = document()["provenance"]
    for seed in range(1000):
        provenance.add(result(provenance={**source, "seed": seed}))
    assert len(provenance.tags()["seed"]) == MAX_TAG
