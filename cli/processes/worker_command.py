"""The command of one worker process that the supervisor keeps running."""

import os
import secrets
import socket
from collections.abc import Mapping

from cli.processes import ourselves
from cli.processes.child import ChildCommand
from cli.processes.standby import Standby

WORKER_ID = "ATTRIBUTION_WORKER_ID"
GRACE = "ATTRIBUTION_GRACE_S"
DEFAULT_GRACE_S = 10.0  # that of a worker's settings
STOP_S = 20.0  # more than the worker needs to hand jobs back and to end, once its own grace is over


def worker_command(index: int, environment: Mapping[str, str], standby: Standby | None = None) -> ChildCommand:
    """The worker of this number. Each process of it has an id of its own, which begins with the operator's, if any."""
    name = f"{os.environ.get(WORKER_ID) or f'{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}'}-{index}"

    def identity(birth: int) -> dict[str, str]:
        """The worker's id. A later one takes over the jobs of the earlier, whose process is known to be gone."""
        own = {WORKER_ID: f"{name}-{birth}"}
        return own if birth == 1 else own | {"ATTRIBUTION_REPLACES": f"{name}-{birth - 1}"}

    return ChildCommand(
        name=f"worker {index} ({environment['ATTRIBUTION_DEVICE']})",
        command=(*ourselves.COMMAND, "worker", "--supervised"),
        environment=environment,
        grace_s=_grace_s(os.environ) + STOP_S,
        of_birth=identity,
        standby=standby,
    )


def _grace_s(environment: Mapping[str, str]) -> float:
    """The grace that running jobs have at a stop. A value that is none is refused by the worker, with a message."""
    try:
        return max(0.0, float(environment.get(GRACE) or DEFAULT_GRACE_S))
    except ValueError:
        return DEFAULT_GRACE_S
