"""Pictures: pixels that the gateway has decoded and scaled, normalised per channel for the model."""

import torch
from torch import Tensor
from torch.nn import functional as F

from schemas.errors import InputRejected
from schemas.methods import BaselineName, FeatureMask, Grid, Superpixels
from schemas.models import InputCard
from schemas.pictures import Preprocessing
from schemas.sentences import Sentence
from schemas.tensors import DATATYPES
from workers.inputs.prepared import Payload, Prepared, Tensors
from workers.inputs.superpixels import superpixels
from workers.inputs.tensor import TensorAdapter
from workers.inputs.tuning import BLUR_RADIUS_PER_SIGMA, BLUR_SIDE_PER_SIGMA
from workers.repository.model_toml import InputConfig


class ImageAdapter(TensorAdapter):
    """Pictures. The payload `pixels`, (H, W, 3) or (examples, H, W, 3) uint8, becomes (examples, 3, H, W) in the
    model's space."""

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
        if pixels.dtype != torch.uint8 or list(pixels.shape[-3:]) != [height, width, 3] or pixels.dim() > 4:
            raise InputRejected(
                Sentence(
                    "the picture's pixels are {given}, the model takes {taken}",
                    given=list(pixels.shape),
                    taken=[height, width, 3],
                )
            )
        return self._plain((self.normalised(pixels.to(device)),))

    def normalised(self, pixels: Tensor) -> Tensor:
        """(H, W, 3) or (examples, H, W, 3) uint8 -> (examples, 3, H, W) in the model's space.

        On the device of the pixels. Devices agree exactly.
        """
        pictures = pixels if pixels.dim() == 4 else pixels.unsqueeze(0)
        levels = pictures.permute(0, 3, 1, 2).contiguous().to(self.dtype)
        # Divides by a tensor: for a plain number, CUDA multiplies by the reciprocal, which rounds unlike the CPU.
        return self._normalise(levels / levels.new_tensor(255))

    def _normalise(self, unit: Tensor) -> Tensor:
        """Values in 0..1, (examples, 3, H, W), to the model's space."""
        mean = unit.new_tensor(self.config.mean).view(1, 3, 1, 1)
        std = unit.new_tensor(self.config.std).view(1, 3, 1, 1)
        return (unit - mean) / std

    def _unit(self, inputs: Tensor) -> Tensor:
        """The inverse of `_normalise`, clipped to 0..1."""
        mean = inputs.new_tensor(self.config.mean).view(1, 3, 1, 1)
        std = inputs.new_tensor(self.config.std).view(1, 3, 1, 1)
        return (inputs * std + mean).clamp(0, 1)

    def pixels(self, inputs: Tensors) -> Tensor:
        """(examples, H, W, 3) uint8; values that no pixel has are clipped."""
        return (self._unit(inputs[0]) * 255).round().to(torch.uint8).permute(0, 2, 3, 1)

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

    def feature_mask(self, requested: FeatureMask | None, prepared: Prepared) -> Tensors | None:
        """(1, C, H, W) for a grid, (examples, C, H, W) for superpixels. Channels of a pixel share a feature."""
        (inputs,) = prepared.inputs
        if isinstance(requested, Superpixels):
            return (superpixels(self._unit(inputs), requested.superpixels).to(inputs.device),)
        if not isinstance(requested, Grid):
            return None
        height, width = inputs.shape[2:]
        rows = torch.arange(height) * requested.grid[0] // height
        columns = torch.arange(width) * requested.grid[1] // width
        mask = (rows.unsqueeze(1) * requested.grid[1] + columns).expand(1, *inputs.shape[1:])
        return (mask.contiguous().to(inputs.device),)  # Captum views it in another shape


def blur(images: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of (examples, C, H, W) with reflected edges; `sigma` in pixels."""
    channels = images.shape[1]
    for dim in (2, 3):
        radius = min(int(BLUR_RADIUS_PER_SIGMA * sigma), images.shape[dim] - 1)
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
