"""The cells of a comparison as requests of their own: the product of its models, targets and methods. Pure."""

from dataclasses import dataclass
from itertools import product

from schemas.comparisons import CellRecord, CompareRequest
from schemas.errors import FieldError, InvalidRequest, ServiceError
from schemas.jobs import JobFailure
from schemas.methods import AnyMethod, echo
from schemas.requests import ExplainRequest, Target
from schemas.sentences import Sentence

LISTS = {"model": "models", "version": "models", "target": "targets", "method": "methods"}


@dataclass(frozen=True, slots=True)
class PlannedCell:
    """The request of one cell, and the positions of its model, target and method in the lists of the comparison."""

    request: ExplainRequest
    places: dict[str, int]  # by the name of the list
    row: int  # among the models and targets

    def refused(self, error: ServiceError) -> CellRecord:
        """The cell as stored, if its job was refused."""
        method = self.request.method
        return CellRecord(
            model=self.request.model,
            version=self.request.version,
            method=echo(method) if method else {},
            error=JobFailure.of(error),
            row=self.row,
        )

    def located(self, error: ServiceError) -> ServiceError:
        """The error with the places of the comparison's document in place of those of the cell's request."""
        if not error.errors:
            return error
        fields = [FieldError(loc=self._located(one.loc), msg=one.msg) for one in error.errors]
        if isinstance(error, InvalidRequest):
            where = ".".join(str(part) for part in fields[0].loc)
            return InvalidRequest(Sentence("{where}: {reason}", where=where, reason=fields[0].msg), errors=fields)
        return type(error)(error.detail, errors=fields, retry_after_s=error.retry_after_s)

    def _located(self, loc: list[str | int]) -> list[str | int]:
        name = LISTS.get(str(loc[0])) if loc else None
        return loc if name is None else [name, self.places[name], *loc[1:]]


def planned_cells(request: CompareRequest) -> list[PlannedCell]:
    """The cells, by model, then target, then method. The input is shared, not copied."""
    targets: list[Target | None] = [*request.targets] if request.targets else [None]
    methods: list[AnyMethod | None] = [*request.methods] if request.methods else [None]
    cells = []
    places = product(range(len(request.models)), range(len(targets)), range(len(methods)))
    for at, of, by in places:
        name, _, version = request.models[at].partition("@")
        explained = ExplainRequest(
            model=name,
            version=version or None,
            input=request.input,
            method=methods[by],
            target=targets[of],
            seed=request.seed,
            priority=request.priority,
        )
        cells.append(PlannedCell(explained, {"models": at, "targets": of, "methods": by}, at * len(targets) + of))
    return cells
