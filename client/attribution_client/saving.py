"""Results as files, in the format of the file's suffix."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attribution_client.core.explaining import picture
from attribution_client.core.following import job_path
from attribution_client.core.sending import Retries, send
from attribution_client.core.steps import Call, Flow
from attribution_client.errors import InputError

PICTURE = ".png"
MEDIA_TYPES = {
    ".json": "application/json",
    ".npy": "application/x-npy",
    ".safetensors": "application/vnd.safetensors",
}


def check_path(path: Path, suffixes: tuple[str, ...] = (PICTURE, *MEDIA_TYPES)) -> None:
    """Refuses a path that cannot be written, before anything is computed.

    Raises:
        InputError: the suffix says no format, or there is no such folder.
    """
    if path.suffix.lower() not in suffixes:
        raise InputError(f"{path}: the name must end in {', '.join(suffixes)}")
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent}")


def save_flow(job_id: str, path: Path, options: Mapping[str, Any], retries: Retries) -> Flow[bytes]:
    """What is written to the path.

    Raises:
        InputError: as `check_path`, or options of a picture are given for another format.
    """
    check_path(path)
    suffix = path.suffix.lower()
    if suffix == PICTURE:
        return (yield from picture(job_path(job_id, "/overlay.png"), options, retries))
    if options:
        raise InputError(f"{path}: {', '.join(options)} belong to a picture; the name must end in {PICTURE}")
    reply = yield from send(Call("GET", job_path(job_id, "/result"), accept=MEDIA_TYPES[suffix]), retries)
    return reply.content


def write(path: Path, content: bytes) -> None:
    """Writes a file. Raises `InputError` where it cannot be written."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
