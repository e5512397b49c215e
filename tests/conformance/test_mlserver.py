"""MLServer's command `mlserver infer`, which drops the parameters of requests: the model's defaults explain."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from tests.conformance.conformance_page import Conformance
from tests.conformance.environments import Environment, environment
from tests.conformance.expected import Expected, close
from tests.conformance.test_kserve import explained


def infer(client: Environment, document: dict[str, Any], kind: str, bodies: list[Any], folder: Path) -> list[Any]:
    """What the command writes for each request, in their order."""
    sent, received = folder / f"{kind}.jsonl", folder / f"{kind}-out.jsonl"
    sent.write_text("".join(f"{json.dumps(body)}\n" for body in bodies))
    address = urlsplit(document["url"]).netloc
    files = ("-i", str(sent), "-o", str(received))
    client.command("mlserver", "infer", "-u", address, "-m", document["models"][kind], *files)
    answers = [json.loads(line) for line in received.read_text().splitlines()]
    answers.sort(key=lambda answer: answer["parameters"]["batch_index"])
    assert len(answers) == len(bodies)
    return answers


def tensor(datatype: str, data: list[Any], *shape: int) -> dict[str, Any]:
    return {"inputs": [{"name": "input", "datatype": datatype, "shape": shape, "data": data}]}


def attributions(answer: dict[str, Any]) -> Any:
    """Those of a request with one example, for which the command keeps the shape of the output."""
    return explained(answer["outputs"])["attributions"][0][0]


def test_infer(document: dict[str, Any], by_defaults: Expected, conformance: Conformance, tmp_path: Path) -> None:
    client = environment("mlserver")
    rows = [tensor("FP64", row, 1, len(row)) for row in document["rows"]]
    answers = infer(client, document, "table", rows, tmp_path)
    close([attributions(answer) for answer in answers], by_defaults.table())
    texts = [tensor("BYTES", [text], 1) for text in document["texts"]]
    for answer, scores in zip(infer(client, document, "text", texts, tmp_path), by_defaults.texts(), strict=True):
        (words,) = explained(answer["outputs"])["words"]
        close([word["score"] for word in words], scores)
    (answer,) = infer(client, document, "picture", [tensor("BYTES", [document["picture"]], 1)], tmp_path)
    close(np.array(attributions(answer)), by_defaults.picture())
    conformance.shows(client, "`mlserver infer`: 64 rows, two texts, a picture", "the output `explanation` of each")
