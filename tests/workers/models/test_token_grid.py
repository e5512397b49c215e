"""Grad-CAM on image transformers: tokens laid out as the map they are, against the definition written out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import captum.attr as captum
import pytest
import torch
import transformers as hf
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.nn import functional as F

from schemas import methods as spec
from schemas.errors import InvalidRequest
from schemas.jobs import JobSpec
from schemas.methods import AnyMethod, stored_fields
from service.validation.layers import layer_fields
from service.validation.model import ReadyModel
from tests.workers.jobs.claims import claimed
from tests.workers.methods.captum_calls import max_relative_difference
from tests.workers.models.loaders.programs import DEVICE
from tests.workers.models.loaders.transformers_folders import (
    ATTENTION,
    LABELS,
    describe,
    resnet_model,
    save_image_model,
    swin_model,
    vit_model,
    vit_processor,
)
from tests.workers.toys import CPU, RunningJob
from workers.engine.token_grid import TokenGrid
from workers.jobs.prepare import make_explain_inputs
from workers.jobs.single import run_single
from workers.models.load import ResidentModel, load_model
from workers.models.token_grid import find_grid
from workers.repository.model_toml import ModelConfigError

ROW, COLUMN = 1, 4  # of the patch that the answer depends on
TALL, WIDE = 4, 6  # patches
PATCH = 8  # pixels


def pictures(rows: int, height: int, width: int) -> Tensor:
    return torch.randn(rows, 3, height, width, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def run(model: ResidentModel, method: AnyMethod, inputs: Tensor, target: list[int]) -> Tensor:
    payload = {"input.0": inputs}
    job = JobSpec(
        model="m",
        version="1",
        input_kind="tensor",
        examples=len(inputs),
        method=stored_fields(method),
        target=target,
    )
    subject = make_explain_inputs(model, job, method, payload, model.adapter.prepare(payload, CPU))
    return RunningJob(model.engine, method, subject).result().attributions[0]


def loaded(directory: Path, model: nn.Module, **fields: Any) -> Iterator[ResidentModel]:
    folder = save_image_model(directory / "model", model)
    describe(folder, "image", dtype="float64", **fields)
    resident = load_model(folder, DEVICE)
    resident.engine.start()
    yield resident
    resident.engine.stop()


@pytest.fixture(scope="module")
def vit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ResidentModel]:
    yield from loaded(tmp_path_factory.mktemp("vit"), vit_model())


@pytest.fixture(scope="module")
def swin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ResidentModel]:
    yield from loaded(tmp_path_factory.mktemp("swin"), swin_model())


def by_definition(model: nn.Module, layer: str, inputs: Tensor, targets: list[int], side: int, prefix: int) -> Tensor:
    """The gradient of each example's target by the layer's channels, averaged over places, weighs the channels."""
    kept: list[Tensor] = []

    def keep(_module: nn.Module, _args: object, out: Tensor) -> None:
        out.retain_grad()
        kept.append(out)

    handle = model.get_submodule(layer).register_forward_hook(keep)
    logits = model(inputs.clone().requires_grad_()).logits
    handle.remove()
    logits[range(len(targets)), targets].sum().backward()
    (tokens,) = kept
    assert tokens.grad is not None
    maps = []
    for values, gradients in zip(tokens[:, prefix:], tokens.grad[:, prefix:], strict=True):  # (tokens, C)
        weights = torch.stack([gradients[:, c].sum() / len(gradients) for c in range(gradients.shape[1])])
        cam = torch.zeros(side, side, dtype=torch.float64)
        for number in range(side * side):
            cam[number // side, number % side] = (values[number] * weights).sum()
        maps.append(cam)
    return torch.stack(maps).unsqueeze(1).detach()


@pytest.mark.parametrize("layer", ["vit.layers.1.layernorm_before", "vit.layers.0", "vit.layers.1.attention.v_proj"])
def test_grad_cam_of_a_vit_is_the_definition(vit: ResidentModel, layer: str) -> None:
    inputs = pictures(3, 32, 32)
    ours = run(vit, spec.LayerGradCam(layer=layer), inputs, [2, 0, 1])
    assert ours.shape == (3, 1, 4, 4)
    theirs = by_definition(vit_model().double().eval(), layer, inputs, [2, 0, 1], 4, 1)
    assert max_relative_difference((ours,), (theirs,)) <= 1e-9
    relu = run(vit, spec.LayerGradCam(layer=layer, relu_attributions=True), inputs, [2, 0, 1])
    assert torch.allclose(relu, F.relu(theirs), atol=1e-12)
    apart = run(vit, spec.LayerGradCam(layer=layer, attr_dim_summation=False), inputs, [2, 0, 1])
    assert apart.shape == (3, 16, 4, 4)
    assert torch.allclose(apart.sum(dim=1, keepdim=True), theirs, atol=1e-12)


@pytest.mark.parametrize(
    ("layer", "side"), [("swin.embeddings.norm", 8), ("swin.encoder.layers.0.downsample", 4), ("swin.layernorm", 4)]
)
def test_grad_cam_of_a_swin_is_the_definition(swin: ResidentModel, layer: str, side: int) -> None:
    inputs = pictures(2, 32, 32)
    ours = run(swin, spec.LayerGradCam(layer=layer), inputs, [1, 2])
    theirs = by_definition(swin_model().double().eval(), layer, inputs, [1, 2], side, 0)
    assert max_relative_difference((ours,), (theirs,)) <= 1e-9


def test_layers_that_are_maps_stay_captums(vit: ResidentModel) -> None:
    """The patch embedding of a ViT is a convolution; the classifier has no places."""
    model = plain_logits(vit_model().double())
    inputs = pictures(2, 32, 32)
    for layer in ("vit.embeddings.patch_embeddings.projection", "classifier"):
        ours = run(vit, spec.LayerGradCam(layer=layer), inputs, [0, 1])
        cam = captum.LayerGradCam(model, model.model.get_submodule(layer))
        theirs = cam.attribute(inputs.requires_grad_(), target=torch.tensor([0, 1])).detach()
        assert max_relative_difference((ours,), (theirs,)) <= 1e-9


def test_guided_grad_cam_of_a_vit(vit: ResidentModel) -> None:
    """The map, negative parts taken away, enlarged to the picture, times the guided gradient."""
    layer = "vit.layers.1.layernorm_before"
    inputs = pictures(2, 32, 32)
    ours = run(vit, spec.GuidedGradCam(layer=layer, interpolate_mode="nearest"), inputs, [0, 1])
    model = vit_model().double().eval()
    cam = F.relu(by_definition(model, layer, inputs, [0, 1], 4, 1)).repeat_interleave(8, 2).repeat_interleave(8, 3)
    leaf = inputs.clone().requires_grad_()
    model(leaf).logits[range(2), [0, 1]].sum().backward()
    assert leaf.grad is not None
    assert max_relative_difference((ours,), (cam * leaf.grad,)) <= 1e-9


def plain_logits(model: nn.Module) -> Any:
    class Logits(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model.eval()

        def forward(self, x: Tensor) -> Tensor:
            return self.model(x).logits

    return Logits()


def looks_at_one_patch() -> nn.Module:
    """A ViT of one layer whose class token attends to the patch at (ROW, COLUMN) alone, and reads its brightness.

    Channel 0 is brightness; 1, 2 and 3 mark that patch, the class token and the other patches; 4 is what was read.
    """
    sizes: dict[str, Any] = {**ATTENTION, "num_hidden_layers": 1, "num_attention_heads": 1}
    config = hf.ViTConfig(**sizes, image_size=(TALL * PATCH, WIDE * PATCH), patch_size=PATCH, **LABELS)
    model = hf.ViTForImageClassification(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.fill_(1.0 if "norm" in name and name.endswith("weight") else 0.0)
        model.vit.embeddings.patch_embeddings.projection.weight[0] = 4 / (3 * PATCH * PATCH)
        positions = model.vit.embeddings.position_embeddings[0]  # (1 + patches, C)
        positions[0, 2] = 10.0
        positions[1:, 3] = 10.0
        positions[1 + ROW * WIDE + COLUMN, 3] = 0.0
        positions[1 + ROW * WIDE + COLUMN, 1] = 10.0
        attention = model.vit.layers[0].attention
        attention.q_proj.weight[0, 2] = 5.0
        attention.k_proj.weight[0, 1] = 5.0
        attention.v_proj.weight[4, 0] = 1.0
        attention.o_proj.weight[4, 4] = 5.0
        model.classifier.weight[1, 4] = 1.0
    return model


@pytest.fixture(scope="module")
def looking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ResidentModel]:
    folder = save_image_model(
        tmp_path_factory.mktemp("looking") / "model",
        looks_at_one_patch(),
        vit_processor(size={"height": TALL * PATCH, "width": WIDE * PATCH}),
    )
    model = load_model(folder, DEVICE)
    model.engine.start()
    yield model
    model.engine.stop()


def on_patch(values: Tensor) -> bool:
    """Whether the largest of (H, W) lies on the patch."""
    place = int(values.argmax())
    row, column = place // values.shape[1], place % values.shape[1]
    return (row // PATCH, column // PATCH) == (ROW, COLUMN)


def test_the_map_peaks_where_the_model_looks(looking: ResidentModel) -> None:
    """A grid that is not square, with one bright patch."""
    inputs = torch.full((1, 3, TALL * PATCH, WIDE * PATCH), -0.5)
    inputs[:, :, ROW * PATCH : (ROW + 1) * PATCH, COLUMN * PATCH : (COLUMN + 1) * PATCH] = 1.0
    layer = "vit.layers.0.layernorm_before"
    cam = run(looking, spec.LayerGradCam(layer=layer), inputs, [1])[0, 0]
    assert cam.shape == (TALL, WIDE)
    assert divmod(int(cam.argmax()), WIDE) == (ROW, COLUMN)
    others = torch.cat([cam.flatten()[: ROW * WIDE + COLUMN], cam.flatten()[ROW * WIDE + COLUMN + 1 :]])
    assert float(cam[ROW, COLUMN]) > float(others.max()) + 0.5 * float(others.abs().max())


def test_tokens_are_enlarged_to_the_picture(looking: ResidentModel) -> None:
    """Every patch is bright, but only one is looked at: gradient times activation is there alone."""
    method = spec.LayerGradientXActivation(layer="vit.layers.0.layernorm_before", upsample=True)
    job = JobSpec(model="m", version="1", input_kind="tensor", examples=1, method=stored_fields(method), target=[1])
    payload = save({"input.0": torch.rand(1, 3, TALL * PATCH, WIDE * PATCH) + 0.5})
    tensors = load(run_single(looking, claimed(job, payload)).tensors)
    (enlarged,) = tensors.values()
    assert enlarged.shape == (1, 16, TALL * PATCH, WIDE * PATCH)
    assert on_patch(enlarged[0].abs().sum(dim=0))


@pytest.mark.parametrize(
    ("model", "layer"),
    [
        (vit_model, "vit.layers.1.layernorm_before"),  # behind it, only the class token reaches the head
        (swin_model, "swin.layernorm"),
        (resnet_model, "resnet.encoder.stages.1"),
    ],
)
def test_a_layer_is_chosen_where_none_is_named(tmp_path: Path, model: Any, layer: str) -> None:
    folder = save_image_model(tmp_path / "model", model())
    card = load_model(folder, DEVICE).card
    assert card.defaults is not None
    assert card.defaults.layer == layer
    with (folder / "model.toml").open("a") as file:
        file.write('[explain]\nlayer = "classifier"\n')
    defaults = load_model(folder, DEVICE).card.defaults
    assert defaults is not None
    assert defaults.layer == "classifier"


def test_the_card_tells_the_grid_and_the_gateway_reads_it(looking: ResidentModel) -> None:
    layers = {layer.name: layer for layer in looking.card.layers}
    assert layers["vit.layers.0.layernorm_before"].grid == [TALL, WIDE]
    assert layers["classifier"].grid is None
    ready = ReadyModel.of(looking.card)
    for method in (spec.LayerGradCam(upsample=True), spec.GuidedGradCam()):
        assert layer_fields(method, ready, 1) == {"layer": "vit.layers.0.layernorm_before"}
    with pytest.raises(InvalidRequest):
        layer_fields(spec.LayerGradCam(layer="classifier", upsample=True), ready, 1)


def test_tokens_without_a_grid_are_told(tmp_path: Path) -> None:
    """Linear maps over rows of pixels: nobody says that these are no tokens, and nobody that they are."""
    (tmp_path / "model.toml").write_text(
        'name = "m"\nfactory = "model.py:build"\n[input]\nkind = "image"\nsize = [6, 6]\n[explain]\nlayer = "2"\n'
    )
    (tmp_path / "model.py").write_text(
        "from torch import nn\n\n\ndef build():\n    return nn.Sequential(nn.Conv2d(3, 4, 2, 2), nn.Flatten(2),"
        " nn.Linear(9, 5), nn.Flatten(), nn.Linear(20, 2))\n"
    )
    told = []
    for grid in ("", "token_grid = [2, 2]\n"):
        with (tmp_path / "model.toml").open("a") as file:
            file.write(grid)
        model = load_model(tmp_path, DEVICE)
        method = spec.LayerGradCam(layer="2")
        job = JobSpec(model="m", version="1", input_kind="tensor", examples=1, method=stored_fields(method), target=[1])
        model.engine.start()
        told.append(run_single(model, claimed(job, {"input.0": torch.rand(1, 3, 6, 6)})).meta)
        model.engine.stop()
    assert "explain.token_grid" in told[0].warnings[0]
    assert told[0].attributions[0].shape == [1, 1, 5]
    assert told[1].warnings == []
    assert told[1].attributions[0].shape == [1, 1, 2, 2]


def test_windows_are_no_examples(swin: ResidentModel) -> None:
    """Swin's attention puts windows in the place of examples; nothing there can be asked of one picture."""
    windowed = [layer for layer in swin.card.layers if layer.name.endswith("q_proj") and ".layers.0." in layer.name]
    assert windowed
    assert all("one row for each example" in (layer.refused or "") for layer in windowed)


