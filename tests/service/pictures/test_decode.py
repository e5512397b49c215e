"""Pictures from strangers: what is read, how it looks, what is refused, and that nothing big is decoded first."""

import io
import random
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from schemas.limits import MAX_IMAGE_BYTES
from schemas.picture_view import PictureView
from schemas.pictures import Preprocessing
from service.pictures.decode import (
    PictureRejected,
    open_picture,
    work_of,
)
from service.tuning import MAX_JPEG_SCANS
from tests.service.drawing.drawn import photograph

VIEW = photograph(48, 32)
HUGE_WEBP = bytes.fromhex("524946461c000000574542505650384c0f0000002ffebfff0f0710fd8ffe0722a2ff0100")  # 16383 a side


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def same(first: Image.Image, second: Image.Image) -> bool:
    return np.array_equal(np.asarray(first), np.asarray(second))


def png_of(width: int, height: int, *, depth: int = 8, color: int = 2) -> bytes:
    """A PNG that claims a size and holds nothing of it."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("kind", "tolerance"), [("PNG", 0), ("JPEG", 12), ("WEBP", 12)])
def test_the_three_formats_are_read(kind: str, tolerance: int) -> None:
    picture = open_picture(encoded(VIEW, kind))
    assert (picture.mode, picture.size) == ("RGB", VIEW.size)
    assert np.abs(np.asarray(picture).astype(int) - np.asarray(VIEW)).max() <= tolerance


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_every_opaque_mode_becomes_rgb(mode: str) -> None:
    image = VIEW.convert(mode)
    assert same(open_picture(encoded(image, "PNG")), image.convert("RGB"))


def test_cmyk_keeps_its_colours() -> None:
    picture = open_picture(encoded(VIEW.convert("CMYK"), "JPEG", quality=95))
    assert np.abs(np.asarray(picture).astype(int) - np.asarray(VIEW)).mean() < 4


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_the_transparent_is_white(mode: str) -> None:
    image = VIEW.convert("RGBA")
    image.paste((200, 10, 10, 0), (0, 0, 24, 32))
    png = encoded(image.convert("P") if mode == "PA" else image.convert(mode), "PNG")
    drawn = np.asarray(open_picture(png))
    assert (drawn[:, :24] == 255).all()
    assert drawn[:, 24:].max() < 255


@pytest.mark.parametrize(("mode", "clear"), [("L", 7), ("RGB", (7, 7, 7)), ("I;16", 7)])
def test_one_transparent_colour_is_white(mode: str, clear: int | tuple[int, ...]) -> None:
    png = encoded(Image.new(mode, (16, 16), clear), "PNG", transparency=clear)
    assert (np.asarray(open_picture(png)) == 255).all()


def test_sixteen_bit_grey_is_scaled_and_not_clipped() -> None:
    levels = np.linspace(0, 65535, 32 * 32).reshape(32, 32).astype(np.uint16)
    drawn = np.asarray(open_picture(encoded(Image.fromarray(levels), "PNG")))
    assert drawn == pytest.approx(np.repeat(levels[..., None] / 257, 3, axis=-1), abs=0.51)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(orientation: int) -> None:
    turned = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    as_stored = VIEW.transpose(turned[orientation]) if orientation > 1 else VIEW
    assert same(open_picture(encoded(as_stored, "PNG", exif=exif)), VIEW)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_the_first_frame_of_an_animation(kind: str) -> None:
    frames = [VIEW, Image.new("RGB", VIEW.size, "black")]
    lossless = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100, **lossless)
    assert same(open_picture(data), VIEW)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG",
        b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"RIFF\x00\x00\x00\x00WAVE",
        *(encoded(VIEW, kind) for kind in ("GIF", "BMP", "TIFF", "ICO", "PPM", "JPEG2000")),
    ],
    ids=lambda data: repr(data[:8]),
)
def test_other_formats_are_refused(data: bytes) -> None:
    with pytest.raises(PictureRejected, match="not a PNG, JPEG or WebP file"):
        open_picture(data)


@pytest.mark.parametrize(
    "data", [png_of(50_000, 50_000), png_of(10_000, 10_000), png_of(40_000_001, 1), png_of(2**31 - 1, 9), HUGE_WEBP]
)
def test_the_size_is_refused_before_anything_is_decoded(data: bytes) -> None:
    with pytest.raises(PictureRejected, match="pixels"):
        open_picture(data)


def test_small_sides_and_large_files_are_refused() -> None:
    with pytest.raises(PictureRejected, match="each side needs at least 8"):
        open_picture(encoded(photograph(100, 7), "PNG"))
    with pytest.raises(PictureRejected, match="larger than"):
        open_picture(encoded(VIEW, "PNG") + bytes(MAX_IMAGE_BYTES))


@pytest.mark.parametrize(
    "options", [{"kind": "PNG"}, {"kind": "JPEG"}, {"kind": "JPEG", "progressive": True}, {"kind": "WEBP"}]
)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated_files_are_refused(options: dict[str, str], share: float) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))
    data = encoded(noise, **options)
    with pytest.raises(PictureRejected, match="damaged or incomplete"):
        open_picture(data[: int(share * len(data))])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_damaged_files_are_read_or_refused_and_raise_nothing_else(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    original = encoded(VIEW, kind, exif=exif)
    chance = random.Random(0)
    for _ in range(300):
        data = bytearray(original)
        for _ in range(chance.randint(1, 8)):
            data[chance.randrange(12, len(data))] = chance.randrange(256)
        try:
            picture = open_picture(bytes(data))
        except PictureRejected:
            continue
        assert picture.mode == "RGB"


def test_a_jpeg_of_many_scans_is_refused() -> None:
    data = encoded(VIEW, "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xc4") : -2]  # a table and an almost empty scan
    with pytest.raises(PictureRejected, match="scans"):
        open_picture(data[:-2] + last * MAX_JPEG_SCANS + b"\xff\xd9")
    assert open_picture(data[:-2] + last * (MAX_JPEG_SCANS // 2) + b"\xff\xd9").size == VIEW.size


def test_what_will_be_written_is_told_by_the_headers() -> None:
    def pixels_of(data: bytes, view: PictureView) -> int:
        return work_of(data, view).pixels

    pixels = VIEW.width * VIEW.height
    small = PictureView(8, 8, Preprocessing())
    assert [pixels_of(encoded(VIEW, kind), small) for kind in ("PNG", "JPEG", "WEBP")] == [pixels] * 3
    assert pixels_of(encoded(VIEW, "JPEG", progressive=True), small) > 5 * pixels  # each scan writes all of them
    assert pixels_of(png_of(6_000, 6_000), small) == 36_000_000
    assert pixels_of(encoded(VIEW, "PNG"), PictureView(2_000, 3_000, Preprocessing())) == 6_000_000
    assert pixels_of(png_of(8, 4_000), PictureView(256, 256, Preprocessing(resize_to=256))) == 256 * 128_000
    assert pixels_of(png_of(4_000, 8), PictureView(256, 256, Preprocessing(resize_to=[300, 400]))) == 120_000
    assert pixels_of(b"no picture", small) == pixels_of(encoded(VIEW, "JPEG")[:20], small) == 0


def test_scans_are_not_counted_in_metadata_or_behind_the_end() -> None:
    data = encoded(VIEW, "JPEG", progressive=True, comment=b"\xff\xda" * 1000)
    assert open_picture(data + b"\xff\xda" * 1000).size == VIEW.size
