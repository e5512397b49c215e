"""Pictures: pixels as the model sees them, which the gateway has decoded and scaled, normalised per channel."""

import torch
from torch import Tensor
from torch.nn import functional as F

from schemas.errors import InputRejected
from schemas.methods import BaselineName, FeatureMask, Grid, Superpixels
from schemas.models import InputCard
from schemas.pictures import Preprocessing
from schemas.tensors import DATATYPES
from workers.inputs.prepared import Payload, Prepared, Tensors
from workers.inputs.superpixels import superpixels
from workers.inputs.tensor import TensorAdapter
from workers.repository.model_toml import InputConfig

BLUR_SIDE_PER_SIGMA = 10  # the blur baseline's sigma is the longer side over this


class ImageAdapter(TensorAdapter):
    """`pixels`: (H, W, 3) uint8 -> (1, 3, H, W) in model space."""

    baselines: list[BaselineName] = ["zero", "black", "white", "mean", "blur"]  # noqa: RUF012

    def _card(self, config: InputConfig) -> InputCard:
        return InputCard(
            kind="image",
            shapes=[[3, *(config.size or [])]],
            datatype=DATATYPES[config.dtype],
            preprocessing=Preprocessing(
                resize=config.resize,
                resize_to=config.resize_to,
                crop_fraction=config.crop_fraction,
                interpolation=config.interpolation,
            ),
        )

    def prepare(self, payload: Payload, device: torch.device) -> Prepared:
        if "pixels" not in payload:
            return super().prepare(payload, device)
        pixels = payload["pixels"]
        height, width = self.card.shapes[0][1:]
        if pixels.dtype != torch.uint8 or list(pixels.shape) != [height, width, 3]:
            raise InputRejected(f"the picture's pixels are {list(pixels.shape)}, the model takes {[height, width, 3]}")
        return self._plain((self.normalised(pixels.to(device)),))

    def normalised(self, pixels: Tensor) -> Tensor:
        """(H, W, 3) uint8 to model space, (1, 3, H, W), on the device of the pixels: the same values on each."""
        levels = pixels.permute(2, 0, 1).unsqueeze(0).contiguous().to(self.dtype)
        # By a tensor: CUDA multiplies by the reciprocal of a plain number, which rounds otherwise than the CPU.
        return self._normalise(levels / levels.new_tensor(255))

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
