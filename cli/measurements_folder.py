"""Where `serve` keeps what loads of models have measured and proved, so that its next start is quick."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from platformdirs import user_cache_path

VARIABLE = "ATTRIBUTION_MEASUREMENTS"


@contextmanager
def measurements_folder(environment: Mapping[str, str]) -> Iterator[Path]:
    """The operator's directory, else one in the user's cache (`XDG_CACHE_HOME`, or `~/.cache`).

    Where the cache cannot be written, as in a container without a home, a directory that lasts as long as the service:
    a worker that replaces another loads its models in a fraction of the time.
    """
    kept = environment.get(VARIABLE)
    own = Path(kept) if kept else _own_cache()
    if own is not None:
        yield own
        return
    with TemporaryDirectory(prefix="attribution-measurements-") as temporary:
        yield Path(temporary)


def _own_cache() -> Path | None:
    """A directory that this user alone can read and write; None where there is none."""
    folder: Path = user_cache_path("attribution") / "measurements"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
    except OSError:
        return None
    is_ours = not hasattr(os, "geteuid") or (found.st_uid == os.geteuid() and not found.st_mode & 0o022)
    return folder if is_ours and os.access(folder, os.W_OK | os.X_OK) else None
