"""Regions of similar colour, as features of a picture."""

import numpy as np
import torch
from skimage.segmentation import slic
from torch import Tensor

COMPACTNESS = 10.0  # scikit-image's own: nearness against likeness of colour


def superpixels(pictures: Tensor, count: int) -> Tensor:
    """About `count` regions of each picture.

    Args:
        pictures: (examples, 3, H, W), values in 0..1.

    Returns:
        (examples, 3, H, W) int64, regions numbered from 0, the same over channels.

    Source: Achanta et al., "SLIC Superpixels Compared to State-of-the-Art Superpixel Methods" (2012).
    """
    masks = []
    for picture in pictures.double().cpu().permute(0, 2, 3, 1).numpy():
        regions = slic(picture, n_segments=count, compactness=COMPACTNESS, start_label=0, channel_axis=-1)
        masks.append(torch.from_numpy(regions.astype(np.int64)))
    return torch.stack(masks).unsqueeze(1).expand(-1, pictures.shape[1], -1, -1).contiguous()
