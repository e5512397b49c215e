"""The request of `POST /compare`, and a comparison as it is stored and as clients see it."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from schemas.base import Record, Strict
from schemas.jobs import ClassRef, JobFailure, JobStatus, Progress, Targets
from schemas.limits import MAX_COMPARED_CELLS, MAX_SEED
from schemas.methods import Method
from schemas.requests import Input, Priority, Target, named_method

MODEL_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}(@[A-Za-z0-9][A-Za-z0-9._-]{0,31})?$"
ComparedModel = Annotated[str, Field(pattern=MODEL_PATTERN)]
CellStatus = JobStatus | Literal["refused", "expired"]


class CompareRequest(Strict):
    """A request to explain one input several times: by each method, for each target, of each model."""

    input: Input
    models: Annotated[list[ComparedModel], Field(min_length=1, max_length=MAX_COMPARED_CELLS)] = Field(
        description="Names of models, each with `@version` where it is not the highest one."
    )
    methods: Annotated[list[Method], Field(min_length=1, max_length=MAX_COMPARED_CELLS)] | None = Field(
        default=None, description="Methods, as `method` of `POST /explain`. Default: each model's default method."
    )
    targets: Annotated[list[Target | None], Field(min_length=1, max_length=MAX_COMPARED_CELLS)] | None = Field(
        default=None, description="Targets, as `target` of `POST /explain`; null is the predicted class, the default."
    )
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] = 0
    priority: Priority = "interactive"

    @model_validator(mode="before")
    @classmethod
    def _methods_by_name(cls, value: Any) -> Any:
        """Expand names of methods to objects, as `ExplainRequest` does."""
        if not isinstance(value, dict) or not isinstance(value.get("methods"), list):
            return value
        return {**value, "methods": [named_method(method) for method in value["methods"]]}

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        cells = len(self.models) * len(self.methods or [None]) * len(self.targets or [None])
        if cells > MAX_COMPARED_CELLS:
            raise ValueError(f"{cells} cells (models x methods x targets); at most {MAX_COMPARED_CELLS}: name fewer")
        return self


class CellRecord(Record):
    """One cell as it is stored.

    `method` is as jobs and results show it; `job` is None where it was refused. Cells of one model and one target have
    the same `row`.
    """

    model: str
    version: str | None
    method: dict[str, Any]
    target: Targets | None = None
    job: str | None = None
    error: JobFailure | None = None
    row: int = 0


class CellLinks(Record):
    job: str
    result: str
    overlay: str


class Cell(Record):
    """One cell of a comparison, an ordinary job: what it explains, and how."""

    model: str
    version: str | None
    method: dict[str, Any]
    target: list[ClassRef] | None = Field(description="None until the predicted class is known.")
    job: str | None = Field(description="The job's id; None where the job was refused.")
    status: CellStatus = Field(description="That of the job; or refused: see error; or expired: the job is not kept.")
    error: JobFailure | None = None
    links: CellLinks | None = None


class Agreement(Record):
    """How far the attributions of two cells agree over the elements of their one input, as means over its examples.

    Elements are pixels (the sum over channels; layers are enlarged), words or columns. None where a figure is
    undefined: a constant map has no ranks, and maps without a common element that differs from 0 have no signs.
    """

    cells: tuple[int, int] = Field(description="Positions of the two cells, the first is the smaller one.")
    spearman: float | None = Field(description="Rank correlation of the magnitudes, -1 to 1.")
    strongest_tenth: float | None = Field(
        description="The share of the strongest tenth of the elements that both have, 0 to 1; chance gives about 0.1."
    )
    signs: float | None = Field(description="The share of the elements that have the same sign in both, 0 to 1.")


class ComparisonLinks(Record):
    self: str
    sheet: str


class Comparison(Record):
    """A comparison as shown to a client. It is kept as long as its jobs."""

    id: str
    status: JobStatus = Field(description="succeeded: all jobs have ended, and at least one has succeeded.")
    progress: Progress
    created_at: str
    cells: list[Cell] = Field(description="By model, then target, then method.")
    agreement: list[Agreement] | None = Field(
        description="None until all jobs have ended. Then one entry for each pair of cells that lie over one input."
    )
    links: ComparisonLinks
