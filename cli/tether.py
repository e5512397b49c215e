"""Runs a command that cannot outlive its parent: `tether.py <pid of the parent> <command> [arguments…]`.

The kernel's parent-death signal has to be asked for inside the new process. Doing it here, in a program of its own that
then becomes the command (exec keeps the signal and the pid), needs no code between fork and exec in the supervisor,
which has threads, and works for programs that are not Python. Where there is no such signal (macOS) the command runs
untethered, and only an orderly stop ends it.

Started with `python -I -S`, so it imports the standard library alone.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
EXIT_NO_PROGRAM = 127  # as a shell says it


def main(parent_pid: int, command: list[str]) -> None:
    """Ask for SIGKILL at the parent's death, then become the command. Does not return."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:  # the parent died before the request
        raise SystemExit(1)
    try:
        os.execvp(command[0], command)  # noqa: S606  # no shell: the point is to become this very program
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        raise SystemExit(EXIT_NO_PROGRAM) from None


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
