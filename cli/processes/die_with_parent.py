"""Runs a command that ends when its parent dies: `die_with_parent.py <pid of the parent> <command> [arguments…]`.

The new process itself must request the kernel's parent-death signal. Doing it here, in a program of its own that
then becomes the command (exec keeps the signal and the pid), needs no code between fork and exec in the supervisor,
which has threads, and works for programs that are not Python. On systems without this signal (macOS) the command runs
without it, and only an orderly stop ends the command.

Started with `python -I -S`, so it imports the standard library alone.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
EXIT_NO_PROGRAM = 127  # the shell's code for "command not found"
COMMAND = (sys.executable, "-I", "-S", __file__)  # to be followed by the pid and the command


def main(parent_pid: int, command: list[str]) -> None:
    """Requests SIGKILL at the parent's death, then replaces this process by the command. Does not return."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:  # the parent died before the request
        raise SystemExit(1)
    try:
        os.execvp(command[0], command)  # noqa: S606  # no shell: this process becomes the program
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        raise SystemExit(EXIT_NO_PROGRAM) from None


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
