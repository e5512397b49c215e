"""Turns among the owners of waiting rows. Pure: handles counts of rows.

Without keys every job has the same owner, and nothing here changes an order.
"""

from collections.abc import Collection, Mapping, Sequence


class Turns:
    """Remembers how many rows each waiting owner has been given, so that the one with the fewest is next."""

    def __init__(self) -> None:
        self._served: dict[str, int] = {}

    def order(self, waiting: Collection[str]) -> list[str]:
        """The owners that wait now, fewest rows first; among equals as given.

        A newcomer starts level with the least served: time without work earns no credit. An owner that no longer waits
        is forgotten.
        """
        floor = min((rows for owner, rows in self._served.items() if owner in waiting), default=0)
        self._served = {owner: self._served.get(owner, floor) for owner in waiting}
        return sorted(self._served, key=self._served.__getitem__)

    def serve(self, owner: str, rows: int) -> None:
        """Counts rows that an owner of the latest `order` has been given."""
        self._served[owner] += rows


def fair_shares(demands: Mapping[str, int], budget: int, order: Sequence[str]) -> dict[str, int]:
    """Splits `budget` rows equally; what an owner does not need goes to the others (max-min fairness).

    Args:
        demands: rows that each owner has waiting.
        budget: rows to hand out.
        order: the owners; the first ones get the rows that cannot be split.
    """
    shares = dict.fromkeys(order, 0)
    left = min(budget, sum(demands.values()))
    while left:
        hungry = [owner for owner in order if shares[owner] < demands[owner]]
        each = min(left // len(hungry), *(demands[owner] - shares[owner] for owner in hungry))
        chosen = hungry if each else hungry[:left]
        for owner in chosen:
            shares[owner] += max(1, each)
        left -= max(1, each) * len(chosen)
    return shares
