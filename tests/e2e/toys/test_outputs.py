"""Targets with positions, several labels at once, and ids, over HTTP."""

from typing import Any

import httpx
import pytest

VALUES = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]


def explained(toys: httpx.Client, body: dict[str, Any]) -> dict[str, Any]:
    answer = toys.post("/explain?wait=30", json=body)
    assert answer.status_code == 200, answer.text
    job = answer.json()
    assert job["status"] == "succeeded", job
    result: dict[str, Any] = toys.get(job["links"]["result"]).raise_for_status().json()
    assert job["target"] == result["target"]
    return result


@pytest.mark.parametrize("method", ["integrated_gradients", "deep_lift", "feature_ablation"])
def test_places_of_several_examples(toys: httpx.Client, method: str) -> None:
    tensor = {"shape": [2, 1, 2, 3], "data": VALUES * 2}
    targets = [["mat", 1, 2], [None, 0, 1]]
    result = explained(
        toys, {"model": "segments", "input": {"tensor": tensor}, "method": {"name": method}, "target": targets}
    )
    assert result["target"] == [
        {"index": 1, "label": "mat", "position": [1, 2]},
        {"index": 0, "label": "cat", "position": [0, 1]},
    ]
    assert result["attributions"][0]["data"] == pytest.approx([0] * 5 + [-18] + [0, 4, 0, 0, 0, 0])
    (cat, mat), _ = result["predictions"]
    assert (cat["label"], cat["position"], mat["label"]) == ("cat", [1, 2], "mat")
    assert cat["score"] == pytest.approx(1 / (1 + 2.718281828**-12), abs=1e-6)
    assert mat["score"] == pytest.approx(0, abs=1e-6)


def test_a_place_is_needed(toys: httpx.Client) -> None:
    body = {"model": "segments", "input": {"tensor": {"shape": [1, 1, 2, 3], "data": VALUES}}, "method": "saliency"}
    answer = toys.post("/explain", json=body)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["loc"] == ["target"]
    assert "[2, 2, 3]" in error["msg"]
    assert "null" in error["msg"]


def test_ids_are_explained_at_their_embedding(toys: httpx.Client) -> None:
    card = toys.get("/models/ids").raise_for_status().json()
    assert (card["defaults"]["layer"], card["defaults"]["method"]) == ("words", "layer_integrated_gradients")
    body = {"model": "ids", "input": {"tensor": {"datatype": "INT64", "shape": [1, 3], "data": [3, 0, 1]}}}
    result = explained(toys, body)
    assert (result["layer"], result["target"][0]["index"]) == ("words", 0)
    assert result["attributions"][0]["shape"] == [1, 3, 2]
    assert result["attributions"][0]["data"] == pytest.approx([3, 30, 0, 0, 1, 10])
    assert result["convergence_delta"] == pytest.approx([0], abs=1e-4)
    refused = toys.post("/explain", json={**body, "method": "integrated_gradients"}).json()
    assert "use layer_integrated_gradients with layer 'words'" in refused["errors"][0]["msg"]
    body["input"]["tensor"]["data"] = [3, 4, 1]  # type: ignore[index]
    assert toys.post("/explain", json=body).json()["errors"][0]["loc"] == ["input", "tensor", "data", 1]
