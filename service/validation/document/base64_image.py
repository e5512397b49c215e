"""Decodes a picture that was sent as text: base64, by itself or in a data URI. Pure."""

import binascii
import re

DATA_URI_HEAD = re.compile(r"data:[^,]{0,190},", re.IGNORECASE)
URL_OR_PATH = re.compile(
    r"[a-z][a-z0-9+.-]{1,20}://"  # a URL
    r"|[a-z]:[\\/]"  # a Windows path
    r"|(~|\.{1,2})[\\/]"
    r"|/(?!9j/)"  # an absolute path; /9j/ is how the base64 of a JPEG begins
    r"|.{1,1000}\.(png|jpe?g|jfif|webp|gif|bmp|tiff?|svg|heic|avif)\s*$",
    re.IGNORECASE,
)
NOT_A_LOCATION = (
    "image takes the picture's bytes as base64, not a URL or a path; send the file as multipart/form-data or encode it"
)


class NotBase64(ValueError):
    """The text is not base64. The message is for the client and does not repeat the text."""


def image_bytes(text: str) -> bytes:
    """The bytes that the text encodes, as base64 or as a data URI.

    Raises:
        NotEncoded: it is neither.
    """
    head = DATA_URI_HEAD.match(text)
    if head is not None and not head[0].lower().endswith(";base64,"):
        raise NotBase64("a data URI must hold base64: data:image/png;base64,…")
    try:
        return binascii.a2b_base64(text[head.end() :] if head else text, strict_mode=True)
    except ValueError:
        raise NotBase64(NOT_A_LOCATION if is_location(text) else "not valid base64") from None


def is_location(text: str) -> bool:
    """Whether the text looks like a URL or a path, either of which may be valid base64 by chance."""
    return URL_OR_PATH.match(text) is not None
