"""Which jobs explain the examples of a dialect's request. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from schemas.errors import FieldError, InvalidRequest
from schemas.sentences import Sentence, words
from service.dialects.instances import Instance, Location, joined
from service.dialects.options import Options


@dataclass(frozen=True, slots=True)
class Part:
    """What one job explains: the input of `count` examples, from the client's example `first` on, with their targets.

    `loc` is where the client's request lists its examples; None where the part is all of them.
    """

    input: dict[str, Any]
    target: Any
    first: int
    count: int
    loc: Location | None = None

    def located(self, error: InvalidRequest) -> InvalidRequest:
        """The error at the place of the example in the client's list."""
        if self.loc is None or not error.errors:
            return error
        fields = [FieldError(loc=self._located(one.loc), msg=one.msg) for one in error.errors]
        where = ".".join(map(str, fields[0].loc))
        return InvalidRequest(Sentence("{where}: {reason}", where=where, reason=words(fields[0].msg)), errors=fields)

    def _located(self, loc: Location) -> Location:
        if self.loc is None or not loc or loc[0] != "input":
            return loc
        place = loc[2:]
        if self.count > 1 and place and isinstance(place[0], int):  # within the input of several examples
            return [*self.loc, self.first + place[0], *place[1:]]
        return [*self.loc, self.first, *place] if self.count == 1 else [*self.loc, *place]


def batch(instances: Sequence[Instance], options: Options, loc: Location) -> list[Part]:
    """All examples as one job where they make a batch, else `singles`.

    Raises:
        InvalidRequest: the number of targets is not that of the examples.
    """
    targets = targets_of(instances, options)
    whole = joined([one.input for one in instances])
    if whole is None or len({target is None for target in targets}) > 1:
        return singles(instances, options, loc)
    target = targets if targets[0] is not None else None
    count = len(instances)
    return [Part(whole, target[0] if target and count == 1 else target, 0, count, loc)]


def singles(instances: Sequence[Instance], options: Options, loc: Location) -> list[Part]:
    """A job for each example. Raises as `batch`."""
    targets = targets_of(instances, options)
    return [
        Part(one.input, target, index, 1, loc)
        for index, (one, target) in enumerate(zip(instances, targets, strict=True))
    ]


def targets_of(instances: Sequence[Instance], options: Options) -> list[Any]:
    """The target of each example: its own, else the request's.

    Raises:
        InvalidRequest: the request has a list of another length.
    """
    given, count = options.target, len(instances)
    if isinstance(given, list) and len(given) != count:
        raise InvalidRequest.at(
            ["target"],
            Sentence(
                "{targets} targets for {examples} examples; give one per example", targets=len(given), examples=count
            ),
        )
    each = given if isinstance(given, list) else [given] * count
    return [own if one.target is None else one.target for one, own in zip(instances, each, strict=True)]
