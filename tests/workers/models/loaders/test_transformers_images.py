"""Image folders of transformers: preprocessing equals the processor's own, and what cannot be done is refused."""

import json
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers.image_processing_backends import PilBackend
from transformers.models.mobilevit.image_processing_pil_mobilevit import MobileViTImageProcessorPil

from schemas.picture_view import PictureView
from schemas.pictures import Picture
from tests.paths import MODELS
from tests.workers.models.loaders.programs import DEVICE
from tests.workers.models.loaders.transformers_folders import (
    PROCESSORS,
    bert_model,
    describe,
    resnet_model,
    save_image_model,
    vit_model,
    vit_processor,
)
from tests.workers.toys import CPU
from workers.inputs.image import ImageAdapter
from workers.inputs.prepared import Prepared
from workers.models.loaders.image_processor import image_input
from workers.models.pipeline import load_model
from workers.repository.model_toml import InputConfig, ModelConfigError

PICTURE = MODELS / "efficientnet-lite0" / "chelsea.jpg"


def prepare(adapter: ImageAdapter, picture: Image.Image) -> tuple[Prepared, Picture]:
    """By the gateway's part of the way, and then the worker's."""
    seen, told = PictureView.of(adapter.card).apply(picture)
    return adapter.prepare({"pixels": torch.from_numpy(np.array(seen))}, CPU), told


@pytest.mark.parametrize("name", PROCESSORS)
@pytest.mark.parametrize("turned", [False, True])
def test_preprocessing_equals_the_processors_own(tmp_path: Path, name: str, turned: bool) -> None:
    processor = PROCESSORS[name]
    processor.save_pretrained(tmp_path)
    picture = Image.open(PICTURE).convert("RGB")
    picture = picture.rotate(90, expand=True) if turned else picture
    adapter = ImageAdapter(image_input(InputConfig(kind="image"), tmp_path))
    ours = prepare(adapter, picture)[0]
    theirs = processor(picture, return_tensors="pt")["pixel_values"]
    assert ours.inputs[0].shape == theirs.shape
    assert float((ours.inputs[0] - theirs).abs().max()) <= 2e-6 * float(theirs.abs().max())


@pytest.mark.parametrize("name", ["short side, then crop", "odd margins", "box, then crop", "crop_pct", "warped"])
def test_the_part_that_was_seen_is_told(tmp_path: Path, name: str) -> None:
    """Cut out of a picture whose red and green say where a pixel lies, it begins and ends with the box's edges."""
    PROCESSORS[name].save_pretrained(tmp_path)
    adapter = ImageAdapter(image_input(InputConfig(kind="image"), tmp_path))
    height, width = 192, 256
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    picture = Image.fromarray(np.stack([across, down, 0 * down], axis=2).astype(np.uint8))
    prepared, told = prepare(adapter, picture)
    left, top, right, bottom = told.crop
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (adapter.config.mean, adapter.config.std))
    seen = (prepared.inputs[0] * std + mean)[0] * 255  # (3, H, W), pixels of the picture
    rows, columns = seen.shape[1:]
    middle = seen[0, rows // 2], seen[1, :, columns // 2]
    for values, start, stop in ((middle[0], left, right), (middle[1], top, bottom)):
        step = (stop - start) / len(values)
        expected = start + step * (torch.arange(len(values)) + 0.5) - 0.5
        inner = slice(2, -2)  # at the picture's own edges the filter is cut off
        assert torch.allclose(values[inner], expected[inner], atol=1.0)


def test_a_thin_strip_is_not_scaled_as_a_whole(tmp_path: Path) -> None:
    PROCESSORS["short side, then crop"].save_pretrained(tmp_path)
    adapter = ImageAdapter(image_input(InputConfig(kind="image"), tmp_path))
    strip = Image.linear_gradient("L").resize((5_000_000, 1)).convert("RGB")  # 37 x 185,000,000 pixels
    prepared, told = prepare(adapter, strip)
    assert prepared.inputs[0].shape == (1, 3, 32, 32)
    assert 0 <= told.crop[0] < told.crop[2] <= 5_000_000


def refused(tmp_path: Path, processor: PilBackend) -> str:
    processor.save_pretrained(tmp_path)
    with pytest.raises(ModelConfigError) as caught:
        image_input(InputConfig(kind="image"), tmp_path)
    assert "input" in str(caught.value)
    assert "describe the preprocessing" in str(caught.value)
    return str(caught.value)


def test_a_processor_that_does_more_is_refused(tmp_path: Path) -> None:
    flips = MobileViTImageProcessorPil(size={"shortest_edge": 36}, crop_size={"height": 32, "width": 32})
    assert "does more than resize, crop and normalise" in refused(tmp_path, flips)


def test_a_processor_that_gives_any_shape_is_refused(tmp_path: Path) -> None:
    assert "does not bring pictures to one size" in refused(tmp_path, vit_processor(size={"shortest_edge": 32}))


def test_a_missing_processor_is_refused_unless_described(tmp_path: Path) -> None:
    folder = save_image_model(tmp_path / "vit", vit_model())
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(ModelConfigError, match="image processor cannot be used"):
        load_model(folder, DEVICE)
    describe(folder, "image", size=[32, 32], mean=[0.5, 0.4, 0.3])
    assert load_model(folder, DEVICE).config.input.mean == [0.5, 0.4, 0.3]


def test_what_the_folder_says_of_the_outputs(tmp_path: Path) -> None:
    card = load_model(save_image_model(tmp_path / "resnet", resnet_model()), DEVICE).card
    assert card.output is not None
    assert (card.output.kind, card.output.labels) == ("classification", ["cat", "dog", "hat"])
    folder = save_image_model(tmp_path / "vit", vit_model(id2label={0: "LABEL_0"}, label2id={"LABEL_0": 0}))
    output = load_model(folder, DEVICE).card.output
    assert output is not None
    assert (output.kind, output.labels, output.size) == ("regression", None, 1)


def edit(file: Path, **fields: Any) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | fields))


