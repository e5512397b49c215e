"""API keys: who may call the service, for what, and how much. Read from a TOML file, which holds hashes alone.

    [[key]]
    name = "ci"
    sha256 = "9f86d0…"
    scopes = ["explain"]
    rows_per_minute = 60000
    queued_rows = 20000

The name is the owner of what the key makes. A key is 32 random bytes, so its plain SHA-256 cannot be searched.
"""

import fcntl
import hashlib
import hmac
import os
import secrets
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import orjson
import structlog
from pydantic import Field, ValidationError, field_validator

from schemas.base import Strict
from service.key_tuning import KEY_BYTES, KEY_PREFIX, MAX_KEYS, MAX_KEYS_FILE_BYTES

Scope = Literal["explain", "admin", "metrics"]
log = structlog.get_logger("service.keys")


class KeysError(ValueError):
    """The file of keys cannot be read, or holds a mistake. The message names the place and repeats no value."""


class ApiKey(Strict):
    """A key as the file holds it. Limits that are absent do not hold."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=3)]
    rows_per_minute: Annotated[int, Field(ge=1, le=10**9)] | None = None  # of new jobs
    queued_rows: Annotated[int, Field(ge=1, le=10**9)] | None = None  # of jobs that have not ended


class _KeysFile(Strict):
    key: Annotated[list[ApiKey], Field(max_length=MAX_KEYS)] = Field(default_factory=list)

    @field_validator("key")
    @classmethod
    def _are_distinct(cls, keys: list[ApiKey]) -> list[ApiKey]:
        for field in ("name", "sha256"):
            if len({getattr(key, field) for key in keys}) < len(keys):
                raise ValueError(f"two keys have the same {field}")
        return keys


def read_keys(path: Path) -> tuple[ApiKey, ...]:
    """The keys of a file.

    Raises:
        KeysError: see the class.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MAX_KEYS_FILE_BYTES + 1)
    except OSError as error:
        raise KeysError(f"{path}: {error.strerror}") from None
    return _parsed(path, text)


def _parsed(path: Path, text: bytes) -> tuple[ApiKey, ...]:
    if len(text) > MAX_KEYS_FILE_BYTES:
        raise KeysError(f"{path}: more than {MAX_KEYS_FILE_BYTES} bytes")
    try:
        return tuple(_KeysFile.model_validate(tomllib.loads(text.decode())).key)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise KeysError(f"{path}: {_place(first['loc'])}: {first['msg']}") from None
    except UnicodeDecodeError:
        raise KeysError(f"{path}: not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise KeysError(f"{path}: {error}") from None


def _place(loc: tuple[int | str, ...]) -> str:
    """`key 2, scopes`."""
    if len(loc) < 2 or not isinstance(loc[1], int):
        return str(loc[0])
    return ", ".join([f"key {loc[1] + 1}", *(str(part) for part in loc[2:3])])


class KeyRing:
    """The keys of one gateway. Without a file the service is open.

    Args:
        path: of the file; None for none.

    Raises:
        KeysError: as `read_keys`.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._keys = () if path is None else read_keys(path)

    @property
    def is_open(self) -> bool:
        """Whether everyone may explain without a key."""
        return self._path is None

    def find(self, secret: str) -> ApiKey | None:
        """The key with this secret. It is compared with all keys, in a time that tells nothing about them."""
        digest = _hash(secret)
        found = None
        for key in self._keys:
            if hmac.compare_digest(key.sha256, digest):
                found = key
        return found

    def reload(self) -> None:
        """Reads the file again. A file with a mistake changes nothing; the log says why."""
        if self._path is None:
            return
        try:
            self._keys = read_keys(self._path)
        except KeysError as error:
            log.error("keys not read again, the old ones hold", reason=str(error))
        else:
            log.info("keys read", keys=len(self._keys))


def append_key(path: Path, name: str, scopes: Sequence[str], limits: Mapping[str, int]) -> str:
    """Makes a key and appends its hash to a file, which is created where there is none. Returns the secret, which is
    kept nowhere.

    Others may read the file: the hash of 32 random bytes opens nothing, and the gateway may run as another user.

    Raises:
        KeysError: the name, a scope or a limit is not valid, the name is taken, the file holds a mistake, or it cannot
            be written.
    """
    secret = KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)
    text = _entry({"name": name, "sha256": _hash(secret), "scopes": list(scopes), **limits})
    try:
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # two commands at once append one after the other
            present = file.read(MAX_KEYS_FILE_BYTES + 1)
            _parsed(path, present)
            gap = b"\n" if present else b""
            added = gap + (b"" if present.endswith(b"\n") or not present else b"\n") + text.encode()
            _parsed(path, present + added)
            file.seek(0, os.SEEK_END)
            file.write(added)
    except OSError as error:
        raise KeysError(f"{path}: {error.strerror}") from None
    return secret


def _entry(fields: dict[str, object]) -> str:
    """A valid key as TOML. None of its values needs an escape."""
    try:
        ApiKey.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise KeysError(f"{first['loc'][0]}: {first['msg']}") from None
    return "\n".join(["[[key]]", *(f"{name} = {orjson.dumps(value).decode()}" for name, value in fields.items()), ""])


def _hash(secret: str) -> str:
    """sha256, hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()
