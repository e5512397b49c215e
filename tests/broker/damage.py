"""Ways in which a stored record can be damaged, or be of another version."""

import json
from collections.abc import Callable
from typing import Any

import redis

GARBAGE = b"\xff\xfe\x00\x93garbage\r\n"


def truncated(text: bytes) -> bytes:
    return text[: len(text) // 2]


def garbage(text: bytes) -> bytes:
    return GARBAGE


def emptied(text: bytes) -> bytes:
    return b""


def changed(**fields: Any) -> Callable[[bytes], bytes]:
    """A JSON object with other values of these fields."""
    return lambda text: json.dumps({**json.loads(text), **fields}).encode()


def without(*names: str) -> Callable[[bytes], bytes]:
    """A JSON object without these fields."""
    return lambda text: json.dumps(
        {name: value for name, value in json.loads(text).items() if name not in names}
    ).encode()


def damage_field(raw: redis.Redis, key: str, field: str, how: Callable[[bytes], bytes] | None) -> None:
    """Damages one field of a hash; None removes it."""
    if how is None:
        assert raw.hdel(key, field) == 1
        return
    value = raw.hget(key, field)
    raw.hset(key, field, how(value or b""))


def damage_value(raw: redis.Redis, key: str, how: Callable[[bytes], bytes]) -> None:
    """Damages a string, which keeps its TTL."""
    value = raw.get(key)
    assert value is not None
    raw.set(key, how(value), keepttl=True)
