"""PNG encoding of the drawings."""

import io

from PIL import Image


def encode(canvas: Image.Image) -> bytes:
    """The drawing as a PNG file without metadata."""
    file = io.BytesIO()
    canvas.save(file, "PNG", compress_level=2)  # a fifth of the default's time for 6 % more bytes
    return file.getvalue()
