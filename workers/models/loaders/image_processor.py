"""Translates the preprocessing of a transformers image processor into fields of the description, and proves it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from schemas.picture_view import PictureView
from workers.inputs.image import ImageAdapter
from workers.models.tuning import IMAGE_PROCESSOR_TOLERANCE
from workers.repository.model_toml import InputConfig, ModelConfigError

_UNCROPPED_SIDE = 384  # pixels; ConvNeXT's processor crops no picture from this size on
_INTERPOLATIONS = {
    0: "nearest",
    1: "lanczos",
    2: "bilinear",
    3: "bicubic",
    4: "box",
    5: "hamming",
}  # by Pillow's number
_BY_HAND = "describe the preprocessing under [input] (size, resize_to, interpolation, mean, std)"


def image_input(given: InputConfig, path: Path) -> InputConfig:
    """Adds sizes, interpolation, mean and std of the folder's `preprocessor_config.json` to the description.

    A description with `input.size` describes the whole preprocessing; the file is not read then.

    Raises:
        ModelConfigError: the file is missing, or the processor does more than resize, crop and normalise.
    """
    if given.size is not None:
        return given
    processor = _processor(path)
    described = given.model_copy(update=_geometry(processor))
    described = described.model_copy(update=_normalisation(processor, described))
    _prove(processor, described)
    return described


def _processor(path: Path) -> Any:
    import transformers  # noqa: PLC0415  # takes seconds

    auto: Any = transformers.AutoImageProcessor
    try:
        return auto.from_pretrained(path, backend="pil", local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, ImportError) as error:
        said = " ".join(str(error).split())
        raise ModelConfigError(f"input: the folder's image processor cannot be used ({said}); {_BY_HAND}") from error


def _geometry(processor: Any) -> dict[str, Any]:
    """The fields of `InputConfig` for size, crop and interpolation."""
    size, crop = processor.size, processor.crop_size if processor.do_center_crop else None
    short = size.shortest_edge if size.longest_edge is None else None
    whole = [size.height, size.width] if size.height and size.width else None
    seen = [crop.height, crop.width] if crop is not None and crop.height and crop.width else None
    interpolation = _INTERPOLATIONS.get(int(processor.resample)) if processor.resample is not None else "bilinear"
    fields: dict[str, Any] = {"interpolation": interpolation}
    crop_pct = getattr(processor, "crop_pct", None)
    if processor.do_resize and short and crop_pct and seen is None:  # models like ConvNeXT
        if short >= _UNCROPPED_SIDE:
            return fields | {"size": [short, short], "resize": "stretch"}
        return fields | {"size": [short, short], "resize_to": int(short / crop_pct)}
    if processor.do_resize and whole and seen is None:
        return fields | {"size": whole, "resize": "stretch"}
    if processor.do_resize and seen and (short or whole):
        return fields | {"size": seen, "resize_to": short or whole}
    raise ModelConfigError(f"input: {type(processor).__name__} does not bring pictures to one size; {_BY_HAND}")


def _normalisation(processor: Any, described: InputConfig) -> dict[str, Any]:
    """Mean and std of values in 0..1, computed from the outputs for black and for white.

    Processors rescale in several ways; outputs show the result of all of them.
    """
    side = max(described.size or [1])
    black, white = (
        _processed(processor, Image.new("RGB", (side, side), colour))[0].double().mean(dim=(1, 2)).tolist()
        for colour in ("black", "white")
    )
    pairs = list(zip(black, white, strict=True))
    if any(high <= low for low, high in pairs):
        raise ModelConfigError(f"input: {type(processor).__name__} makes white no lighter than black; {_BY_HAND}")
    return {
        "mean": [round(-low / (high - low), 7) for low, high in pairs],
        "std": [round(1 / (high - low), 7) for low, high in pairs],
    }


def _prove(processor: Any, described: InputConfig) -> None:
    """Compares the processor with the description on noise in portrait and in landscape format.

    Raises:
        ModelConfigError: the results differ.
    """
    adapter = ImageAdapter(described)
    view = PictureView.of(adapter.card)
    for picture in _noise():
        theirs = _processed(processor, picture)
        ours = adapter.normalised(torch.from_numpy(np.array(view.apply(picture)[0])))
        scale = max(1.0, float(theirs.abs().max()))
        if ours.shape != theirs.shape or float((ours - theirs).abs().max()) > IMAGE_PROCESSOR_TOLERANCE * scale:
            raise ModelConfigError(
                f"input: {type(processor).__name__} does more than resize, crop and normalise; {_BY_HAND}"
            )


def _noise() -> Iterator[Image.Image]:
    generator = np.random.default_rng(0)
    for shape in ((97, 131, 3), (420, 300, 3)):
        yield Image.fromarray(generator.integers(0, 256, shape, dtype=np.uint8))


def _processed(processor: Any, picture: Image.Image) -> torch.Tensor:
    values: torch.Tensor = processor(picture, return_tensors="pt")["pixel_values"]
    return values  # (1, 3, H, W)