def test_weights_that_are_missing_are_not_drawn_at_random(tmp_path: Path) -> None:
    folder = save_image_model(tmp_path / "vit", vit_model())
    edit(folder / "config.json", num_hidden_layers=3)
    with pytest.raises(ModelConfigError, match=r"the weights have no 'vit\.layers\.2"):
        load_model(folder, DEVICE)


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    folder = save_image_model(tmp_path / "vit", vit_model())
    (folder / "model.safetensors").unlink()
    torch.save(vit_model().state_dict(), folder / "pytorch_model.bin")
    with pytest.raises(ModelConfigError, match=r"path: .*safetensors"):
        load_model(folder, DEVICE)


def test_code_in_the_folder_does_not_run(tmp_path: Path) -> None:
    folder = save_image_model(tmp_path / "vit", vit_model())
    edit(folder / "config.json", auto_map={"AutoModelForImageClassification": "mine.Mine"}, model_type="mine")
    (folder / "mine.py").write_text(f"open({str(tmp_path / 'was-here')!r}, 'w')\n")
    with pytest.raises(ModelConfigError):
        load_model(folder, DEVICE)
    assert not (tmp_path / "was-here").exists()


def test_nothing_is_looked_up_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_args: object) -> None:
        raise AssertionError("a connection was opened")

    folder = save_image_model(tmp_path / "vit", vit_model())
    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", connect)
    assert load_model(folder, DEVICE).card.status == "ready"
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelConfigError):
        load_model(folder, DEVICE)


@pytest.mark.parametrize(
    ("path", "said"), [("..", "not inside"), ("/etc", "not inside"), ("absent", "holds no config.json")]
)
def test_the_path_stays_in_the_folder(tmp_path: Path, path: str, said: str) -> None:
    describe(tmp_path / "vit", "image", path)
    with pytest.raises(ModelConfigError, match=said):
        load_model(tmp_path / "vit", DEVICE)


def test_a_model_of_another_task_is_refused(tmp_path: Path) -> None:
    describe(tmp_path / "bert", "image", size=[8, 8])
    bert_model().save_pretrained(tmp_path / "bert")  # type: ignore[operator]
    with pytest.raises(ModelConfigError, match="path: Unrecognized configuration class"):
        load_model(tmp_path / "bert", DEVICE)


def test_kinds_that_have_no_folder(tmp_path: Path) -> None:
    describe(tmp_path / "table", "tabular")
    with pytest.raises(ModelConfigError, match="'transformers' takes image and text"):
        load_model(tmp_path / "table", DEVICE)
