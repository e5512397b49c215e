"""What workers and the gateway store for clients is translated when a client reads it."""

import json
from typing import Any

import httpx
import pytest
import redis

from schemas.sentences import Sentence, SentenceParts, words
from service.openapi.examples import NUCLEI
from tests.broker.damage import damage_field
from tests.servers import StoreServer
from tests.service.conftest import finished
from tests.service.validation.refusals import text

pytestmark = pytest.mark.anyio
SPANISH = {"Accept-Language": "es"}
ENGLISH = {"Accept-Language": "en"}
CUT = {"es": "el texto se cortó a los 3 tokens", "en": "the text was cut after 3 tokens"}


async def said_in_both(client: httpx.AsyncClient, path: str) -> tuple[Any, Any]:
    """What a path answers to a Spanish and to an English reader. Neither sees how a sentence is stored."""
    answers = [await client.get(path, headers=headers) for headers in (SPANISH, ENGLISH)]
    for answer in answers:
        assert "parts" not in answer.text
        assert "template" not in answer.text
    return answers[0].json(), answers[1].json()


@pytest.mark.usefixtures("worker")
async def test_why_a_job_failed(client: httpx.AsyncClient) -> None:
    job_id = await finished(client, text(input={"text": "fail"}))
    spanish, english = await said_in_both(client, f"/jobs/{job_id}")
    assert spanish["error"] == {
        "code": "input_rejected",
        "title": "No se pudo usar la entrada",
        "detail": "el texto no tiene tokens",
    }
    assert english["error"]["detail"] == "the text has no tokens"
    listed, _ = await said_in_both(client, "/jobs")
    assert listed["jobs"][0]["error"] == spanish["error"]
    events = await client.get(f"/jobs/{job_id}/events", headers=SPANISH)
    assert "el texto no tiene tokens" in events.text
    refused, _ = await said_in_both(client, f"/jobs/{job_id}/result")
    assert refused["detail"] == "el estado del trabajo es failed: el texto no tiene tokens (input_rejected)"


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("query", ["", "?numbers=false"])
async def test_warnings_of_a_result(client: httpx.AsyncClient, query: str) -> None:
    job_id = await finished(client, text(input={"text": "a text that is cut"}))
    spanish, english = await said_in_both(client, f"/jobs/{job_id}/result{query}")
    assert (spanish["warnings"], english["warnings"]) == ([CUT["es"]], [CUT["en"]])
    assert {**spanish, "warnings": []} == {**english, "warnings": []}
    tags = [(await client.get(f"/jobs/{job_id}/result", headers=one)).headers["etag"] for one in (SPANISH, ENGLISH)]
    assert tags[0] != tags[1]


@pytest.mark.usefixtures("worker")
async def test_warnings_of_a_dialect(client: httpx.AsyncClient) -> None:
    body = {"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["a text that is cut"]}]}
    answer = await client.post("/v2/models/minilm-sentiment/infer", json=body, headers=SPANISH)
    assert answer.status_code == 200, answer.text
    assert CUT["es"] in answer.text


@pytest.mark.usefixtures("worker")
async def test_refused_cells_of_a_comparison(client: httpx.AsyncClient) -> None:
    methods = ["saliency", {"name": "occlusion", "sliding_window_shapes": [[99]]}]
    body = {"models": ["breast-cancer-mlp", "nosuch"], "input": {"features": NUCLEI}, "methods": methods}
    made = (await client.post("/compare?wait=15", json=body, headers=ENGLISH)).json()
    spanish, english = await said_in_both(client, made["links"]["self"])
    details = [[cell["error"] and cell["error"]["detail"] for cell in one["cells"]] for one in (spanish, english)]
    assert details[0][0] is None
    assert details[1][1] == "method.sliding_window_shapes.0: larger than 30, the example's extent"
    assert details[0][1] == "method.sliding_window_shapes.0: mayor que 30, el tamaño del ejemplo"
    assert details[0][2].startswith("no existe ese modelo; modelos: ")
    assert spanish["cells"][1]["error"]["title"] == "La petición no es válida"


@pytest.mark.usefixtures("worker")
async def test_why_a_model_does_not_support_a_method(client: httpx.AsyncClient) -> None:
    spanish, english = await said_in_both(client, "/models/maps")
    reasons = [
        next(one["reason"] for one in card["methods"] if one["name"] == "deep_lift") for card in (spanish, english)
    ]
    assert reasons == ["el modelo no tiene capas", "the model has no layers"]
    body = {"model": "maps", "method": "deep_lift", "target": 0}
    given = {"input": {"tensor": {"shape": [1, 2, 4, 4], "data": [1] * 32}}}
    refused = await client.post("/explain", json={**body, **given}, headers=SPANISH)
    assert refused.json()["detail"] == "method.name: este modelo no lo admite: el modelo no tiene capas"


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(
    "parts",
    [
        {"text": "the text has no tokens", "template": "{count} workers died while computing it", "parameters": {}},
        {"text": "the text has no tokens", "template": "{0.__class__}{a:>999999999999}", "parameters": {"a": 1}},
        {
            "text": "the text has no tokens",
            "template": "it made no progress for {seconds:g} s, or ended its worker, each time",
            "parameters": {"seconds": "x"},
        },
    ],
)
async def test_parts_that_do_not_fit_leave_the_stored_english(
    client: httpx.AsyncClient, store_server: StoreServer, namespace: str, parts: dict[str, Any]
) -> None:
    job_id = await finished(client, text(input={"text": "fail"}))

    def with_parts(stored: bytes) -> bytes:
        return json.dumps({**json.loads(stored), "parts": parts}).encode()

    with redis.Redis.from_url(store_server.url) as raw:
        damage_field(raw, f"{namespace}:job:{job_id}", "error", with_parts)
    job = (await client.get(f"/jobs/{job_id}", headers=SPANISH)).json()
    assert job["error"]["detail"] == "the text has no tokens"
    assert "parts" not in job["error"]


def test_sentences_inside_sentences_are_stored() -> None:
    made = Sentence("{reason} ({share:.0%}, {shape})", reason=words("a {brace}"), share=0.5, shape=[1, 2])
    parts = SentenceParts.of(made)
    assert parts is not None
    stored = SentenceParts.model_validate_json(parts.model_dump_json())
    again = stored.sentence()
    assert again == made == "a {brace} (50%, [1, 2])"
    assert again.template == made.template
    assert again.template.format_map(again.parameters) == made
    assert isinstance(again.parameters["reason"], Sentence)
