"""Monitors of attribution drift: the request that makes one, what the job store keeps, and what clients see."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from schemas.base import Record, Strict
from schemas.jobs import JobSpec
from schemas.limits import MAX_MONITOR_REFERENCE, MAX_MONITOR_WINDOW, MAX_REFERENCE_JOBS, MIN_WATCHED
from schemas.methods import METHOD_NAMES, Method
from schemas.methods.names import canonical_method_name
from schemas.requests import ModelName, Version, named_method
from schemas.sentences import Sentence

MONITOR_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
PARTS = 10  # of a window: it moves on by a tenth of itself
LAYOUT = 1  # of what is kept in the job store; a worker leaves monitors of other layouts alone
MonitorState = Literal["collecting reference", "filling window", "watching"]
FeatureKind = Literal["columns", "cells", "words", "units"]
Statistic = Literal["ndcg", "psi_max", "psi_score"]


def _known_method(name: str) -> str:
    canonical = canonical_method_name(name)
    if canonical is None:
        raise ValueError(Sentence("no such method; give one of {names}", names=", ".join(METHOD_NAMES)))
    return canonical


def _first_of(text: str) -> str:
    count = int(text.removeprefix("first:"))
    if not MIN_WATCHED <= count <= MAX_MONITOR_REFERENCE:
        raise ValueError(Sentence("give first:{least} to first:{most}", least=MIN_WATCHED, most=MAX_MONITOR_REFERENCE))
    return text


NamedMethod = Annotated[
    str,
    Field(
        max_length=100,
        description="A method with any parameters.",
        json_schema_extra={"enum": list(METHOD_NAMES)},
    ),
    AfterValidator(_known_method),
]
FirstJobs = Annotated[
    str,
    Field(pattern=r"^first:[0-9]{2,4}$", description="The first explanations after the request, such as first:500."),
    AfterValidator(_first_of),
]


class ReferenceJobs(Strict):
    """Jobs that have succeeded, of the monitor's model and method, whose results are still kept."""

    jobs: Annotated[
        list[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]],
        Field(min_length=1, max_length=MAX_REFERENCE_JOBS),
    ]


class MonitorRequest(Strict):
    """A request to watch whether the attributions of a model drift away from a reference."""

    model: ModelName
    version: Version | None = Field(default=None, description="Default: every version of the model.")
    method: Annotated[
        Annotated[NamedMethod, Tag("named")] | Annotated[Method, Tag("exact")],
        Discriminator(lambda method: "named" if isinstance(method, str) else "exact"),
    ] = Field(
        description="A name: jobs of this method with whatever parameters. An object: only jobs with exactly these "
        "parameters, absent ones as the model's card fills them in."
    )
    reference: FirstJobs | ReferenceJobs
    window: Annotated[int, Field(ge=MIN_WATCHED, le=MAX_MONITOR_WINDOW, multiple_of=PARTS)] = Field(
        default=500, description="Explanations that are compared with the reference; a multiple of 10."
    )

    @model_validator(mode="before")
    @classmethod
    def _method_by_captums_name(cls, value: Any) -> Any:
        """Accept Captum's own spelling of the name in an object, as `ExplainRequest` does."""
        if not isinstance(value, dict) or not isinstance(value.get("method"), dict):
            return value
        return {**value, "method": named_method(value["method"])}


class MonitorDefinition(Record):
    """What a monitor watches, as the job store keeps it."""

    layout: int = LAYOUT
    owner: str = ""  # name of the API key that made it; empty on a service without keys
    watches_all: bool = True  # the jobs of every key, as an operator's monitor does; else those of its owner
    model: str
    version: str | None = None
    method: str
    parameters: dict[str, Any] | None = None  # as `JobSpec.method`; None: any
    columns: list[str] | None = None  # names of a table's columns; None for other inputs
    first: int | None = None  # explanations of the reference
    jobs: list[str] | None = None  # or those of these jobs
    window: int

    @property
    def part(self) -> int:
        """Explanations of a part of the window."""
        return self.window // PARTS

    def watches(self, spec: JobSpec) -> bool:
        """Whether the results of this job are watched."""
        return (
            self.model == spec.model
            and self.version in (None, spec.version)
            and self.method == spec.method.get("name")
            and self.parameters in (None, spec.method)
            and (self.watches_all or self.owner == spec.owner)
        )


class FeatureDrift(Record):
    """One feature. Means are of the absolute attribution, ranks begin at 1, for the largest mean."""

    name: str
    reference_mean: float
    window_mean: float
    reference_rank: int
    window_rank: int
    psi: float = Field(description="Population stability index of the attribution's distribution.")


class ClassDrift(Record):
    """One explained class. The means of its features have the order of `features`."""

    index: int
    label: str | None = None
    reference_count: int
    window_count: int
    ndcg: float | None = Field(description="As that of all classes; None where one of both counts is 0.")
    reference_means: list[float]
    window_means: list[float]


class HeavyWord(Record):
    """A word of the window that the reference does not tell apart, and an upper bound of its summed attribution."""

    word: str
    weight: float


class DriftStatistics(Record):
    """A window compared with the reference. See docs/monitors.md for the formulas."""

    ndcg: float = Field(description="Of the ranks of the features in the window, 1 where they are the reference's.")
    psi_max: float = Field(description="The largest index of a feature.")
    psi_score: float | None = Field(description="Of the score of the explained class; None where there is no score.")
    psi_noise: float = Field(description="The index that one in a thousand features without drift exceeds by chance.")
    kind: FeatureKind
    features: list[FeatureDrift]
    classes: list[ClassDrift] = Field(description="The most frequent explained classes of the reference.")
    new_words: list[HeavyWord] = Field(default_factory=list)


class MonitorCounts(Record):
    """Explanations: one for each example of a job."""

    reference: int = Field(description="That the reference is made of.")
    window: int = Field(description="That the statistics are of, and while the window fills, those it has.")
    observed: int = Field(description="Since the reference was complete.")
    skipped: int = Field(description="That could not be used: other features than the reference, or none.")


class Monitor(Record):
    """A monitor as shown to a client."""

    name: str
    state: MonitorState
    model: str
    version: str | None
    method: str
    parameters: dict[str, Any] | None
    reference: str = Field(description="first:500, or jobs:20.")
    window: int
    watches: Literal["all keys", "own key"] = Field(description="Whose jobs it watches.")
    created_at: str
    observed_at: str | None = Field(description="When a worker last counted an explanation.")
    counts: MonitorCounts
    problem: str | None = Field(default=None, description="Why the reference cannot be made, if so.")
    statistics: DriftStatistics | None = Field(description="None until the first window is full.")


class MonitorList(Record):
    """The monitors of the caller's key, by name, without their statistics by feature."""

    monitors: list[Monitor]
