"""Loading a folder of the model repository: the card, and errors that name the field."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from schemas.jobs import JobSpec
from schemas.methods import METHOD_NAMES, GradientShap, IntegratedGradients
from schemas.model_key import ModelKey
from tests.workers.toys import CPU
from workers.engine.device.gate import DeviceGate
from workers.jobs.check import check
from workers.jobs.prepare import make_explain_inputs
from workers.models.pipeline import load_model
from workers.models.resident import Device
from workers.repository.model_toml import ModelConfigError, read_config

DEVICE = Device(CPU, 1, 8, DeviceGate())
TOML = """
name = "tiny"
version = "2"
factory = "model.py:build"
weights = "weights.safetensors"
[input]
kind = "tensor"
shapes = [[3]]
[output]
labels = ["no", "yes"]
[explain]
layer = "1"
"""
PY = "from torch import nn\n\n\ndef build():\n    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "model.toml").write_text(TOML)
    (folder / "model.py").write_text(PY)
    torch.manual_seed(0)
    save_file(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).state_dict(), folder / "weights.safetensors")
    return folder


def change(folder: Path, old: str, new: str) -> None:
    text = (folder / "model.toml").read_text()
    assert old in text
    (folder / "model.toml").write_text(text.replace(old, new))


def test_a_card_tells_what_can_be_asked(folder: Path) -> None:
    model = load_model(folder, DEVICE)
    card = model.card
    assert (card.name, card.version, card.status, model.key) == ("tiny", "2", "ready", ModelKey("tiny", "2"))
    assert [(layer.name, layer.type, layer.output_shape) for layer in card.layers] == [
        ("0", "Linear", [4]),
        ("1", "ReLU", [4]),
        ("2", "Linear", [2]),
    ]
    assert card.output.labels == ["no", "yes"]
    assert [method.name for method in card.methods if not method.supported] == ["guided_grad_cam"]
    assert all(method.supported or method.reason for method in card.methods)
    assert not any(p.requires_grad for p in model.engine.view.module.parameters())


def test_the_digest_is_of_weights_configuration_and_code(folder: Path) -> None:
    first = load_model(folder, DEVICE).card.digest
    assert load_model(folder, DEVICE).card.digest == first
    change(folder, '"no", "yes"', '"non", "oui"')
    second = load_model(folder, DEVICE).card.digest
    torch.manual_seed(1)
    save_file(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).state_dict(), folder / "weights.safetensors")
    third = load_model(folder, DEVICE).card.digest
    with (folder / "model.py").open("a") as code:
        code.write("\n# another line\n")
    assert len({first, second, third, load_model(folder, DEVICE).card.digest}) == 4


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "tiny"', "name = [", "not TOML"),
        ('name = "tiny"', 'name = "../tiny"', "name"),
        ('kind = "tensor"', 'kind = "sound"', "input.kind"),
        ("shapes = [[3]]", "", "needs 'shapes'"),
        ("[explain]", "[explain]\ncolour = 1", "explain.colour"),
        ("[explain]", '[explain]\nmethod = "magic"', "unknown method"),
        ("[explain]", '[explain]\nmethod = "neuron_gradient"', "without a default"),
        ("[explain]", '[explain]\nbaseline = "blur"', "explain.baseline"),
        ('layer = "1"', 'layer = "nine"', "no layer 'nine'"),
        ('"no", "yes"', '"no"', "1 labels for 2 outputs"),
        ('labels = ["no", "yes"]', 'labels = "../../etc/passwd"', "not inside"),
        ('version = "2"', 'loader = "magic"', "loader"),
        ('factory = "model.py:build"', "", "loader 'python' needs 'factory'"),
        ('version = "2"', 'loader = "export"', "loader 'export' needs 'file'"),
        ('version = "2"', 'file = "model.pt"', "'file' does not apply to loader 'python'"),
        ('version = "2"', 'file = "a.pt"\nloader = "torchscript"', "'factory' does not apply to loader 'torchscript'"),
        ("model.py:build", "model.py:nothing", "no callable 'nothing'"),
        ("model.py:build", "other.py:build", "not in the model's folder"),
        ("model.py:build", "model", "is not 'file.py:callable'"),
        ("model.py:build", "builtins:dict", "returned dict"),
        ("weights.safetensors", "missing.safetensors", "not in the model's folder"),
        ("[explain]", '[explain]\nbackground = "weights.safetensors"', "exactly one tensor"),
    ],
)
def test_what_is_wrong_is_named(folder: Path, old: str, new: str, said: str) -> None:
    change(folder, old, new)
    with pytest.raises(ModelConfigError) as caught:
        load_model(folder, DEVICE)
    assert said in str(caught.value)


TWO = """from torch import nn


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Linear(3, 2), nn.Linear(4, 2)

    def forward(self, a, b):
        return self.left(a) + self.right(b.flatten(1))
