"""The supervisor, with real processes whose programs are trivial."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from cli.processes.child import ChildCommand, ChildFailed
from cli.processes.supervisor import Supervisor

LIMIT_S = 20.0


@contextmanager
def fifo(folder: Path) -> Iterator[tuple[str, int]]:
    """A named pipe that children report to: its path, and a descriptor to read from."""
    path = folder / "reports"
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)  # read-write: no end of file between two writers
    try:
        yield str(path), descriptor
    finally:
        os.close(descriptor)


async def lines(descriptor: int) -> AsyncGenerator[str, None]:
    """What children report, line by line, as it comes."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(descriptor, readable.set)
    rest = ""
    try:
        while True:
            await asyncio.wait_for(readable.wait(), LIMIT_S)
            readable.clear()
            try:
                *whole, rest = (rest + os.read(descriptor, 65536).decode()).split("\n")
            except BlockingIOError:  # told of it twice
                continue
            for line in whole:
                yield line
    finally:
        loop.remove_reader(descriptor)


def python(name: str, source: str, *arguments: str, grace_s: float = 10.0) -> ChildCommand:
    """A child that runs a few lines of Python."""
    return ChildCommand(
        name=name, command=(sys.executable, "-I", "-S", "-c", textwrap.dedent(source), *arguments), grace_s=grace_s
    )


REPORTS_AND_WAITS = """
    import os, signal, sys
    name, path = sys.argv[1:]
    def report(word):
        with open(path, "a") as pipe:
            pipe.write(f"{name} {word} {os.getpid()}\\n")
    def stop(*_):
        report("stopped")
        sys.exit(0)
    signal.signal(signal.SIGTERM, stop)
    report("up")
    while True:
        signal.pause()
"""

IGNORES_SIGTERM = """
    import os, signal, sys
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with open(sys.argv[1], "a") as pipe:
        pipe.write(f"stubborn up {os.getpid()}\\n")
    while True:
        signal.pause()
"""


def waiter(name: str, path: str) -> ChildCommand:
    return python(name, REPORTS_AND_WAITS, name, path)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@asynccontextmanager
async def running(*tiers: list[ChildCommand]) -> AsyncIterator[Supervisor]:
    async with Supervisor() as supervisor:
        for tier in tiers:
            supervisor.start(*tier)
        yield supervisor


def run(main: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(LIMIT_S):
            await main()

    asyncio.run(bounded())


def test_a_killed_child_comes_back_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        with fifo(tmp_path) as (path, descriptor):
            reports = lines(descriptor)
            async with running([waiter("worker", path)]) as supervisor:
                first = int((await anext(reports)).split()[-1])
                died_s = asyncio.get_running_loop().time()
                os.kill(first, signal.SIGKILL)
                second = int((await anext(reports)).split()[-1])
                assert second != first
                assert asyncio.get_running_loop().time() - died_s < 2.0
                assert [child.pid for child in supervisor.children] == [second]
            await reports.aclose()

    run(main)


def test_the_last_tier_stops_first(tmp_path: Path) -> None:
    async def main() -> None:
        with fifo(tmp_path) as (path, descriptor):
            reports = lines(descriptor)
            async with running(
                [waiter("store", path)], [waiter("gateway", path)], [waiter("one", path), waiter("two", path)]
            ):
                up = {(await anext(reports)).split()[0] for _ in range(4)}
                assert up == {"store", "gateway", "one", "two"}
            stopped = [(await anext(reports)).split()[:2] for _ in range(4)]
            assert {word for _, word in stopped} == {"stopped"}
            order = [name for name, _ in stopped]
            assert set(order[:2]) == {"one", "two"}
            assert order[2:] == ["gateway", "store"]
            await reports.aclose()

    run(main)


def test_a_child_that_will_not_stop_is_killed(tmp_path: Path) -> None:
    async def main() -> None:
        with fifo(tmp_path) as (path, descriptor):
            reports = lines(descriptor)
            async with running([python("stubborn", IGNORES_SIGTERM, path, grace_s=0.2)]):
                pid = int((await anext(reports)).split()[-1])
            assert not alive(pid)
            await reports.aclose()

    run(main)


def test_a_child_that_never_starts_ends_the_service() -> None:
    async def main() -> None:
        async with running([python("gateway", "raise SystemExit(2)")]) as supervisor:
            with pytest.raises(ChildFailed, match=r"gateway does not start \(exit code 2\)"):
                await supervisor.wait()

    run(main)


def test_a_crash_loop_before_the_service_is_up_ends_it() -> None:
    async def main() -> None:
        async with running([python("worker", "import os; os.kill(os.getpid(), 11)")]) as supervisor:
            with pytest.raises(ChildFailed, match="SIGSEGV"):
                await supervisor.wait()

    run(main)


def test_a_missing_program_is_named() -> None:
    async def main() -> None:
        async with running([ChildCommand(name="store", command=("/nonexistent/server",))]) as supervisor:
            with pytest.raises(ChildFailed, match="store"):
                await supervisor.wait()

    run(main)


def test_sigterm_asks_for_the_end(tmp_path: Path) -> None:
    async def main() -> None:
        with fifo(tmp_path) as (path, descriptor):
            reports = lines(descriptor)
            async with running([waiter("worker", path)]) as supervisor:
                await anext(reports)
                os.kill(os.getpid(), signal.SIGTERM)
                await supervisor.wait()
            assert (await anext(reports)).startswith("worker stopped")
            await reports.aclose()

    run(main)


SUPERVISES = """
    import asyncio, sys
    from cli.processes.child import ChildCommand
    from cli.processes.supervisor import Supervisor

    async def main():
        async with Supervisor() as supervisor:
            supervisor.start(ChildCommand(name="child", command=tuple(sys.argv[1:])))
            await supervisor.wait()

    asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's death")
def test_children_die_with_a_killed_supervisor() -> None:
    # Once the supervisor is dead only the child holds the pipe's writing end: the end of file is its death.
    child = (sys.executable, "-I", "-S", "-c", "import os, signal; print(os.getpid(), flush=True); signal.pause()")
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SUPERVISES), *child], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as supervisor:
        assert supervisor.stdout is not None
        pid = int(next(line for line in supervisor.stdout if line.strip().isdigit()))  # the log comes this way too
        assert alive(pid)
        supervisor.kill()
        assert supervisor.stdout.read() == b""
