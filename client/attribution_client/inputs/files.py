"""Files as inputs: a picture by its content, `.json` with features, `.txt` with a text."""

from __future__ import annotations

import json
import os
from pathlib import Path

from attribution_client.errors import InputError
from attribution_client.inputs.pictures import encoded_file, is_picture_file
from attribution_client.inputs.tables import rows_of_json
from attribution_client.wire.limits import MAX_IMAGE_BYTES, MAX_TEXT_CHARS
from attribution_client.wire.requests import Input


def file_input(file: os.PathLike[str] | str) -> Input:
    """The `input` of a request from a file.

    Raises:
        InputError: the file cannot be read, is too large, or is of another kind.
    """
    path = Path(file)
    content = read_file(path)
    if is_picture_file(content):
        return {"image": encoded_file(content)}
    if path.suffix.lower() == ".json":
        return {"features": rows_of_json(_parsed(content, path), str(path))}
    if path.suffix.lower() == ".txt":
        return {"text": content.decode("utf-8", "replace").strip()[: MAX_TEXT_CHARS + 1]}
    raise InputError(f"{path} is neither a picture (PNG, JPEG, WebP), nor .json with features, nor .txt")


def read_file(path: Path) -> bytes:
    """The bytes of a file. Raises `InputError` where it cannot be read or is larger than any input may be."""
    try:
        with path.open("rb") as opened:
            content = opened.read(MAX_IMAGE_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: of a name with a null character
        raise InputError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    if len(content) > MAX_IMAGE_BYTES:
        raise InputError(f"{path} is larger than {MAX_IMAGE_BYTES // 2**20} MiB")
    return content


def _parsed(content: bytes, path: Path) -> object:
    try:
        return json.loads(content.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON: {error}") from None
