"""The progress of `attribution models check`, as the process that checks reports it to the command that prints it.

Imports no torch, so that the command starts at once.
"""

import json
from dataclasses import asdict, dataclass
from typing import Literal

CheckState = Literal["ok", "not offered", "failed"]


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One line of the report: what came of one method, or of loading a model, for which `method` is empty.

    `rows` and `seconds` are what the method took. `trace` is for the operator: frames of the model's own code.
    """

    model: str
    method: str
    state: CheckState
    detail: str = ""
    rows: int = 0
    seconds: float = 0.0
    trace: str = ""

    @property
    def ok(self) -> bool:
        return self.state != "failed"


@dataclass(frozen=True, slots=True)
class CheckStarted:
    """A method starts, or a model starts to load, for which `method` is empty. `number` counts model folders from 0."""

    number: int
    model: str
    method: str


@dataclass(frozen=True, slots=True)
class CheckPosition:
    """Where a check starts: the models that it skips, and the methods that it skips of the next model."""

    models: int = 0
    methods: int = 0


CheckEvent = CheckStarted | CheckRow
EVENTS: dict[str, type[CheckEvent]] = {"started": CheckStarted, "row": CheckRow}


def to_line(event: CheckEvent) -> str:
    """An event as one line of JSON."""
    name = next(name for name, kind in EVENTS.items() if type(event) is kind)
    return json.dumps({name: asdict(event)})


def from_line(line: bytes) -> CheckEvent:
    """The event of a line that `to_line` wrote."""
    ((name, fields),) = json.loads(line).items()
    return EVENTS[name](**fields)
