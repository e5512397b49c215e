"""The whole service as a user starts it: real processes, the shipped models, its own Valkey."""

import fcntl
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
READY = re.compile(r"Ready on (http://\S+)")
START_TIMEOUT_S = 600.0  # far more than a start takes, on a machine that does much else
STOP_TIMEOUT_S = 120.0
LOG_TAIL_BYTES = 8_000


class RunningService:
    """`attribution serve` on a free port, with a log of its own. `variables` are added to a clean environment.

    `measurements`: where loads find what earlier loads have measured, None for a directory of its own. Services that
    share one start one after the other, so that each model is measured once. `standby`: as by default, a process stands
    by for a worker that dies; a service whose workers live saves the time of its start.
    """

    def __init__(
        self,
        log: Path,
        *arguments: str,
        variables: dict[str, str] | None = None,
        measurements: Path | None = None,
        standby: bool = True,
    ) -> None:
        self.log = log
        self.url = ""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ATTRIBUTION_")}
        given = {"ATTRIBUTION_LOG_LEVEL": "info", **(variables or {})}  # the report of a failed test shows it
        kept = {"XDG_CACHE_HOME": f"{log}.cache"}
        if measurements is not None:
            kept["ATTRIBUTION_MEASUREMENTS"] = str(measurements)
        self._turn = None if measurements is None else (measurements / "lock").open("w")
        if self._turn is not None:
            fcntl.flock(self._turn, fcntl.LOCK_EX)
        stands_by = "--standby" if standby else "--no-standby"
        command = [sys.executable, "-m", "cli", "serve", "--port", "0", stands_by, *arguments]
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**inherited, **kept, **given},
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
            if self._turn is not None:
                self._turn.close()
        raise AssertionError(f"the service did not start:\n{self.log_tail()}")

    def log_tail(self) -> str:
        """The end of the log of the service and its processes."""
        return self.log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")

    def stop(self) -> int:
        """Send SIGTERM and return the exit code.

        Raises:
            subprocess.TimeoutExpired: it did not stop within two minutes and was killed.
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
