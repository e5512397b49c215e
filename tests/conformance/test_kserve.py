"""KServe's own client: `explain` of protocol v1 and `infer` of protocol v2."""

import json
from typing import Any

import numpy as np

from tests.conformance.conformance_page import Conformance
from tests.conformance.environments import environment
from tests.conformance.expected import Expected, close

NO_SUCH_MODEL = "no such model"


def test_v1(document: dict[str, Any], expected: Expected, conformance: Conformance) -> None:
    client = environment("kserve")
    said = client.run("kserve_v1", document)
    assert said["live"]
    assert said["ready"]
    table = said["table"]
    close(table["explanations"], expected.table())
    assert [one[0]["label"] for one in table["predictions"]] == ["malignant"] * len(document["rows"])
    close([one["explanations"][0] for one in said["single rows"]], np.array(table["explanations"]))
    for one, scores in zip(said["texts"]["explanations"], expected.texts(), strict=True):
        close(one["importances"], scores)
    close(said["picture"]["explanations"][0], expected.picture())
    assert said["picture"]["predictions"][0][0]["label"] == "Egyptian cat"
    assert NO_SUCH_MODEL in said["error"]
    assert "404" in said["error"]
    call = "`InferenceRESTClient.explain`, protocol v1"
    conformance.shows(client, f"{call}: 64 rows, and each alone", "`explanations` and `predictions` of each")
    conformance.shows(client, f"{call}: two texts", "`words`, `importances`, `delta` of each")
    conformance.shows(client, f"{call}: a picture as base64", "numbers of shape (3, 224, 224)")
    conformance.shows(client, f"{call}: an unknown model", "`HTTPStatusError`, 404, with the message")
    conformance.shows(client, "`is_server_live`, `is_model_ready`", "true")


def test_v2(document: dict[str, Any], expected: Expected, conformance: Conformance) -> None:
    client = environment("kserve")
    said = client.run("kserve_v2", document)
    assert said["live"]
    assert said["ready"]
    table = explained(said["table"])
    close(table["attributions"][0], expected.table())
    close(explained(said["table, binary"])["attributions"][0], expected.table())
    close([explained(one)["attributions"][0][0] for one in said["single rows"]], np.array(table["attributions"][0]))
    check_texts(explained(said["texts, binary"]), expected)
    close(explained(said["picture"])["attributions"][0][0], expected.picture())
    assert NO_SUCH_MODEL in said["error"]
    call = "`InferenceRESTClient.infer`, protocol v2"
    conformance.shows(client, f"{call}: 64 rows in JSON and binary, and each alone", "the output `explanation`")
    conformance.shows(client, f"{call}: two texts, binary", "the output `explanation`, with words")
    conformance.shows(client, f"{call}: a picture as base64", "the output `explanation`")
    conformance.shows(client, f"{call}: an unknown model", "`HTTPStatusError`, 404, with the message")
    conformance.shows(client, "`is_server_live`, `is_server_ready`, `is_model_ready`, v2", "true")


def explained(outputs: list[dict[str, Any]]) -> dict[str, Any]:
    """The `data` of an Alibi explanation that came back as a tensor of bytes."""
    (output,) = outputs
    assert (output["name"], output["shape"]) == ("explanation", [1, 1])
    (text,) = output["data"]
    data: dict[str, Any] = json.loads(text)["data"]
    return data


def check_texts(data: dict[str, Any], expected: Expected) -> None:
    for words, tokens, mine, tokens_of_mine in zip(
        data["words"], data["attributions"][0], expected.texts(), expected.tokens(), strict=True
    ):
        close([word["score"] for word in words], mine)
        close(tokens, tokens_of_mine)
