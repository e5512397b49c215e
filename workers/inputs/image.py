"""Pictures: decoded, cropped or stretched to the model's view, normalised per channel."""

import io
import math

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from torch.nn import functional as F

from schemas.errors import InputRejected
from schemas.limits import MAX_IMAGE_PIXELS
from schemas.methods import BaselineName, FeatureMask, Grid, Superpixels
from schemas.models import InputCard
from schemas.results import Picture
from schemas.tensors import DATATYPES
from workers.config import InputConfig
from workers.inputs.prepared import Described, Payload, Prepared, Tensors
from workers.inputs.superpixels import superpixels
from workers.inputs.tensor import TensorAdapter

FORMATS = ("PNG", "JPEG", "WEBP")
BLUR_SIDE_PER_SIGMA = 10  # the blur baseline's sigma is the longer side over this
_BOMB = (Image.DecompressionBombError, Image.DecompressionBombWarning)
Box = tuple[float, float, float, float]  # left, top, right, bottom, in pixels of the picture


class ImageAdapter(TensorAdapter):
    """`image`: (bytes,) uint8, an encoded file -> (1, 3, H, W) in model space."""

    baselines: list[BaselineName] = ["zero", "black", "white", "mean", "blur"]  # noqa: RUF012

    def _card(self, config: InputConfig) -> InputCard:
        return InputCard(kind="image", shapes=[[3, *(config.size or [])]], datatype=DATATYPES[config.dtype])

    def prepare(self, payload: Payload, device: torch.device) -> Prepared:
        if "image" not in payload:
            return super().prepare(payload, device)
        picture = decode(payload["image"].numpy().tobytes())
        inputs, box = self.normalised(picture)
        source = Picture(crop=list(box), width=picture.width, height=picture.height)
        return self._plain((inputs.to(device).contiguous(),), source)

    def normalised(self, picture: Image.Image) -> tuple[Tensor, Box]:
        """An RGB picture in model space, (1, 3, H, W), and the part of it that the model sees."""
        pixels, box = self._seen(picture)
        levels = torch.from_numpy(np.array(pixels)).permute(2, 0, 1).contiguous()  # as bytes, a quarter of the copy
        return self._normalise(levels.unsqueeze(0).to(self.dtype) / 255), box

    def _seen(self, picture: Image.Image) -> tuple[Image.Image, Box]:
        """Scaled and cut to the model's size.

        Without `resize_to` the part is cut out first, at its exact edges. With it the whole picture is scaled first,
        and whole pixels are cut out of that, as torchvision and transformers do.
        """
        height, width = self.card.shapes[0][1:]
        resampling = Image.Resampling[self.config.interpolation.upper()]
        if self.config.resize_to is None:
            box = self._view(picture.width, picture.height)
            return picture.resize((width, height), resampling, box=box), box
        scaled = _scaled(picture, self.config.resize_to)  # width, height
        left, top = (scaled[0] - width) // 2, (scaled[1] - height) // 2
        across, down = picture.width / scaled[0], picture.height / scaled[1]
        box = (left * across, top * down, (left + width) * across, (top + height) * down)
        if math.prod(scaled) > MAX_IMAGE_PIXELS:  # a thin strip, of which a small part is seen
            return picture.resize((width, height), resampling, box=box), box
        return picture.resize(scaled, resampling).crop((left, top, left + width, top + height)), box

    def _view(self, width: int, height: int) -> Box:
        """The part of the picture that is cut out before scaling."""
        if self.config.resize == "stretch":
            return 0.0, 0.0, float(width), float(height)
        to_height, to_width = self.card.shapes[0][1:]
        scale = min(width / to_width, height / to_height) * self.config.crop_fraction
        across, down = to_width * scale, to_height * scale
        left, top = (width - across) / 2, (height - down) / 2
        return left, top, left + across, top + down

    def _normalise(self, unit: Tensor) -> Tensor:
        """Values in 0..1, channels in dimension 1, to model space."""
        mean = unit.new_tensor(self.config.mean).view(1, 3, 1, 1)
        std = unit.new_tensor(self.config.std).view(1, 3, 1, 1)
        return (unit - mean) / std

    def _unit(self, inputs: Tensor) -> Tensor:
        """Model space to values in 0..1; the inverse of `_normalise`."""
        mean = inputs.new_tensor(self.config.mean).view(1, 3, 1, 1)
        std = inputs.new_tensor(self.config.std).view(1, 3, 1, 1)
        return (inputs * std + mean).clamp(0, 1)

    def _baseline(self, name: BaselineName, inputs: Tensor) -> Tensor:
        if name == "black":
            return self._normalise(torch.zeros_like(inputs))
        if name == "white":
            return self._normalise(torch.ones_like(inputs))
        if name == "mean":  # the picture's own mean colour
            return inputs.mean(dim=(2, 3), keepdim=True).expand_as(inputs).contiguous()
        if name == "blur":
            return blur(inputs, max(inputs.shape[2:]) / BLUR_SIDE_PER_SIGMA)
        return super()._baseline(name, inputs)

    def feature_mask(self, wanted: FeatureMask | None, prepared: Prepared) -> Tensors | None:
        """(1, C, H, W) for a grid, (examples, C, H, W) for superpixels; the same over channels."""
        (inputs,) = prepared.inputs
        if isinstance(wanted, Superpixels):
            return (superpixels(self._unit(inputs), wanted.superpixels).to(inputs.device),)
        if not isinstance(wanted, Grid):
            return None
        height, width = inputs.shape[2:]
        rows = torch.arange(height) * wanted.grid[0] // height
        columns = torch.arange(width) * wanted.grid[1] // width
        mask = (rows.unsqueeze(1) * wanted.grid[1] + columns).expand(1, *inputs.shape[1:])
        return (mask.contiguous().to(inputs.device),)  # Captum takes views of it

    def describe(self, prepared: Prepared, attributions: Tensors, *, layered: bool) -> Described:
        return Described(picture=prepared.source)


