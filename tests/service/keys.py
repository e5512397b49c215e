"""Files of API keys for tests."""

import hashlib
from collections.abc import Sequence
from pathlib import Path


def key(name: str, secret: str, scopes: Sequence[str] = ("explain",), **limits: int) -> str:
    """One entry of a file."""
    digest = hashlib.sha256(secret.encode()).hexdigest()
    quoted = ", ".join(f'"{scope}"' for scope in scopes)
    lines = [f'name = "{name}"', f'sha256 = "{digest}"', f"scopes = [{quoted}]"]
    return "\n".join(["[[key]]", *lines, *(f"{limit} = {rows}" for limit, rows in limits.items()), ""])


def write_keys(folder: Path, *entries: str) -> Path:
    """The file `keys.toml` with these entries."""
    path = folder / "keys.toml"
    path.write_text("\n".join(entries))
    return path


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}