class TestFindGrid:
    class Named(nn.Module):
        def __init__(self, **attributes: Any) -> None:
            super().__init__()
            self.__dict__.update(attributes)

    def test_torchvisions_and_timms(self) -> None:
        assert find_grid(self.Named(image_size=224, patch_size=16), (224, 224), None) == TokenGrid(((14, 14),))
        timm = self.Named(patch_embed=self.Named(grid_size=(7, 5)))
        assert find_grid(timm, (112, 80), None) == TokenGrid(((7, 5),))

    def test_the_operator_has_the_last_word(self) -> None:
        assert find_grid(self.Named(patch_size=16), (224, 224), [3, 5]) == TokenGrid(((3, 5),))

    def test_nothing_is_guessed(self) -> None:
        assert find_grid(self.Named(), (32, 32), None) is None

    def test_prefixes(self) -> None:
        grid = TokenGrid(((4, 6),))
        assert [grid.of(tokens) for tokens in (23, 24, 25, 26, 29, 40)] == [None, (4, 6), (4, 6), (4, 6), (4, 6), None]
        tokens = torch.arange(26.0).view(1, 26, 1)  # two before those of the picture
        assert grid.as_map(tokens).flatten().tolist() == list(range(2, 26))
        assert grid.as_map(tokens)[0, 0, 1, 2] == 2 + 1 * 6 + 2
        assert TokenGrid(((4, 4), (2, 2)), prefixed=False).of(5) is None


def test_a_grid_for_a_model_without_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.toml").write_text(
        'name = "m"\nfactory = "torch.nn:Identity"\n[input]\nkind = "tensor"\nshapes = [[3]]\n'
        "[explain]\ntoken_grid = [2, 2]\n"
    )
    with pytest.raises(ModelConfigError, match=r"explain\.token_grid"):
        load_model(tmp_path, DEVICE)
