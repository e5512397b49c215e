"""Pictures for the benchmarks: crops and alterations of those that ship with scikit-image.

The sources are under CC0 or in the public domain.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image

PNG_FILES = ("chelsea", "astronaut", "coffee", "camera", "brick", "grass", "gravel", "cell")
FILES = [*(f"{name}.png" for name in PNG_FILES), "rocket.jpg", "retina.jpg"]
GREY = (127, 127, 127)
MIRRORED, RELIT, ROTATED = {2, 4}, {3, 4}, {4}  # variants; every variant but 0 is cropped


def pictures(count: int) -> Iterator[tuple[str, Image.Image]]:
    """The first `count` pictures with their names, variant by variant: 0 is whole, 1 to 4 are altered copies.

    Crop, brightness and angle are drawn with a seed of the picture's own, so each name is always the same picture.
    """
    for number in range(count):
        variant, which = divmod(number, len(FILES))
        name = FILES[which]
        picture = Image.open(Path(skimage.data.__file__).parent / name).convert("RGB")
        rng = np.random.default_rng(1000 * which + variant)
        if variant:
            side = int(min(picture.size) * rng.uniform(0.5, 0.95))
            left, top = (int(rng.integers(0, edge - side + 1)) for edge in picture.size)
            picture = picture.crop((left, top, left + side, top + side))
        if variant in MIRRORED:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if variant in RELIT:
            relit = np.asarray(picture, np.float32) * rng.uniform(0.6, 1.4)
            picture = Image.fromarray(relit.clip(0, 255).astype(np.uint8))
        if variant in ROTATED:
            angle = float(rng.uniform(-15, 15))
            picture = picture.rotate(angle, Image.Resampling.BICUBIC, fillcolor=GREY)
        yield f"{name.partition('.')[0]}-{variant}", picture
