"""Writes a result to a file, in the format of the file's suffix."""

from pathlib import Path
from typing import Any

from cli.client.request import BadArgument
from cli.client.service import Service
from schemas.jobs import Job

MEDIA_TYPES = {
    ".json": "application/json",
    ".npy": "application/x-npy",
    ".safetensors": "application/vnd.safetensors",
}
PICTURE = ".png"


def check_output(path: Path | None) -> None:
    """Refuses an output path that cannot be written, before anything is computed.

    Raises:
        BadArgument: the extension says no representation, or there is no such folder.
    """
    if path is None:
        return
    suffix = path.suffix.lower()
    if suffix != PICTURE and suffix not in MEDIA_TYPES:
        raise BadArgument(f"-o {path}: the name must end in {', '.join([PICTURE, *MEDIA_TYPES])}")
    if not path.parent.is_dir():
        raise BadArgument(f"-o {path}: there is no folder {path.parent}")


def write_output(service: Service, job: Job, path: Path, picture: dict[str, Any]) -> None:
    """Writes the result of a succeeded job.

    Raises:
        BadArgument: the file cannot be written, besides what `Service` raises.
    """
    suffix = path.suffix.lower()
    content = service.overlay(job.id, picture) if suffix == PICTURE else service.result(job.id, MEDIA_TYPES[suffix])
    try:
        path.write_bytes(content)
    except OSError as error:
        raise BadArgument(f"-o {path}: {error.strerror}") from None
