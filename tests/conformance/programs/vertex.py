"""Vertex AI's client, once through its transport and once through `Endpoint.explain`.

Reads a JSON document from standard input, and prints what the client returned. `Endpoint.explain` talks TLS only.
"""

import json
import sys
from urllib.parse import urlsplit

from google.api_core.exceptions import GoogleAPICallError
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform
from google.cloud.aiplatform_v1.services.prediction_service.transports.rest import PredictionServiceRestTransport
from google.cloud.aiplatform_v1.types import ExplainRequest, ExplainResponse, ExplanationSpecOverride
from google.protobuf import json_format
from google.protobuf.struct_pb2 import Value

PARENT = "projects/p/locations/us-central1/endpoints"


def value(given: object) -> Value:
    return json_format.ParseDict(given, Value())


def by_transport(given: dict) -> dict:
    models = given["models"]
    transport = PredictionServiceRestTransport(
        host=urlsplit(given["url"]).netloc, url_scheme="http", credentials=AnonymousCredentials()
    )

    def explain(kind: str, instances: list, model: str | None = None) -> dict:
        request = ExplainRequest(
            endpoint=f"{PARENT}/{model or models[kind]}",
            explanation_spec_override=ExplanationSpecOverride(given["overrides"][kind]),
        )
        request.instances.extend(value(one) for one in instances)
        answer = transport.explain(request, timeout=given["limit_s"])
        return json_format.MessageToDict(ExplainResponse.pb(answer))

    rows = given["named_rows"]
    said = {
        "table": explain("table", rows),
        "single rows": [explain("table", [row]) for row in rows],
        "texts": explain("text", [{"content": text} for text in given["texts"]]),
        "picture": explain("picture", [{"b64": given["picture"]}]),
    }
    try:
        explain("table", rows, "no-such-model")
    except GoogleAPICallError as error:
        said["error"] = f"{type(error).__name__}: {error.message}"
    return said


def by_endpoint(given: dict) -> dict:
    aiplatform.init(
        project="p",
        location="us-central1",
        api_endpoint=urlsplit(given["tls_url"]).netloc,
        api_transport="rest",
        credentials=AnonymousCredentials(),
    )

    def explain(kind: str, instances: list) -> dict:
        answer = aiplatform.Endpoint(f"{PARENT}/{given['models'][kind]}").explain(
            instances=instances, timeout=given["limit_s"]
        )
        return {
            "predictions": answer.predictions,
            "explanations": [json_format.MessageToDict(one._pb) for one in answer.explanations],
        }

    return {
        "table": explain("table", given["named_rows"][:2]),
        "texts": explain("text", given["texts"]),
        "picture": explain("picture", [{"b64": given["picture"]}]),
    }


document = json.load(sys.stdin)
print(json.dumps({"transport": by_transport(document), "endpoint": by_endpoint(document)}))
