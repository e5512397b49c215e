"""The files of a directory that hold what loads have measured."""

import os
import re
import stat
import time
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp

import structlog
from pydantic import ValidationError

from workers.models.measurements.measured import Measured
from workers.models.tuning import MAX_MEASURED_BYTES, MAX_MEASURED_FILES, MEASURED_WRITE_S

log = structlog.get_logger()
_KEPT = re.compile(r"[0-9a-f]{64}\.json")
_UNFINISHED = ".measured-"  # prefix of a file that is being written


class MeasurementCache:
    """One JSON file for each key, `<key>.json`, which only this user can read and write.

    Several processes may use the directory. A file that is missing, damaged, too large, or that another user owns or
    may write is no entry. Nothing here fails a load: a directory that cannot be written is logged.

    Args:
        directory: made when it is first written, for this user alone.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def read(self, key: str) -> Measured | None:
        """The entry of this key; None where there is none that can be trusted."""
        try:
            text = _read_own_file(self._path(key))
            measured = Measured.model_validate_json(text)
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            log.warning("measurements cannot be read", key=key, error=_reason(error))
            return None
        return measured if measured.key == key else None

    def write(self, measured: Measured) -> None:
        """Keeps an entry, in the place of any other of its key. Readers see the old file or the new one."""
        text = measured.model_dump_json().encode()
        if len(text) > MAX_MEASURED_BYTES:
            log.info("measurements are too large to be kept", bytes=len(text))
            return
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._replace(self._path(measured.key), text)
            self._prune()
        except OSError as error:
            log.warning("measurements cannot be kept", error=_reason(error))

    def discard(self, key: str) -> None:
        """Removes the entry of this key."""
        with suppress(OSError):
            self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._directory / f"{key}.json"

    def _replace(self, path: Path, text: bytes) -> None:
        descriptor, unfinished = mkstemp(prefix=_UNFINISHED, dir=self._directory)  # mode 0600
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text)
            os.replace(unfinished, path)
        except BaseException:
            Path(unfinished).unlink(missing_ok=True)
            raise

    def _prune(self) -> None:
        """Removes the oldest entries beyond `MAX_MEASURED_FILES`, and what dead writers left."""
        kept: list[tuple[float, Path]] = []
        for path in self._directory.iterdir():
            with suppress(FileNotFoundError):  # of another process, which prunes too
                written_s = path.lstat().st_mtime
                if path.name.startswith(_UNFINISHED) and time.time() - written_s > MEASURED_WRITE_S:
                    path.unlink()
                elif _KEPT.fullmatch(path.name):
                    kept.append((written_s, path))
        for _, path in sorted(kept)[: max(0, len(kept) - MAX_MEASURED_FILES)]:
            path.unlink(missing_ok=True)


def _read_own_file(path: Path) -> bytes:
    """The content of a regular file that only this user may write.

    Raises:
        OSError: there is no such file, or it is too large.
    """
    # Without waiting: opening a named pipe would wait for its writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
            raise PermissionError("it is no file that only this user may write")
        text = file.read(MAX_MEASURED_BYTES + 1)
    if len(text) > MAX_MEASURED_BYTES:
        raise OSError(f"it is larger than {MAX_MEASURED_BYTES} bytes")
    return text


def _reason(error: OSError | ValidationError) -> str:
    """Without what the file holds."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        return f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}"
    return str(error.strerror or error)
