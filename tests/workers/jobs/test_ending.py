"""The end of a process that cannot go on: its jobs are given back, its code tells why, and no thread is waited for."""

import subprocess
import sys

import pytest

from tests.paths import ROOT
from workers.jobs.ending import EXIT_STALLED, EXIT_THREAD_DIED

LIMIT_S = 60.0
ENDS = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from schemas.errors import StoreUnavailable
from workers.jobs.ending import end_process

def release(claim):
    if "away" in sys.argv:
        raise StoreUnavailable("away")
    print("released", claim)

hangs = threading.Event()
ThreadPoolExecutor(1).submit(hangs.wait)  # the interpreter would wait for it at its end
claims = SimpleNamespace(release=release)
queue = SimpleNamespace(claimed_jobs=claims, registration=SimpleNamespace(retire=lambda: print("retired")))
runner = SimpleNamespace(active=lambda: [SimpleNamespace(claim=name) for name in ("a", "b")])
end_process(queue, runner, int(sys.argv[1]))
"""


def ended(*arguments: object) -> tuple[int, list[str]]:
    command = [sys.executable, "-W", "ignore", "-c", ENDS, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    return done.returncode, [line for line in done.stdout.splitlines() if not line.startswith("20")]


@pytest.mark.parametrize("code", [EXIT_STALLED, EXIT_THREAD_DIED])
def test_jobs_are_given_back_and_the_code_is_kept(code: int) -> None:
    assert ended(code) == (code, ["released a", "released b", "retired"])


def test_a_store_that_is_away_is_not_waited_for() -> None:
    assert ended(EXIT_STALLED, "away") == (EXIT_STALLED, [])
