"""The same requests as `multipart/form-data`."""

import base64
import json
from typing import Any

import httpx
import pytest

from broker import JobStore
from service.http.form import form_document
from service.openapi.examples import NUCLEI, TINY_PNG
from service.tuning import MAX_FORM_FIELDS
from service.validation.document.body import read_request

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("idle_worker")]
PNG = base64.b64decode(TINY_PNG)
Parts = list[tuple[str, tuple[str | None, bytes | str]]]


def parts(**fields: str | bytes) -> Parts:
    """Bytes as a file, text as a plain field."""
    return [(name, ("a.bin" if isinstance(value, bytes) else None, value)) for name, value in fields.items()]


@pytest.mark.parametrize(
    ("fields", "method", "target"),
    [
        (
            parts(
                model="efficientnet-lite0",
                image=PNG,
                method="integrated_gradients",
                n_steps="20",
                baseline="blur",
                target="285",
            ),
            {"name": "integrated_gradients", "n_steps": 20, "baseline": "blur"},
            [285],
        ),
        (
            parts(
                model="efficientnet-lite0", image=PNG, method="integrated_gradients", n_steps="auto", tolerance="0.02"
            ),
            {"name": "integrated_gradients", "n_steps": "auto", "tolerance": 0.02},
            None,
        ),
        (
            parts(
                model="efficientnet-lite0",
                image=PNG,
                method="layer_grad_cam",
                layer="features.7",
                target="Egyptian cat",
                upsample="true",
            ),
            {"name": "layer_grad_cam", "layer": "features.7", "upsample": True},
            [285],
        ),
        (
            parts(
                model="efficientnet-lite0",
                image=PNG,
                method="occlusion",
                sliding_window_shapes="[3, 32, 32]",
                strides="[3, 16, 16]",
                seed="3",
            ),
            {"sliding_window_shapes": [3, 32, 32]},
            None,
        ),
        (
            parts(
                model="breast-cancer-mlp",
                features=json.dumps([NUCLEI] * 2),
                method='{"name": "saliency", "abs": false}',
                target='[0, "benign"]',
            ),
            {"name": "saliency", "abs": False},
            [0, 1],
        ),
        (
            parts(model="breast-cancer-mlp", features=json.dumps(NUCLEI).encode(), version="1"),
            {"name": "integrated_gradients"},
            None,
        ),
        (parts(model="minilm-sentiment", text="¡Bien!", priority="batch"), {"baseline": "pad"}, None),
        (
            parts(
                model="efficientnet-lite0",
                image=PNG,
                method="neuron_feature_ablation",
                neuron_selector="[3, 2, 2]",
                feature_mask='{"grid": [4, 4]}',
            ),
            {"neuron_selector": [3, 2, 2], "feature_mask": {"grid": [4, 4]}, "layer": "features.17"},
            None,
        ),
        (
            parts(
                model="efficientnet-lite0",
                image=PNG,
                method="guided_grad_cam",
                layer="features.7",
                interpolate_mode="bilinear",
            ),
            {"interpolate_mode": "bilinear", "layer": "features.7"},
            None,
        ),
    ],
    ids=["image", "auto", "layer", "windows", "rows", "file", "text", "unit", "guided"],
)
async def test_accepted(
    client: httpx.AsyncClient, store: JobStore, fields: Parts, method: dict[str, Any], target: list[int] | None
) -> None:
    response = await client.post("/explain", files=fields)
    assert response.status_code == 202, response.text
    spec = (await store.jobs.get(response.json()["id"])).spec
    assert {key: spec.method[key] for key in method} == method
    assert spec.target == target


@pytest.mark.parametrize(
    ("fields", "loc"),
    [
        (parts(model="minilm-sentiment", text="x", metod="saliency"), ["metod"]),
        (parts(model="minilm-sentiment", text="x", method="saliency", n_steps="5"), ["method", "n_steps"]),
        (parts(model="minilm-sentiment", text="x", n_steps="5"), ["n_steps"]),
        (
            parts(model="minilm-sentiment", text="x", method="integrated_gradients", n_steps="many"),
            ["method", "n_steps"],
        ),
        (parts(model="minilm-sentiment", text="x", method="{"), ["method"]),
        (
            parts(model="minilm-sentiment", text="x", method='{"name": "saliency", "abs": true}', abs="true"),
            ["method", "abs"],
        ),
        (parts(model="minilm-sentiment", text="x", seed="x"), ["seed"]),
        (parts(model="minilm-sentiment", text=b"\xff\xfe"), ["text"]),
        (parts(model="minilm-sentiment", text="x") + parts(text="y"), ["text"]),
        (parts(model="minilm-sentiment"), ["input"]),
        (parts(model="minilm-sentiment", text="x", target="-1"), ["target"]),
        (parts(model="breast-cancer-mlp", features="{"), ["input", "features"]),
        (parts(model="breast-cancer-mlp", features="[" * 1000), ["input", "features"]),
        (parts(model="efficientnet-lite0", image=TINY_PNG), ["input", "image"]),
        (parts(model="efficientnet-lite0", image=PNG[:80]), ["input", "image"]),
        (parts(model="efficientnet-lite0", image=b""), ["input", "image"]),
        (parts(model="efficientnet-lite0", image=PNG, text="both"), ["input"]),
    ],
)
async def test_refused(client: httpx.AsyncClient, store: JobStore, fields: Parts, loc: list[str | int]) -> None:
    response = await client.post("/explain", files=fields)
    assert response.status_code == 422, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert [error["loc"] for error in response.json()["errors"]] == [loc]
    assert (await store.jobs.page()) == ([], None)


@pytest.mark.parametrize(
    ("content", "media"),
    [
        (b"", "multipart/form-data"),
        (b"nothing of the kind", "multipart/form-data; boundary=x"),
        (b"--x\r\nContent-Disposition: form-data\r\n\r\nno name\r\n--x--\r\n", "multipart/form-data; boundary=x"),
        (
            b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\n' + b"a" * (4 * 1024 * 1024),
            "multipart/form-data; boundary=y",
        ),
        (
            b"".join(
                b'--x\r\nContent-Disposition: form-data; name="f%d"\r\n\r\n1\r\n' % i
                for i in range(MAX_FORM_FIELDS + 1)
            )
            + b"--x--",
            "multipart/form-data; boundary=x",
        ),
        (
            b"".join(
                b'--x\r\nContent-Disposition: form-data; name="f%d"; filename="a"\r\n\r\n1\r\n' % i for i in range(9)
            )
            + b"--x--",
            "multipart/form-data; boundary=x",
        ),
    ],
    ids=["no boundary", "no form", "no name", "wrong boundary", "too many fields", "too many files"],
)
async def test_malformed(client: httpx.AsyncClient, content: bytes, media: str) -> None:
    response = await client.post("/explain", content=content[: 1024 * 1024], headers={"Content-Type": media})
    assert response.status_code == 400, response.text
    assert response.json()["type"].endswith("malformed-body")


def test_layer_that_looks_like_a_number() -> None:
    document = form_document({"model": "m", "text": "x", "method": "layer_activation", "layer": "1"})
    method = read_request(document).method
    assert method is not None
    assert getattr(method, "layer", None) == "1"


def test_forms() -> None:
    fields = {"model": "breast-cancer-mlp", "features": json.dumps(NUCLEI), "method": "saliency"}
    assert form_document({**fields, "quality": "infidelity, sensitivity_max"})["quality"] == [
        "infidelity",
        "sensitivity_max",
    ]
    listed = [{"name": "infidelity", "normalize": True}]
    assert form_document({**fields, "quality": json.dumps(listed)})["quality"] == listed
