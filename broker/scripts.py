"""The Lua scripts: each change of a job is one of them, so that no crash leaves it half done.

They use nothing newer than Redis 6.2. A line `--- @include "name"` brings in `lua/includes/name.lua`. Every script sees
`keys`, the names of keys and the prefixes of those that end with an id, and, by their names in Python, the constants of
`script_constants`.

When Redis is out of memory it refuses the first write of a script if that could grow its memory, and allows whatever
follows a write that it has let through. So scripts that must go on (to end jobs, which frees memory) begin with a write
that cannot grow, and scripts that must be refused (a new job, a result) begin with the large one.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

import redis
import redis.asyncio
from redis.exceptions import NoScriptError

from broker.keys import Keys
from broker.script_constants import CONSTANTS

Argument = str | bytes | int

_FOLDER = files("broker") / "lua"
_INCLUDE = re.compile(r'^--- @include "([a-z_]+)"\n', re.MULTILINE)
_CONSTANT = re.compile(r"\b[A-Z][A-Z_]+\b")
_PLAIN_TEXT = re.compile(r"[A-Za-z0-9:_-]+")


class Script(NamedTuple):
    source: str
    sha: str  # by which EVALSHA finds it


class ScriptCall(NamedTuple):
    """One call of a script: its KEYS and ARGV."""

    keys: Sequence[str]
    arguments: Sequence[Argument]


class Scripts:
    """The scripts for one namespace. A server that does not have a script yet (fresh, restarted) is sent its source."""

    def __init__(self, keys: Keys) -> None:
        self._names = tuple(sorted(keys.for_scripts().items()))

    def run(self, client: redis.Redis, name: str, call: ScriptCall) -> Any:
        """Runs a script and returns its reply."""
        script = load(name, self._names)
        try:
            return client.evalsha(script.sha, len(call.keys), *call.keys, *call.arguments)
        except NoScriptError:
            return client.eval(script.source, len(call.keys), *call.keys, *call.arguments)

    async def run_async(self, client: redis.asyncio.Redis, name: str, call: ScriptCall) -> Any:
        """`run` for the asyncio client."""
        script = load(name, self._names)
        try:
            return await client.evalsha(script.sha, len(call.keys), *call.keys, *call.arguments)
        except NoScriptError:
            return await client.eval(script.source, len(call.keys), *call.keys, *call.arguments)

    def run_each(
        self, client: redis.Redis, name: str, calls: Sequence[ScriptCall], values: Mapping[str, bytes], ttl_s: int
    ) -> tuple[list[Any], list[Any]]:
        """Sets values by key, for `ttl_s` each, and runs a script once per call, all in one round trip.

        Returns the replies to the values and those of the script; an error is a reply like any other.
        """
        script = load(name, self._names)
        with client.pipeline(transaction=False) as pipeline:
            for key, value in values.items():
                pipeline.set(key, value, ex=ttl_s)
            for call in calls:
                pipeline.evalsha(script.sha, len(call.keys), *call.keys, *call.arguments)
            replies = pipeline.execute(raise_on_error=False)
        stored, ran = replies[: len(values)], replies[len(values) :]
        if any(isinstance(reply, NoScriptError) for reply in ran):
            with client.pipeline(transaction=False) as pipeline:
                for call in calls:
                    pipeline.eval(script.source, len(call.keys), *call.keys, *call.arguments)
                ran = pipeline.execute(raise_on_error=False)
        return stored, ran


@lru_cache(maxsize=256)
def load(name: str, key_names: tuple[tuple[str, str], ...]) -> Script:
    """The script `lua/<name>.lua` with its includes, preceded by the names of keys and the constants that it uses."""
    body = _with_includes(_FOLDER / f"{name}.lua", set())
    used = sorted(CONSTANTS.keys() & set(_CONSTANT.findall(body)))
    lines = [f"local {constant} = {_literal(CONSTANTS[constant])}" for constant in used]
    lines.append("local keys = {" + ", ".join(f"{key} = {_literal(value)}" for key, value in key_names) + "}")
    source = "\n".join([*lines, body])
    return Script(source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())


def _with_includes(file: Any, seen: set[str]) -> str:
    """The text of a file after that of its includes, each of which comes once."""
    text = file.read_text("utf-8")
    parts = []
    for include in _INCLUDE.findall(text):
        if include not in seen:
            seen.add(include)
            parts.append(_with_includes(_FOLDER / "includes" / f"{include}.lua", seen))
    return "\n".join([*parts, _INCLUDE.sub("", text)])


def _literal(value: str | int | float) -> str:
    if isinstance(value, str):
        if not _PLAIN_TEXT.fullmatch(value):
            raise ValueError(f"{value!r} cannot be written into a script; use letters, digits, ':', '_' and '-'")
        return f"'{value}'"
    return repr(value)
