"""The constants that Lua scripts share with Python, by the name that both give them."""

from typing import Literal, get_args

import broker.tuning
from broker.records import KeyLimit, SubmitOutcome, SubmitRefusal
from schemas.jobs import JobStatus
from schemas.models import AdminAction
from schemas.monitors import PARTS

GROUP = "workers"  # the consumer group of every stream
CONSUMER = "any"  # one for all workers: the token says who owns a job, and no consumer of a dead worker must be removed
TENSORS_MISSING: Literal[-1] = -1  # the reply of `finish` where the tensors were not stored before it

_WORDS: tuple[str, ...] = (
    *get_args(JobStatus),
    *get_args(SubmitOutcome),
    *get_args(SubmitRefusal),
    *get_args(KeyLimit),
    *get_args(AdminAction),
)
CONSTANTS: dict[str, str | int | float] = {
    "GROUP": GROUP,
    "CONSUMER": CONSUMER,
    "TENSORS_MISSING": TENSORS_MISSING,
    "MONITOR_PARTS": PARTS,
    **{name: value for name, value in vars(broker.tuning).items() if name.isupper()},
    **{word.upper(): word for word in _WORDS},
}
