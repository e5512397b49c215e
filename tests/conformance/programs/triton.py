"""Triton's HTTP client. Reads a JSON document from standard input, and prints what the client returned."""

import json
import sys
from base64 import b64decode
from urllib.parse import urlsplit

import numpy as np
from tritonclient.http import InferenceServerClient, InferInput
from tritonclient.utils import InferenceServerException


def main(given: dict) -> dict:
    address = urlsplit(given["url"])
    client = InferenceServerClient(
        address.netloc, network_timeout=given["limit_s"], connection_timeout=given["limit_s"]
    )
    models, parameters = given["models"], given["parameters"]

    def infer(kind: str, values: list, datatype: str, binary: bool = True, **more: str) -> list:
        array = np.array(values, dtype=object if datatype == "BYTES" else np.float32)
        tensor = InferInput(kind, list(array.shape), datatype)
        tensor.set_data_from_numpy(array, binary_data=binary)
        answer = client.infer(models[kind], [tensor], parameters=parameters[kind], **more)
        found = []
        for output in answer.get_response()["outputs"]:
            values = answer.as_numpy(output["name"])
            found.append({"name": output["name"], "shape": output["shape"], "data": flat(values)})
        return found

    rows, texts = given["rows"], [text.encode() for text in given["texts"]]
    said = {
        "live": client.is_server_live(),
        "ready": client.is_server_ready() and client.is_model_ready(models["table"]),
        "server": client.get_server_metadata(),
        "model": client.get_model_metadata(models["table"]),
        "table": infer("table", rows, "FP32"),
        "table, JSON": infer("table", rows, "FP32", binary=False),
        "table, gzip": infer("table", rows, "FP32", request_compression_algorithm="gzip"),
        "single rows": [infer("table", [row], "FP32") for row in rows],
        "texts": infer("text", texts, "BYTES"),
        "picture": infer("picture", [b64decode(given["picture"])], "BYTES"),
    }
    try:
        tensor = InferInput("rows", [1, 2], "FP32")
        tensor.set_data_from_numpy(np.zeros((1, 2), np.float32))
        client.infer("no-such-model", [tensor])
    except InferenceServerException as error:
        said["error"] = str(error)
    return said


def flat(values: np.ndarray) -> list:
    """As JSON holds them; bytes as text."""
    return [value.decode() if isinstance(value, bytes) else value for value in values.reshape(-1).tolist()]


print(json.dumps(main(json.load(sys.stdin))))
