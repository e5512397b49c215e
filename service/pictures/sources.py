"""A client's picture by its headers: its size and the memory to decode it. Then its pixels, in blocks."""

import io
from abc import ABC, abstractmethod
from typing import Final, cast

from PIL import Image, PngImagePlugin

from service.pictures import libwebp
from service.pictures.flatten import load_with_transparency, mask_bytes
from service.pictures.jpeg_file import Component, coefficient_bytes
from service.pictures.webp_file import DamagedWebP, WebPFile, read_webp
from service.tuning import MAX_DECODED_BYTES, MAX_PNG_TEXT_BYTES, WEBP_BLOCK_PIXELS

ORIENTATION: Final = 0x0112  # EXIF tag
SAMPLE_BYTES: Final = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2}  # a pixel in Pillow's memory; 4 in other modes
PILLOW_WEBP_BYTES: Final = 20  # a pixel: two canvases, the decoder's buffer, the bytes and the image
LOSSLESS_BYTES: Final = 4  # a pixel of libwebp's own buffer for lossless streams
LOSSY_ALPHA_BYTES: Final = 5  # a pixel: the alpha channel of a lossy stream is a lossless one, and is copied
MAX_REDUCTION: Final = 8  # of the sides of a JPEG picture, by libjpeg
CUT: Final = 2  # rows and columns at a cut that differ in a part of a lossy WebP picture

PngImagePlugin.MAX_TEXT_MEMORY = MAX_PNG_TEXT_BYTES  # of all texts of a file; Pillow's own bound is 64 MiB

Box = tuple[int, int, int, int]  # left, top, right, bottom


class Source(ABC):
    """A picture whose headers have been read. Sizes and boxes are those of the file, before it is turned upright.

    `size` is that of the decoded picture: `full_size` over `reduction`, rounded up.
    """

    full_size: tuple[int, int]
    reduction: int = 1

    @property
    def size(self) -> tuple[int, int]:
        return -(-self.full_size[0] // self.reduction), -(-self.full_size[1] // self.reduction)

    @property
    @abstractmethod
    def decoded_bytes(self) -> int:
        """The most memory that decoding holds at a time, from the headers."""

    @property
    @abstractmethod
    def block_pixels(self) -> int:
        """The most pixels that `block` takes at a time."""

    @abstractmethod
    def load(self) -> int:
        """Decode what must be decoded as a whole. The EXIF orientation, 1 to 8.

        Raises:
            Exception: the file is damaged; Pillow raises many kinds.
        """

    @abstractmethod
    def block(self, box: Box) -> tuple[Image.Image, tuple[int, int]]:
        """Decoded pixels that contain the box, in any mode, and where their upper left corner lies in the picture."""


class PillowSource(Source):
    """A picture that Pillow decodes: as a whole, in the file's own mode.

    A JPEG file that would take more than `MAX_DECODED_BYTES` is decoded at a half of its size or less: libjpeg holds
    all coefficients of a progressive file, and the pixels besides.
    """

    def __init__(self, data: bytes, kind: str) -> None:
        self._data = data
        self._picture = Image.open(io.BytesIO(data), formats=(kind,))
        self.full_size = self._picture.size
        self._coefficients = self._coefficient_bytes()
        while kind == "JPEG" and self.decoded_bytes > MAX_DECODED_BYTES and self.reduction < MAX_REDUCTION:
            self.reduction *= 2
        if self.reduction > 1:
            self._picture.draft(None, (self.full_size[0] // self.reduction, self.full_size[1] // self.reduction))

    @property
    def decoded_bytes(self) -> int:
        pixels = self.size[0] * self.size[1]
        if self._picture.format == "WEBP":
            return PILLOW_WEBP_BYTES * pixels
        return SAMPLE_BYTES.get(self._picture.mode, 4) * pixels + mask_bytes(self._picture) + self._coefficients

    def _coefficient_bytes(self) -> int:
        components = cast("list[Component]", getattr(self._picture, "layer", []))
        if not components:
            return 0
        progressive = "progressive" in self._picture.info
        return coefficient_bytes(self._data, self.full_size, components, progressive=progressive)

    @property
    def block_pixels(self) -> int:
        return self.size[0] * self.size[1]

    def load(self) -> int:
        load_with_transparency(self._picture, self._data)
        return _orientation(self._picture)

    def block(self, box: Box) -> tuple[Image.Image, tuple[int, int]]:
        return self._picture, (0, 0)


class WebPSource(Source):
    """A WebP picture that libwebp decodes, block by block. Each block costs the decoding of all that lies above it."""

    def __init__(self, data: bytes) -> None:
        self._file: WebPFile = read_webp(data)
        self.full_size = self._file.size

    @property
    def decoded_bytes(self) -> int:
        file = self._file
        pixels = file.frame_size[0] * file.frame_size[1]
        own = LOSSLESS_BYTES if file.lossless else LOSSY_ALPHA_BYTES if file.has_alpha else 0
        canvases = 1 if file.fills_canvas else 2  # a smaller frame is pasted on a transparent canvas
        return own * pixels + canvases * 4 * min(self._longest_block(), self.size[0] * self.size[1])

    @property
    def block_pixels(self) -> int:
        return WEBP_BLOCK_PIXELS

    def load(self) -> int:
        bare = Image.new("L", (1, 1))
        bare.info.update({"exif": self._file.exif} if self._file.exif else {})
        bare.info.update({"xmp": self._file.xmp} if self._file.xmp else {})
        return _orientation(bare)

    def block(self, box: Box) -> tuple[Image.Image, tuple[int, int]]:
        file = self._file
        cut = 0 if file.lossless else CUT
        left, top = (max(0, edge - cut - file.offset[axis]) & ~1 for axis, edge in enumerate(box[:2]))
        right, bottom = (
            min(file.frame_size[axis], edge + cut - file.offset[axis]) for axis, edge in enumerate(box[2:])
        )
        mode = "RGBA" if file.has_alpha else "RGB"
        if right <= left or bottom <= top:  # a part of the canvas that the first frame does not cover
            return Image.new(mode, (box[2] - box[0], box[3] - box[1])), box[:2]
        part = libwebp.decode_part(file.still, (left, top, right, bottom))
        corner = left + file.offset[0], top + file.offset[1]
        if file.fills_canvas:
            return part if file.has_alpha else _opaque(part), corner
        block = Image.new("RGBA", (box[2] - box[0], box[3] - box[1]))
        block.paste(part, (corner[0] - box[0], corner[1] - box[1]))
        return block if file.has_alpha else _opaque(block), box[:2]

    def _longest_block(self) -> int:
        """Pixels of a block, with what it overlaps: at least one row or column."""
        side = max(self.size)
        return max(WEBP_BLOCK_PIXELS, side) + 2 * (CUT + 1) * side


def open_source(data: bytes, kind: str) -> Source:
    """Read the headers of a file of this format. Nothing is decoded.

    Raises:
        Exception: they are damaged; Pillow raises many kinds.
    """
    if kind == "WEBP" and libwebp.available():
        try:
            return WebPSource(data)
        except DamagedWebP as error:
            raise ValueError(str(error)) from error
    return PillowSource(data, kind)


def _orientation(picture: Image.Image) -> int:
    orientation = picture.getexif().get(ORIENTATION, 1)
    return orientation if orientation in range(2, 9) else 1


def _opaque(picture: Image.Image) -> Image.Image:
    """The RGBA pixels without their alpha channel, which an opaque picture's decoder fills with 255."""
    picture.putalpha(255)
    return picture
