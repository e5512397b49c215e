"""KServe's own client with protocol v1. Reads JSON from standard input, and prints what the client returned."""

import asyncio
import json
import sys

import httpx
from kserve import InferenceRESTClient, RESTConfig


async def main(given: dict) -> dict:
    client = InferenceRESTClient(RESTConfig(protocol="v1", timeout=given["limit_s"]))
    url, models = given["url"], given["models"]
    rows, texts = given["rows"], given["texts"]
    parameters = given["parameters"]

    async def explain(kind: str, instances: list) -> dict:
        return await client.explain(url, models[kind], {"instances": instances, "parameters": parameters[kind]})

    said = {
        "live": await client.is_server_live(url),
        "ready": await client.is_model_ready(url, models["table"]),
        "table": await explain("table", rows),
        "single rows": [await explain("table", [row]) for row in rows],
        "texts": await explain("text", [{"data": text} for text in texts]),
        "picture": await explain("picture", [{"image_bytes": {"b64": given["picture"]}}]),
    }
    try:
        await client.explain(url, "no-such-model", {"instances": rows})
    except httpx.HTTPStatusError as error:
        said["error"] = str(error)
    return said


print(json.dumps(asyncio.run(main(json.load(sys.stdin)))))
