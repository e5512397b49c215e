"""The whole service as a user starts it: real processes, the shipped models, its own Valkey."""

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
READY = re.compile(r"Ready on (http://\S+)")
START_TIMEOUT_S = 240.0
STOP_TIMEOUT_S = 60.0
LOG_TAIL_BYTES = 8_000


class RunningService:
    """`attribution serve` on a free port, with a log of its own. `variables` are added to a clean environment."""

    def __init__(self, log: Path, *arguments: str, variables: dict[str, str] | None = None) -> None:
        self.log = log
        self.url = ""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ATTRIBUTION_")}
        given = {"ATTRIBUTION_LOG_LEVEL": "info", **(variables or {})}  # the report of a failed test shows it
        command = [sys.executable, "-m", "cli", "serve", "--port", "0", *arguments]
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**inherited, **given},
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def wait_until_ready(self) -> None:
        """Return when the service has printed its URL.

        Raises:
            AssertionError: it ended first or took too long. The message contains its log.
        """
        assert self.process.stdout is not None
        alarm = threading.Timer(START_TIMEOUT_S, self.process.kill)
        alarm.start()
        try:
            for line in self.process.stdout:
                if found := READY.search(line):
                    self.url = found[1]
                    return
        finally:
            alarm.cancel()
        raise AssertionError(f"the service did not start:\n{self.log_tail()}")

    def log_tail(self) -> str:
        """The end of the log of the service and its processes."""
        return self.log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")

    def stop(self) -> int:
        """Send SIGTERM and return the exit code.

        Raises:
            subprocess.TimeoutExpired: it did not stop within a minute and was killed.
        """
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.communicate(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        return self.process.returncode
