"""Triton's HTTP client against the Open Inference Protocol's dialect."""

from typing import Any

import numpy as np

from tests.conformance.conformance_page import Conformance
from tests.conformance.environments import environment
from tests.conformance.expected import Expected, close
from tests.conformance.test_kserve import NO_SUCH_MODEL, check_texts, explained


def test_http(document: dict[str, Any], expected: Expected, conformance: Conformance) -> None:
    client = environment("triton")
    said = client.run("triton", document)
    assert said["live"]
    assert said["ready"]
    assert said["server"]["name"] == "attribution-service"
    assert said["model"]["inputs"] == [{"name": "input", "datatype": "FP64", "shape": [-1, 30]}]
    table = explained(said["table"])["attributions"][0]
    close(table, expected.table())
    for kind in ("table, JSON", "table, gzip"):
        close(explained(said[kind])["attributions"][0], expected.table())
    close([explained(one)["attributions"][0][0] for one in said["single rows"]], np.array(table))
    check_texts(explained(said["texts"]), expected)
    close(explained(said["picture"])["attributions"][0][0], expected.picture())
    assert NO_SUCH_MODEL in said["error"]
    call = "`InferenceServerClient.infer`"
    conformance.shows(client, f"{call}: 64 rows in binary, JSON and gzip, and each alone", "the output `explanation`")
    conformance.shows(client, f"{call}: two texts", "the output `explanation`, with words")
    conformance.shows(client, f"{call}: a picture's bytes", "the output `explanation`")
    conformance.shows(client, f"{call}: an unknown model", "`InferenceServerException`, 404, with the message")
    conformance.shows(client, "liveness, readiness, metadata of server and model", "as the protocol has them")
