"""The bytes of a picture that came as text: base64, or a data URI. Pure."""

import binascii
import re

HEAD = re.compile(r"data:[^,]{0,190},", re.IGNORECASE)  # of a data URI
URL_OR_PATH = re.compile(
    r"[a-z][a-z0-9+.-]{1,20}://"  # a URL
    r"|[a-z]:[\\/]"  # a path of Windows
    r"|(~|\.{1,2})[\\/]"
    r"|/(?!9j/)"  # an absolute path; /9j/ is how the base64 of a JPEG begins
    r"|.{1,1000}\.(png|jpe?g|jfif|webp|gif|bmp|tiff?|svg|heic|avif)\s*$",
    re.IGNORECASE,
)
NOT_A_LOCATION = (
    "image takes the picture's bytes as base64, not a URL or a path; send the file as multipart/form-data or encode it"
)


class NotBase64(ValueError):
    """The text holds no bytes; the message is for the caller and does not repeat the text."""


def image_bytes(text: str) -> bytes:
    """The bytes of base64, by itself or behind the head of a data URI.

    Raises:
        NotEncoded: it is neither.
    """
    head = HEAD.match(text)
    if head is not None and not head[0].lower().endswith(";base64,"):
        raise NotBase64("a data URI must hold base64: data:image/png;base64,…")
    try:
        return binascii.a2b_base64(text[head.end() :] if head else text, strict_mode=True)
    except ValueError:
        raise NotBase64(NOT_A_LOCATION if is_location(text) else "not valid base64") from None


def is_location(text: str) -> bool:
    """Whether the text looks like a URL or a path, which may be valid base64 by chance."""
    return URL_OR_PATH.match(text) is not None
