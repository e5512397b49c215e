"""How a worker process ends when it cannot go on: its jobs given back, and a code that tells the operator why."""

import logging
import os
import sys
import threading
from typing import NoReturn

import structlog

from broker import WorkerQueue
from schemas.errors import Unavailable
from workers.jobs.running import JobRunner

log = structlog.get_logger()
EXIT_THREAD_DIED = 70  # EX_SOFTWARE of sysexits.h: a thread of the worker ended unexpectedly
EXIT_STALLED = 75  # EX_TEMPFAIL: a thread hangs in a job, and only the end of the process ends it


def end_process(queue: WorkerQueue, runner: JobRunner, code: int) -> NoReturn:
    """Gives the jobs back to the queue, without counting the attempt, and ends the process at once.

    Nothing is waited for: a thread that hangs would be waited for for ever.
    """
    log.log(logging.CRITICAL if code else logging.WARNING, "worker ends", exit_code=code)
    try:
        for job in runner.active():
            queue.claimed_jobs.release(job.claim)
        queue.registration.retire()
    except Unavailable:
        log.warning("job store is away", action="release")  # the leases lapse
    finally:
        exit_now(code)


def exit_after(delay_s: float) -> None:
    """Ends the process with 0 after this time, unless it has ended by then. For one that holds no job any more."""
    timer = threading.Timer(delay_s, exit_now, [0])
    timer.daemon = True
    timer.start()


def exit_now(code: int) -> NoReturn:
    """Ends the process. No thread is waited for."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
