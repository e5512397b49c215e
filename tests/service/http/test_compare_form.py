"""`POST /compare` as `multipart/form-data`: the same comparison as from JSON."""

import base64
import json
from typing import Any

import httpx
import pytest

from broker import JobStore
from schemas.errors import InvalidRequest
from service.http.compare_form import FIELDS, compare_document
from service.openapi.examples import NUCLEI, TINY_PNG
from service.routes.compare import FORM

pytestmark = pytest.mark.anyio
PNG = base64.b64decode(TINY_PNG)
CAT = [("image", PNG), ("models", "efficientnet-lite0")]
STEPS = {"name": "integrated_gradients", "n_steps": 20}
Parts = list[tuple[str, str | bytes]]


def files(parts: Parts) -> list[tuple[str, tuple[str | None, bytes | str]]]:
    """Bytes as a file, text as a plain field."""
    return [(name, ("a.bin" if isinstance(value, bytes) else None, value)) for name, value in parts]


@pytest.mark.parametrize(
    "given",
    [
        [("methods", "saliency"), ("methods", json.dumps(STEPS)), ("targets", "Egyptian cat"), ("targets", "null")],
        [("methods", json.dumps(["saliency", STEPS])), ("targets", '["Egyptian cat", null]')],
        [("methods", " saliency"), ("methods", f"[{json.dumps(STEPS)}]"), ("targets", "285"), ("targets", " null ")],
    ],
    ids=["repeated", "lists", "mixed"],
)
@pytest.mark.usefixtures("idle_worker")
async def test_the_same_cells_as_from_json(client: httpx.AsyncClient, given: Parts) -> None:
    answer = await client.post("/compare", files=files([*CAT, *given, ("seed", "3")]))
    assert answer.status_code == 202, answer.text
    body = {
        "models": ["efficientnet-lite0"],
        "input": {"image": TINY_PNG},
        "methods": ["saliency", STEPS],
        "targets": [285, None],
        "seed": 3,
    }
    same = (await client.post("/compare", json=body)).json()
    cells = [[(cell["method"], cell["target"]) for cell in told["cells"]] for told in (answer.json(), same)]
    assert cells[0] == cells[1]
    assert len(cells[0]) == 4


@pytest.mark.parametrize(
    ("given", "document"),
    [
        ([("models", "a, b@2"), ("text", "x")], {"models": ["a", "b@2"], "input": {"text": "x"}}),
        (
            [("models", "a"), ("text", "[x"), ("targets", "tabby, tabby cat"), ("targets", "7")],
            {"models": ["a"], "input": {"text": "[x"}, "targets": ["tabby, tabby cat", 7]},
        ),
        ([("models", "a"), ("features", json.dumps(NUCLEI))], {"models": ["a"], "input": {"features": NUCLEI}}),
        (
            [("models", b"a"), ("text", "x"), ("methods", "lime,saliency"), ("methods", "occlusion")],
            {"models": ["a"], "input": {"text": "x"}, "methods": ["lime", "saliency", "occlusion"]},
        ),
    ],
)
def test_read(given: Parts, document: dict[str, Any]) -> None:
    assert compare_document(given) == document


@pytest.mark.parametrize(
    ("given", "loc"),
    [
        ([*CAT, ("method", "saliency")], ["method"]),
        ([*CAT, ("n_steps", "5")], ["n_steps"]),
        ([*CAT, ("methods", "[")], ["methods"]),
        ([*CAT, ("methods", "{")], ["methods"]),
        ([*CAT, ("methods", "[" * 1000)], ["methods"]),
        ([*CAT, ("methods", "salience")], ["methods", 0]),
        ([*CAT, ("methods", "saliency,")], ["methods", 1]),
        ([*CAT, ("methods", "saliency," * 100_000)], ["methods", 0]),
        ([*CAT, ("targets", b"\xff")], ["targets"]),
        ([*CAT, ("targets", "-1")], ["targets", 0]),
        ([*CAT, ("image", PNG)], ["image"]),
        ([*CAT, ("seed", "1"), ("seed", "1")], ["seed"]),
        ([("image", PNG)], ["models"]),
        ([("models", "efficientnet-lite0")], ["input"]),
    ],
)
@pytest.mark.usefixtures("idle_worker")
async def test_refused(client: httpx.AsyncClient, store: JobStore, given: Parts, loc: list[str | int]) -> None:
    answer = await client.post("/compare", files=files(given))
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["loc"][: len(loc)] == loc, answer.text
    assert (await store.jobs.page()) == ([], None)


def test_a_parameter_of_its_own_says_what_is_known() -> None:
    with pytest.raises(InvalidRequest, match="models"):
        compare_document([("model", "a")])


def test_the_document_lists_the_fields() -> None:
    assert set(FORM["properties"]) == set(FIELDS)
