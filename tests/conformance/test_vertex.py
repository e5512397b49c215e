"""Vertex AI's client: its generated transport over plain HTTP, and `Endpoint.explain` over TLS."""

import ssl
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme

from tests.conformance.conformance_page import Conformance
from tests.conformance.environments import environment
from tests.conformance.expected import Expected, close
from tests.conformance.tls_proxy import tls_proxy

OVERRIDES = {
    "table": {"parameters": {"output_indices": [1], "integrated_gradients_attribution": {"step_count": 20}}},
    "text": {"parameters": {"output_indices": [1], "integrated_gradients_attribution": {"step_count": 20}}},
    "picture": {"parameters": {"top_k": 2, "integrated_gradients_attribution": {"step_count": 5}}},
}


@pytest.fixture(scope="module")
def said(document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the program has received, by both ways."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    bundle = tmp_path_factory.mktemp("tls") / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))
    address = urlsplit(document["url"])
    assert address.hostname is not None
    assert address.port is not None
    with tls_proxy(context, (address.hostname, address.port)) as port:
        sent = {**document, "overrides": OVERRIDES, "tls_url": f"https://localhost:{port}"}
        return environment("vertex").run("vertex", sent, REQUESTS_CA_BUNDLE=str(bundle))


def scores(explanation: dict[str, Any], names: list[str]) -> list[float]:
    (one,) = explanation["attributions"]
    return [one["featureAttributions"][name] for name in names]


def test_transport(said: Any, document: dict[str, Any], expected: Expected, conformance: Conformance) -> None:
    got = said["transport"]
    names = list(document["named_rows"][0])
    table = [scores(one, names) for one in got["table"]["explanations"]]
    close(table, expected.table())
    close([scores(one["explanations"][0], names) for one in got["single rows"]], expected.table())
    for one in got["table"]["explanations"]:
        (attribution,) = one["attributions"]
        difference = attribution["instanceOutputValue"] - attribution["baselineOutputValue"]
        assert sum(attribution["featureAttributions"].values()) == pytest.approx(difference, rel=0.05)
        assert 0 <= attribution["approximationError"] < 0.05
        assert attribution["outputIndex"] == [1]
        assert attribution["outputDisplayName"] == "benign"
    for one, mine in zip(got["texts"]["explanations"], expected.texts(), strict=True):
        close(one["attributions"][0]["featureAttributions"]["importances"], mine)
    first, second = got["picture"]["explanations"][0]["attributions"]
    close(first["featureAttributions"]["input"], expected.picture())
    assert first["instanceOutputValue"] > second["instanceOutputValue"]
    assert got["error"].startswith("NotFound: ")
    assert "no such model" in got["error"]
    client = environment("vertex")
    call = "`PredictionServiceRestTransport.explain`"
    conformance.shows(client, f"{call}: 64 rows, and each alone", "`explanations` with `approximationError`")
    conformance.shows(client, f"{call}: two texts", "`words` and `importances` of each")
    conformance.shows(client, f"{call}: a picture, `top_k` 2", "numbers of shape (3, 224, 224) for two outputs")
    conformance.shows(client, f"{call}: an unknown model", "`NotFound` with the message")


def test_endpoint(said: Any, document: dict[str, Any], by_defaults: Expected, conformance: Conformance) -> None:
    got = said["endpoint"]
    names = list(document["named_rows"][0])
    close([scores(one, names) for one in got["table"]["explanations"]], by_defaults.table()[:2])
    for one, mine in zip(got["texts"]["explanations"], by_defaults.texts(), strict=True):
        close(one["attributions"][0]["featureAttributions"]["importances"], mine)
    (picture,) = got["picture"]["explanations"]
    close(picture["attributions"][0]["featureAttributions"]["input"], by_defaults.picture())
    assert got["picture"]["predictions"]
    client = environment("vertex")
    conformance.shows(client, "`Endpoint.explain` over TLS: rows, texts, a picture", "an explanation of each")
