"""The process that runs a check: `python -m workers.jobs.check_child FD MODELS METHODS DIRECTORY…`.

It writes what it begins and what came of it to the file descriptor FD, a line of JSON each, so that its parent can end
it and start another one behind the method that hangs. MODELS and METHODS are counts to pass over.
"""

import faulthandler
import json
import logging
import os
import sys
import warnings
from dataclasses import asdict
from pathlib import Path

import structlog


def main(pipe: int, models: int, methods: int, directories: list[Path]) -> None:
    """Runs the check to its end."""
    faulthandler.enable()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))  # the rows tell it all
    warnings.filterwarnings("ignore", category=UserWarning, module=r"captum\.")
    from workers.jobs.check import steps  # noqa: PLC0415  # loads torch, which may warn
    from workers.jobs.check_row import Done  # noqa: PLC0415

    with os.fdopen(pipe, "w", encoding="utf-8") as told:
        for step in steps(directories, Done(models, methods)):
            print(json.dumps({type(step).__name__: asdict(step)}), file=told, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), [Path(one) for one in sys.argv[4:]])
