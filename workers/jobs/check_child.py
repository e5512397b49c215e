"""The process that runs a check: `python -m workers.jobs.check_child FD MODELS METHODS DIRECTORY…`.

It writes its events, one line of JSON each, to the file descriptor FD. Its parent can end it when a method hangs, and
start another one at the next method. MODELS and METHODS are the counts of `CheckPosition`.
"""

import logging
import os
import sys
import warnings
from pathlib import Path

import structlog

from workers.jobs.check import check_events
from workers.jobs.check_progress import CheckPosition, to_line


def main(pipe: int, position: CheckPosition, directories: list[Path]) -> None:
    """Runs the check from a position to its end."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))  # events say it all
    warnings.filterwarnings("ignore", category=UserWarning, module=r"captum\.")
    with os.fdopen(pipe, "w", encoding="utf-8") as events:
        for event in check_events(directories, position):
            print(to_line(event), file=events, flush=True)


if __name__ == "__main__":
    fd, models, methods = map(int, sys.argv[1:4])
    main(fd, CheckPosition(models, methods), [Path(directory) for directory in sys.argv[4:]])
