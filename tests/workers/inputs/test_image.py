"""Pictures, from pixels to the space of the model, and their baselines and features."""

import numpy as np
import pytest
import torch
from torch import Tensor

from schemas.errors import InputRejected
from schemas.methods import Grid, Superpixels
from workers.inputs.image import ImageAdapter, blur
from workers.repository.model_toml import InputConfig

CPU = torch.device("cpu")
DEVICES = [CPU, *([torch.device("cuda:0")] if torch.cuda.is_available() else [])]


def image_config(**fields: object) -> InputConfig:
    return InputConfig.model_validate({"kind": "image", "size": [20, 20], **fields})


def quadrants(height: int, width: int) -> np.ndarray:
    """Red, green, blue and white quarters."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = (255, 0, 0)
    pixels[: height // 2, width // 2 :] = (0, 255, 0)
    pixels[height // 2 :, : width // 2] = (0, 0, 255)
    pixels[height // 2 :, width // 2 :] = (255, 255, 255)
    return pixels


def test_normalised() -> None:
    adapter = ImageAdapter(image_config(mean=[0.5, 0.0, 0.0], std=[0.5, 1.0, 1.0]))
    (x,) = adapter.prepare({"pixels": torch.from_numpy(quadrants(20, 20))}, CPU).inputs
    assert x.shape == (1, 3, 20, 20)
    assert x[0, :, 2, 2].tolist() == [1.0, 0.0, 0.0]
    assert x[0, :, 2, 17].tolist() == [-1.0, 1.0, 0.0]
    assert x[0, :, 17, 17].tolist() == [1.0, 1.0, 1.0]
    assert x.is_contiguous()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_each_level_as_the_formula_rounds_it(dtype: str) -> None:
    """On each device bit for bit what division, subtraction and division give in the model's precision."""
    adapter = ImageAdapter(image_config(dtype=dtype, size=[16, 16], mean=[0.485, 0.456, 0.406], std=[0.2, 0.3, 0.7]))
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    mean, std = (np.array(values, dtype) for values in (adapter.config.mean, adapter.config.std))
    expected = ((levels.astype(dtype) / np.array(255, dtype) - mean) / std).transpose(2, 0, 1)
    for device in DEVICES:
        (x,) = adapter.prepare({"pixels": torch.from_numpy(levels)}, device).inputs
        assert x.device == device
        np.testing.assert_array_equal(x[0].cpu().numpy(), expected)


@pytest.mark.parametrize(
    "pixels",
    [
        torch.zeros(20, 21, 3, dtype=torch.uint8),
        torch.zeros(3, 20, 20, dtype=torch.uint8),
        torch.zeros(20, 20, 3),
        torch.zeros(1200, dtype=torch.uint8),
    ],
)
def test_pixels_of_another_model(pixels: Tensor) -> None:
    with pytest.raises(InputRejected, match="pixels"):
        ImageAdapter(image_config()).prepare({"pixels": pixels}, CPU)


def test_the_card_tells_how_pictures_are_prepared() -> None:
    given = {"resize": "stretch", "resize_to": [24, 30], "crop_fraction": 0.5, "interpolation": "lanczos"}
    preprocessing = ImageAdapter(image_config(**given)).card.preprocessing
    assert preprocessing is not None
    assert preprocessing.model_dump() == given


def test_baselines() -> None:
    adapter = ImageAdapter(image_config(mean=[0.5, 0.4, 0.3], std=[0.5, 0.2, 0.1]))
    prepared = adapter.prepare({"pixels": torch.from_numpy(quadrants(20, 20))}, CPU)

    def baseline(name: str) -> Tensor:
        (tensor,), _ = adapter.baseline(name, prepared)
        assert tensor.shape == prepared.inputs[0].shape
        return tensor

    assert baseline("zero").abs().max() == 0
    assert torch.allclose(baseline("black")[0, :, 0, 0], torch.tensor([-1.0, -2.0, -3.0]))
    assert torch.allclose(baseline("white")[0, :, 9, 9], torch.tensor([1.0, 3.0, 7.0]))
    assert torch.allclose(baseline("mean")[0, 0], prepared.inputs[0][0, 0].mean().expand(20, 20))
    smooth = baseline("blur")
    assert smooth.std() < prepared.inputs[0].std()
    assert torch.allclose(smooth.mean(), prepared.inputs[0].mean(), atol=0.2)
    with pytest.raises(InputRejected):
        adapter.baseline("pad", prepared)


def test_blur_keeps_what_is_flat() -> None:
    flat = torch.full((1, 3, 9, 5), 2.5, dtype=torch.float64)
    assert torch.allclose(blur(flat, 3.0), flat)


def test_a_grid_tiles_the_picture() -> None:
    adapter = ImageAdapter(image_config())
    (mask,) = adapter.feature_mask(Grid(grid=[3, 4]), adapter.sample(CPU)) or ()
    assert mask.shape == (1, 3, 20, 20)
    assert mask.unique().tolist() == list(range(12))
    sizes = torch.bincount(mask[0, 0].flatten())
    assert sizes.max() <= sizes.min() * 1.5
    assert torch.equal(mask[0, 0], mask[0, 2])


def test_superpixels_follow_the_colours() -> None:
    adapter = ImageAdapter(image_config(mean=[0.5, 0.4, 0.3], std=[0.5, 0.2, 0.1]))
    prepared = adapter.prepare({"pixels": torch.from_numpy(quadrants(20, 20))}, CPU)
    (mask,) = adapter.feature_mask(Superpixels(superpixels=4), prepared) or ()
    assert mask.shape == (1, 3, 20, 20)
    corners = [mask[0, 0, 2, 2], mask[0, 0, 2, 17], mask[0, 0, 17, 2], mask[0, 0, 17, 17]]
    assert sorted(map(int, corners)) == [0, 1, 2, 3]
    assert len(mask[0, 0, :9, :9].unique()) == 1  # a quarter of one colour is one region