"""


def test_a_background_of_several_inputs(folder: Path) -> None:
    (folder / "model.py").write_text(TWO)
    change(folder, "model.py:build", "model.py:Two")
    change(folder, 'weights = "weights.safetensors"', "")
    change(folder, "[[3]]", "[[3], [2, 2]]")
    change(folder, 'layer = "1"', 'background = "background.safetensors"')
    rows = {"input.0": torch.rand(4, 3), "input.1": torch.rand(4, 2, 2)}
    save_file(rows, folder / "background.safetensors")
    model = load_model(folder, DEVICE)
    assert model.card.background_rows == 4
    spec = JobSpec(model="tiny", version="2", input_kind="tensor", examples=1, method={})
    prepared = model.adapter.sample(CPU)
    drawn = make_explain_inputs(model, spec, GradientShap(baseline="background"), {}, prepared)
    assert all(torch.equal(a, b) for a, b in zip(drawn.baseline_distribution or (), rows.values(), strict=True))
    mean = make_explain_inputs(model, spec, IntegratedGradients(baseline="background"), {}, prepared)
    assert all(torch.equal(a[0], b.mean(0)) for a, b in zip(mean.baselines or (), rows.values(), strict=True))
    save_file({**rows, "input.1": torch.rand(3, 2, 2)}, folder / "background.safetensors")
    with pytest.raises(ModelConfigError, match="not as many for each input"):
        load_model(folder, DEVICE)


def test_tensors_of_the_payload_come_in_the_order_of_their_numbers(folder: Path) -> None:
    model = load_model(folder, DEVICE)
    spec = JobSpec(model="tiny", version="2", input_kind="tensor", examples=1, method={})
    payload = {f"baseline.{number}": torch.full((1, 3), float(number)) for number in range(12)}
    subject = make_explain_inputs(model, spec, GradientShap(), payload, model.adapter.sample(CPU))
    assert [int(tensor[0, 0]) for tensor in subject.baseline_distribution or ()] == list(range(12))


def test_weights_that_do_not_belong(folder: Path) -> None:
    save_file({"9.weight": torch.zeros(2)}, folder / "weights.safetensors")
    with pytest.raises(ModelConfigError, match=r"no '9\.weight'"):
        load_model(folder, DEVICE)


def test_a_pickle_that_is_not_only_weights_is_not_loaded(folder: Path) -> None:
    torch.save(nn.Linear(1, 1), folder / "weights.pt")
    change(folder, "weights.safetensors", "weights.pt")
    with pytest.raises(ModelConfigError, match="save the state_dict"):
        load_model(folder, DEVICE)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ModelConfigError, match="cannot be read"):
        read_config(tmp_path)


def test_check_tries_every_method(folder: Path) -> None:
    (folder.parent / "broken").mkdir()
    (folder.parent / "broken" / "model.toml").write_text("name = 3")
    rows = list(check([folder.parent]))
    broken, *tried = rows
    assert not broken.ok
    assert "name" in broken.detail
    assert [row.method for row in tried] == list(METHOD_NAMES)
    assert all(row.ok for row in tried), [row for row in tried if not row.ok]
    assert {row.method for row in tried if row.state != "ok"} == {"guided_grad_cam", "layer_lrp"}
    assert all(row.rows > 0 for row in tried if row.state == "ok")
