"""The Lua scripts: each change of a job is one of them, so that no crash leaves it half done.

They use nothing newer than Redis 6.2, and its clock alone, so that clocks of hosts do not matter. `lua/common.lua` is
put in front of each.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import redis
import redis.asyncio
from redis.exceptions import NoScriptError

Argument = str | bytes | int


class Script(NamedTuple):
    source: str
    sha: str  # what EVALSHA calls it


@cache
def load(name: str) -> Script:
    """The script of that name in `lua/`."""
    folder = files("broker") / "lua"
    source = "\n".join((folder / f"{part}.lua").read_text("utf-8") for part in ("common", name))
    return Script(source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())


def run(client: redis.Redis, name: str, *arguments: Argument) -> Any:
    """Run a script; a server that does not know it yet (fresh, restarted) is sent its source."""
    script = load(name)
    try:
        return client.evalsha(script.sha, 0, *arguments)
    except NoScriptError:
        return client.eval(script.source, 0, *arguments)


def run_each(
    client: redis.Redis, name: str, calls: Sequence[tuple[Argument, ...]], values: Mapping[str, bytes], ttl_s: int
) -> tuple[list[Any], list[Any]]:
    """Set values by key, for `ttl_s` each, and run a script once for each tuple of arguments, in one round trip.

    Returns the replies to the values and those of the script; an error is a reply like any other.
    """
    script = load(name)
    with client.pipeline(transaction=False) as pipeline:
        for key, value in values.items():
            pipeline.set(key, value, ex=ttl_s)
        for arguments in calls:
            pipeline.evalsha(script.sha, 0, *arguments)
        replies = pipeline.execute(raise_on_error=False)
    stored, answers = replies[: len(values)], replies[len(values) :]
    if any(isinstance(answer, NoScriptError) for answer in answers):
        answers = [client.eval(script.source, 0, *arguments) for arguments in calls]
    return stored, answers


async def run_async(client: redis.asyncio.Redis, name: str, *arguments: Argument) -> Any:
    """`run` for the asyncio client."""
    script = load(name)
    try:
        return await client.evalsha(script.sha, 0, *arguments)
    except NoScriptError:
        return await client.eval(script.source, 0, *arguments)
