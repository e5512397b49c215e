"""Dialects on the running service: the pages' commands work, and the numbers are those of `POST /explain`."""

import base64
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.e2e.running import ROOT

PAGES = sorted((ROOT / "docs" / "migrate").glob("*.md"))
MODELS = ROOT / "models"
CAT = base64.b64encode((MODELS / "efficientnet-lite0" / "chelsea.jpg").read_bytes()).decode()
ROW: dict[str, float] = json.loads((MODELS / "breast-cancer-mlp" / "sample.json").read_text())
TEXTS = ["What a lovely film.", "The story is a tired, lifeless mess."]
TABLE, PICTURES, SENTENCES = "breast-cancer-mlp", "efficientnet-lite0", "minilm-sentiment"
ENDPOINTS = "/v1/projects/p/locations/l/endpoints"
LIMIT_S = 120


@pytest.fixture(scope="module")
def client(service: str) -> Iterator[httpx.Client]:
    computed = {"Cache-Control": "no-store"}  # so that no dialect takes another's result
    with httpx.Client(base_url=service, timeout=LIMIT_S, headers=computed) as client:
        yield client


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_page_work(service: str, page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    commands = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    assert commands
    for command in commands:
        done = subprocess.run(
            ["bash", "-euc", command],
            cwd=ROOT,
            env={**os.environ, "SERVICE": service, "no_proxy": "*"},
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    for heading in ("What is equal", "What is better", "What is missing"):
        assert f"\n## {heading}\n" in text


def own(client: httpx.Client, model: str, given: dict[str, Any], method: Any, target: Any = None) -> dict[str, Any]:
    """The result of `POST /explain`."""
    body = {"model": model, "input": given, "method": method, "target": target}
    answer = client.post("/explain?wait=60&answer=result", json=body)
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


def numbers(result: dict[str, Any]) -> Any:
    (tensor,) = result["attributions"]
    return np.array(tensor["data"]).reshape(tensor["shape"])


def posted(client: httpx.Client, path: str, **sent: Any) -> Any:
    answer = client.post(path, **sent)
    assert answer.status_code == 200, answer.text
    return answer.json()


def close(given: Any, expected: Any) -> None:
    """Equal but for rounding of float32, relative to the largest attribution."""
    np.testing.assert_allclose(given, expected, rtol=0, atol=2e-5 * float(np.abs(expected).max()))


def test_a_row_through_each(client: httpx.Client) -> None:
    values, names = list(ROW.values()), list(ROW)
    result = own(client, TABLE, {"features": ROW}, {"name": "integrated_gradients", "n_steps": 20}, 1)
    expected = [column["score"] for column in result["features"][0]]
    options = {"method": "integrated_gradients", "n_steps": 20, "target": 1}
    tensor = {"name": "rows", "datatype": "FP64", "shape": [1, len(values)], "data": values}
    body = {"inputs": [tensor], "parameters": {"explain_parameters": options}}
    (output,) = posted(client, f"/v2/models/{TABLE}/infer", json=body)["outputs"]
    close(json.loads(output["data"][0])["data"]["attributions"][0][0], expected)
    (output,) = posted(client, f"/v2/models/{TABLE}/explain", json=body)["outputs"]
    close(output["data"][0], expected)
    document = posted(client, f"/v1/models/{TABLE}:explain", json={"instances": [values], "parameters": options})
    close(document["explanations"][0], expected)
    form = {"data": (None, json.dumps(values)), "target": (None, "1"), "n_steps": (None, "20")}
    close(posted(client, f"/explanations/{TABLE}", files=form), expected)
    spec = {"parameters": {"outputIndices": [1], "integratedGradientsAttribution": {"stepCount": 20}}}
    document = posted(
        client, f"{ENDPOINTS}/{TABLE}:explain", json={"instances": [ROW], "explanationSpecOverride": spec}
    )
    (one,) = document["explanations"][0]["attributions"]
    close([one["featureAttributions"][name] for name in names], expected)
    metric = result["quality"]["completeness"][0]
    assert one["approximationError"] == pytest.approx(metric["relative_error"], abs=1e-6)
    difference = one["instanceOutputValue"] - one["baselineOutputValue"]
    assert difference == pytest.approx(metric["outputs_difference"], rel=1e-5)
    assert sum(one["featureAttributions"].values()) == pytest.approx(difference, rel=0.05)


def test_a_picture_through_each(client: httpx.Client) -> None:
    expected = numbers(own(client, PICTURES, {"image": CAT}, {"name": "integrated_gradients", "n_steps": 5}))[0]
    options = {"method": "integrated_gradients", "n_steps": 5}
    tensor = {"name": "picture", "datatype": "BYTES", "shape": [1], "data": [CAT]}
    body = {"inputs": [tensor], "parameters": options}
    close(posted(client, f"/v2/models/{PICTURES}/explain", json=body)["outputs"][0]["data"][0], expected)
    document = posted(client, f"/v1/models/{PICTURES}:explain", json={"instances": [CAT], "parameters": options})
    close(document["explanations"][0], expected)
    form = {"data": ("cat.jpg", base64.b64decode(CAT)), "n_steps": (None, "5")}
    close(posted(client, f"/explanations/{PICTURES}", files=form), expected)
    spec = {"parameters": {"integratedGradientsAttribution": {"stepCount": 5}, "topK": 3}}
    document = posted(
        client, f"{ENDPOINTS}/{PICTURES}:explain", json={"instances": [{"b64": CAT}], "explanationSpecOverride": spec}
    )
    first, *others = document["explanations"][0]["attributions"]
    close(first["featureAttributions"]["input"], expected)
    ranked = [prediction["index"] for prediction in document["predictions"][0][:3]]
    assert [one["outputIndex"][0] for one in (first, *others)] == ranked
    values = [one["instanceOutputValue"] for one in (first, *others)]
    assert values == sorted(values, reverse=True)


def test_texts_through_each(client: httpx.Client) -> None:
    """Of several lengths, so each is a job of its own."""
    expected = [
        [word["score"] for word in own(client, SENTENCES, {"text": text}, "integrated_gradients", 1)["words"][0]]
        for text in TEXTS
    ]
    tensor = {"name": "text", "datatype": "BYTES", "shape": [2], "data": TEXTS}
    body = {"inputs": [tensor], "parameters": {"target": 1}}
    (output,) = posted(client, f"/v2/models/{SENTENCES}/explain", json=body)["outputs"]
    for text, scores in zip(output["data"], expected, strict=True):
        close(json.loads(text)["importances"], scores)
    instances = {"instances": [{"data": text, "target": 1} for text in TEXTS]}
    explanations = posted(client, f"/v1/models/{SENTENCES}:explain", json=instances)["explanations"]
    spec = {"parameters": {"outputIndices": [1]}}
    vertex = posted(
        client, f"{ENDPOINTS}/{SENTENCES}:explain", json={"instances": TEXTS, "explanationSpecOverride": spec}
    )
    for index, scores in enumerate(expected):
        close(explanations[index]["importances"], scores)
        (one,) = vertex["explanations"][index]["attributions"]
        close(one["featureAttributions"]["importances"], scores)
        form = {"data": (None, TEXTS[index]), "target": (None, "1")}
        (said,) = posted(client, f"/explanations/{SENTENCES}", files=form)
        close(said["importances"], scores)
        assert said["delta"] is not None


def test_a_batch_of_64_equals_singles(client: httpx.Client) -> None:
    rows = [[value * (1 + index / 640) for value in ROW.values()] for index in range(64)]
    together = posted(client, f"/v1/models/{TABLE}:explain", json={"instances": rows})["explanations"]
    for index in (0, 31, 63):
        (alone,) = posted(client, f"/v1/models/{TABLE}:explain", json={"instances": [rows[index]]})["explanations"]
        close(together[index], alone)
