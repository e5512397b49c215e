"""Superpixels: regions of similar colour, which serve as features of a picture."""

import numpy as np
import torch
from torch import Tensor

from workers.inputs.tuning import SUPERPIXEL_COMPACTNESS


def superpixels(pictures: Tensor, count: int) -> Tensor:
    """Divides each picture into about `count` regions.

    Args:
        pictures: (examples, 3, H, W), values in 0..1.

    Returns:
        (examples, 3, H, W) int64, regions numbered from 0. Channels of a pixel have the same number.

    Source: Achanta et al., "SLIC Superpixels Compared to State-of-the-Art Superpixel Methods" (2012).
    """
    from skimage.segmentation import slic  # noqa: PLC0415  # imports scipy, a fifth of a second

    masks = []
    for picture in pictures.double().cpu().permute(0, 2, 3, 1).numpy():
        regions = slic(picture, n_segments=count, compactness=SUPERPIXEL_COMPACTNESS, start_label=0, channel_axis=-1)
        masks.append(torch.from_numpy(regions.astype(np.int64)))
    return torch.stack(masks).unsqueeze(1).expand(-1, pictures.shape[1], -1, -1).contiguous()
