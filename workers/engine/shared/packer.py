"""Which rows go into the next pass. Pure: handles counts of rows, neither tensors nor threads.

Half of a pass belongs to the oldest block, so that no block starves. The other half goes to the blocks with the fewest
rows left, so that a long block never holds short ones up. What remains is handed out in order of arrival. Blocks of
batch priority take what interactive blocks leave, but at least an eighth of each pass.

Where blocks of several owners wait, each owner first gets an equal share of the rows, within which the rules above
hold: how much one owner sends does not slow another one down.
"""

from dataclasses import dataclass
from itertools import count

from schemas.requests import Priority
from workers.engine.tuning import BATCH_PRIORITY_SHARE
from workers.engine.turns import Turns, fair_shares


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows `start` to `stop` (exclusive) of one block."""

    block: int
    start: int
    stop: int

    @property
    def rows(self) -> int:
        return self.stop - self.start


@dataclass(slots=True)
class _Waiting:
    block: int
    rows: int  # of the whole block
    priority: Priority
    owner: str
    arrival: int
    next_row: int = 0

    @property
    def left(self) -> int:
        return self.rows - self.next_row


class RowQueue:
    """Blocks of rows that may share a pass, in order of arrival."""

    def __init__(self) -> None:
        self._waiting: dict[int, _Waiting] = {}
        self._arrivals = count()
        self._rows = 0
        self._turns: dict[Priority, Turns] = {"interactive": Turns(), "batch": Turns()}

    def __len__(self) -> int:
        """Rows waiting."""
        return self._rows

    def __bool__(self) -> bool:
        return self._rows > 0

    def add(self, block: int, rows: int, priority: Priority, owner: str = "") -> None:
        """Appends a block of `rows` rows. `block` is its number, `owner` whose job it belongs to.

        Raises:
            ValueError: the block has no rows or is already waiting.
        """
        if rows < 1 or block in self._waiting:
            raise ValueError(f"block {block} of {rows} rows cannot be added")
        self._waiting[block] = _Waiting(block, rows, priority, owner, next(self._arrivals))
        self._rows += rows

    def remove(self, block: int) -> None:
        """Drops what is left of a block; a block that is not waiting is ignored."""
        waiting = self._waiting.pop(block, None)
        if waiting is not None:
            self._rows -= waiting.left

    def take(self, budget: int) -> list[Slice]:
        """The slices of the next pass, of at most `budget` rows in all. Each row is handed out once."""
        interactive = [w for w in self._waiting.values() if w.priority == "interactive"]
        batch = [w for w in self._waiting.values() if w.priority == "batch"]
        reserved = max(1, budget // BATCH_PRIORITY_SHARE) if interactive and batch else 0
        grants: dict[int, int] = {}
        left = reserved + self._grant(interactive, max(0, budget - reserved), grants)
        left = self._grant(batch, left, grants)
        _fill(interactive, left, grants)
        slices = []
        for block, rows in grants.items():
            waiting = self._waiting[block]
            slices.append(Slice(block, waiting.next_row, waiting.next_row + rows))
            waiting.next_row += rows
            self._rows -= rows
            if not waiting.left:
                del self._waiting[block]
        return slices

    def _grant(self, waiting: list[_Waiting], budget: int, grants: dict[int, int]) -> int:
        """Grants `budget` rows to blocks of one priority, by turns among their owners; returns the rows not needed."""
        owned: dict[str, list[_Waiting]] = {}
        for w in waiting:
            owned.setdefault(w.owner, []).append(w)
        if len(owned) <= 1:
            return _grant(waiting, budget, grants)
        turns = self._turns[waiting[0].priority]
        demands = {owner: sum(w.left for w in blocks) for owner, blocks in owned.items()}
        shares = fair_shares(demands, budget, turns.order(owned))
        for owner, rows in shares.items():
            _grant(owned[owner], rows, grants)
            turns.serve(owner, rows)
        return budget - sum(shares.values())


def _grant(waiting: list[_Waiting], budget: int, grants: dict[int, int]) -> int:
    """Grants `budget` rows to the oldest block and the shortest ones; returns the rows that are not needed."""
    for_oldest = (budget + 1) // 2
    left = budget - for_oldest + _fill(waiting[:1], for_oldest, grants)
    left = _fill(sorted(waiting[1:], key=lambda w: w.left), left, grants)
    return _fill(waiting, left, grants)


def _fill(waiting: list[_Waiting], budget: int, grants: dict[int, int]) -> int:
    """Grants each block all its rows, in the order given, until the budget is spent; returns what is left of it."""
    for w in waiting:
        rows = min(budget, w.left - grants.get(w.block, 0))
        if rows:
            grants[w.block] = grants.get(w.block, 0) + rows
            budget -= rows
    return budget