def _scaled(picture: Image.Image, to: int | list[int]) -> tuple[int, int]:
    """Width and height of the whole picture where its short side is `to`, or it is [height, width]."""
    if isinstance(to, list):
        return to[1], to[0]
    short, long = sorted(picture.size)
    length = int(to * long / short)
    return (to, length) if picture.width <= picture.height else (length, to)


def decode(data: bytes) -> Image.Image:
    """An encoded picture as RGB, upright, on white where it is transparent.

    Raises:
        InputRejected: no PNG, JPEG or WebP, too large, or damaged.
    """
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
        if math.prod(picture.size) > MAX_IMAGE_PIXELS:
            raise InputRejected(f"the picture has more than {MAX_IMAGE_PIXELS} pixels")
        picture.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, *_BOMB) as error:
        raise InputRejected("the picture cannot be decoded") from error
    upright = ImageOps.exif_transpose(picture)
    if upright.mode.startswith("I"):  # 16-bit grey, which Pillow would clip and not scale
        return Image.fromarray((np.asarray(upright, np.float64) / 257).round().clip(0, 255).astype(np.uint8)).convert(
            "RGB"
        )
    if not upright.has_transparency_data:
        return upright.convert("RGB")
    rgba = upright.convert("RGBA")
    white = Image.new("RGBA", rgba.size, "white")
    return Image.alpha_composite(white, rgba).convert("RGB")


def blur(images: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of (examples, C, H, W), edges mirrored; `sigma` in pixels."""
    channels = images.shape[1]
    for dim in (2, 3):
        radius = min(int(3 * sigma), images.shape[dim] - 1)
        if radius < 1:
            continue
        at = torch.arange(-radius, radius + 1, dtype=images.dtype, device=images.device)
        kernel = torch.exp(-(at**2) / (2 * sigma**2))
        shape = [1, 1, 1, 1]
        shape[dim] = -1
        weight = (kernel / kernel.sum()).view(shape).expand(channels, 1, *shape[2:])
        pad = (0, 0, radius, radius) if dim == 2 else (radius, radius, 0, 0)
        images = F.conv2d(F.pad(images, pad, mode="reflect"), weight, groups=channels)
    return images
