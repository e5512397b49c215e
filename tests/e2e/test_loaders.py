"""A service with a model of each loader: what works, and what is refused with a reason before a job exists."""

import io
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from schemas.methods import METHODS
from tests.e2e.running import ROOT, RunningService
from tests.workers.models.loaders.programs import SHAPE, net, save_export, save_script, write
from tests.workers.models.loaders.transformers_folders import bert_model, save_image_model, save_text_model, vit_model

CAT = (ROOT / "models" / "efficientnet-lite0" / "chelsea.jpg").read_bytes()
TENSOR = {"tensor": {"datatype": "FP64", "shape": [1, *SHAPE], "data": [0.5] * 192}}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    directory = tmp_path_factory.mktemp("models")
    save_image_model(directory / "vit", vit_model())
    save_text_model(directory / "bert", bert_model())
    for name, loader, file, save in (
        ("scripted", "torchscript", "model.pt", save_script),
        ("exported", "export", "model.pt2", save_export),
    ):
        toml = write(directory / name, loader, file) / "model.toml"
        toml.write_text(toml.read_text().replace('"program"', f'"{name}"'))
        save(directory / name / file, net())
    service = RunningService(tmp_path_factory.mktemp("service") / "log", "--models", str(directory), standby=False)
    try:
        service.wait_until_ready()
        with httpx.Client(base_url=service.url, timeout=120) as client:
            yield client
    finally:
        code = service.stop()
    assert code == 0, service.log_tail()


def ask(client: httpx.Client, model: str, given: dict[str, Any], method: str | dict[str, Any]) -> httpx.Response:
    return client.post("/explain", params={"wait": 60}, json={"model": model, "input": given, "method": method})


def result(client: httpx.Client, response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    assert response.json()["status"] == "succeeded", response.text
    found: dict[str, Any] = client.get(f"/jobs/{response.json()['id']}/result").json()
    return found


@pytest.mark.parametrize("method", sorted(name for name, cls in METHODS.items() if cls.lane == "solo"))
def test_torchscript_refuses_each_method_that_needs_hooks(client: httpx.Client, method: str) -> None:
    fields = {"neuron_selector": 0, "layer": "relu"} if method.startswith("neuron_") else {}
    response = ask(client, "scripted", TENSOR, {"name": method, **fields})
    assert response.status_code == 422
    assert "TorchScript takes no hooks" in response.text
    card = {one["name"]: one for one in client.get("/models/scripted").json()["methods"]}
    assert not card[method]["supported"]
    assert "TorchScript takes no hooks" in card[method]["reason"]


@pytest.mark.parametrize("method", ["deep_lift", "lrp", "layer_deep_lift"])
def test_a_transformer_refuses_what_has_no_rule(client: httpx.Client, method: str) -> None:
    response = client.post("/explain", files={"image": CAT}, data={"model": "vit", "method": method})
    assert response.status_code == 422
    assert "layernorm_before (LayerNorm)" in response.text


@pytest.mark.parametrize(
    ("model", "method"),
    [("scripted", "integrated_gradients"), ("exported", "integrated_gradients"), ("exported", "deep_lift")],
)
def test_programs_answer(client: httpx.Client, model: str, method: str) -> None:
    found = result(client, ask(client, model, TENSOR, method))
    assert found["attributions"][0]["shape"] == [1, *SHAPE]
    assert abs(found["convergence_delta"][0]) < 1e-2


def test_a_text_folder_answers(client: httpx.Client) -> None:
    found = result(client, ask(client, "bert", {"text": "Superb acting, unlikely plot."}, "integrated_gradients"))
    assert [word["text"] for word in found["words"][0]] == ["Superb", "acting", ",", "unlikely", "plot", "."]


def test_grad_cam_of_a_vit_becomes_an_overlay(client: httpx.Client) -> None:
    """At the default layer, whose tokens of the picture still affect the output."""
    form = {"model": "vit", "method": '{"name": "layer_grad_cam", "upsample": true}', "target": "cat"}
    response = client.post("/explain", params={"wait": 60}, files={"image": CAT}, data=form)
    found = result(client, response)
    assert found["layer"] == "vit.layers.1.layernorm_before"
    assert found["attributions"][0]["shape"] == [1, 1, 32, 32]
    assert any(found["attributions"][0]["data"])
    overlay = client.get(f"/jobs/{found['id']}/overlay.png", params={"style": "side_by_side"})
    assert overlay.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(overlay.content)).width > 300
