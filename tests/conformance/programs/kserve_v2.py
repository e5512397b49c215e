"""KServe's own client with protocol v2. Reads JSON from standard input, and prints what the client returned."""

import asyncio
import json
import sys

import httpx
import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig


def request(kind: str, model: str, array: np.ndarray, datatype: str, parameters: dict, binary: bool) -> InferRequest:
    tensor = InferInput(name=kind, shape=list(array.shape), datatype=datatype)
    tensor.set_data_from_numpy(array, binary_data=binary)
    return InferRequest(model_name=model, infer_inputs=[tensor], parameters={"explain_parameters": parameters})


async def main(given: dict) -> dict:
    client = InferenceRESTClient(RESTConfig(protocol="v2", timeout=given["limit_s"]))
    url, models, parameters = given["url"], given["models"], given["parameters"]

    async def infer(kind: str, values: list, datatype: str, binary: bool = False) -> list:
        array = np.array(values, dtype=object if datatype == "BYTES" else np.float32)
        sent = request(kind, models[kind], array, datatype, parameters[kind], binary)
        answer = await client.infer(url, sent, model_name=models[kind])
        return [{"name": one.name, "shape": list(one.shape), "data": one.data} for one in answer.outputs]

    rows, texts = given["rows"], [text.encode() for text in given["texts"]]
    said = {
        "live": await client.is_server_live(url),
        "ready": await client.is_server_ready(url) and await client.is_model_ready(url, models["table"]),
        "table": await infer("table", rows, "FP32"),
        "table, binary": await infer("table", rows, "FP32", binary=True),
        "single rows": [await infer("table", [row], "FP32") for row in rows],
        "texts, binary": await infer("text", texts, "BYTES", binary=True),
        "picture": await infer("picture", [given["picture"]], "BYTES"),
    }
    try:
        sent = request("table", "no-such-model", np.zeros((1, 2), np.float32), "FP32", {}, False)
        await client.infer(url, sent, model_name="no-such-model")
    except httpx.HTTPStatusError as error:
        said["error"] = str(error)
    return said


print(json.dumps(asyncio.run(main(json.load(sys.stdin)))))
