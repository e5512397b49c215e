"""The calls of TorchServe's documentation: curl, with PUT and POST, raw bodies and forms."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.conformance_page import Conformance
from tests.conformance.conftest import MODELS
from tests.conformance.environments import Environment
from tests.conformance.expected import Expected, close

LIMIT_S = 120


@pytest.fixture(scope="module")
def curl() -> Environment:
    """The machine's own curl."""
    path = shutil.which("curl")
    assert path is not None, "curl is needed"
    version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    return Environment(Path(path).parent.parent, "curl, as TorchServe's pages call it", version)


@dataclass(frozen=True, slots=True)
class Call:
    curl: Environment
    url: str

    def __call__(self, path: str, *arguments: str) -> Any:
        return json.loads(self.curl.command("curl", "-sS", f"{self.url}{path}", *arguments))


def test_calls(
    curl: Environment,
    document: dict[str, Any],
    expected: Expected,
    by_defaults: Expected,
    conformance: Conformance,
    tmp_path: Path,
) -> None:
    call = Call(curl, document["url"])
    models = document["models"]
    picture = MODELS / models["picture"] / "chelsea.jpg"
    close(call(f"/explanations/{models['picture']}", "-T", str(picture)), by_defaults.picture())
    form = ("-F", f"data=@{picture}", "-F", "method=integrated_gradients", "-F", "n_steps=5")
    close(call(f"/explanations/{models['picture']}", *form), expected.picture())
    for text, scores in zip(document["texts"], expected.texts(), strict=True):
        form = ("-F", f"data={text}", "-F", "target=1", "-F", "n_steps=20")
        (one,) = call(f"/explanations/{models['text']}", *form)
        close(one["importances"], scores)
        assert len(one["words"]) == len(scores)
    row = tmp_path / "row.json"
    row.write_text(json.dumps(document["rows"][0]))
    close(call(f"/explanations/{models['table']}/1", "-T", str(row)), by_defaults.table()[0])
    tensor = {"name": "rows", "datatype": "FP64", "shape": [64, 30], "data": document["rows"]}  # nested
    rows = tmp_path / "rows.json"
    rows.write_text(json.dumps({"inputs": [tensor], "parameters": document["parameters"]["table"]}))
    answer = call(f"/v2/models/{models['table']}/explain", "-d", f"@{rows}")
    close(answer["outputs"][0]["data"], expected.table())
    error = call("/explanations/no-such-model", "-T", str(row))
    assert error["code"] == 404
    assert "no such model" in error["message"]
    conformance.shows(curl, "`/explanations/{model} -T cat.jpg` (PUT)", "numbers of shape (3, 224, 224)")
    conformance.shows(curl, "`/explanations/{model} -F data=@cat.jpg` (POST)", "the same")
    conformance.shows(curl, "`/explanations/{model} -F data=… -F target=1`, texts", "`words`, `importances`, `delta`")
    conformance.shows(curl, "`/explanations/{model}/{version} -T row.json`", "30 numbers")
    conformance.shows(curl, "`/v2/models/{model}/explain`, 64 rows", "the output `explain`, of shape (64, 30)")
    conformance.shows(curl, "an unknown model", '`{"code": 404, "type", "message"}`')
