"""The reason of a load that failed says where in the operator's own files it did."""

from pathlib import Path

import pytest

from tests.workers.toys import CPU
from workers.engine.device.gate import DeviceGate
from workers.jobs.check import check
from workers.models.load import Device, failed_to_load, load_model
from workers.repository.model_toml import ModelConfigError

DEVICE = Device(CPU, 1, 8, DeviceGate())
TOML = 'name = "bad"\nfactory = "model.py:build"\n[input]\nkind = "tensor"\nshapes = [[4]]\n'
HEAD = "from torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
FORWARD = (
    HEAD + "        self.head = nn.Linear(4, 2)\n\n    def forward(self, x):\n        return {}\n\n\nbuild = Net\n"
)


def reason(folder: Path, code: str) -> str:
    (folder / "model.toml").write_text(TOML)
    (folder / "model.py").write_text(code)
    with pytest.raises(
        (ModelConfigError, LookupError, ImportError, SyntaxError, AttributeError, RuntimeError)
    ) as caught:
        load_model(folder, DEVICE)
    return failed_to_load(folder, caught.value).error or ""


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def build():\n    return {}['out']\n", "model.py line 2 in build: KeyError: 'out'"),
        ("x = 1\n\nimport no_such_module\n", "model.py line 3 in <module>: ModuleNotFoundError: "),
        ("x = 1\ndef build(:\n", "model.py line 2: SyntaxError: "),
        (FORWARD.format("self.tail(x)"), "model.py line 10 in forward: AttributeError: "),
        (FORWARD.format("self.head(x[:, :3])"), "model.py line 10 in forward: RuntimeError: "),
    ],
    ids=["build", "import", "syntax", "attribute", "shape"],
)
def test_the_place_is_named(tmp_path: Path, code: str, said: str) -> None:
    assert reason(tmp_path, code).startswith(said)


@pytest.mark.parametrize("answer", ["self.head(x).mean(0)", "self.head(x).sum(0)", "self.head(x)[0]", "x[:2]"])
def test_a_model_without_a_row_for_each_is_refused(tmp_path: Path, answer: str) -> None:
    assert "it answers [2" in reason(tmp_path, FORWARD.format(answer))


def test_a_check_shows_the_models_own_frames(tmp_path: Path) -> None:
    folder = tmp_path / "bad"
    folder.mkdir()
    (folder / "model.toml").write_text(TOML)
    (folder / "model.py").write_text(FORWARD.format("self.head(x) if not x.requires_grad else self.tail(x)"))
    rows = {row.method: row for row in check([tmp_path])}
    saliency = rows["saliency"]
    assert saliency.state == "failed"
    assert saliency.detail.startswith("the model raised AttributeError on this input: ")
    assert saliency.trace.lstrip().startswith(f'File "{folder.resolve() / "model.py"}", line 10, in forward')
    assert rows["feature_ablation"].state == "ok"
