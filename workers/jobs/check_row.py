"""What a check tells of its progress. Without torch, for whoever only shows it."""

from dataclasses import dataclass
from typing import Literal

CheckState = Literal["ok", "not offered", "failed"]


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One line of the report. `method` is empty for a model that failed to load; `trace` is for the operator's eyes."""

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
class Begun:
    """What is run from now on, until the next row. `method` is empty while the model loads."""

    number: int  # of the model's folder, from 0
    model: str
    method: str


@dataclass(frozen=True, slots=True)
class Done:
    """What a check may pass over: whole models, and methods of the next one."""

    models: int = 0
    methods: int = 0
