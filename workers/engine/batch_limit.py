"""How many rows a pass may hold. The number falls when passes fail."""

import structlog

from workers.engine.tuning import FAILED_PASSES_BEFORE_SINGLE_ROWS

log = structlog.get_logger()
FAILS_TOGETHER = "it raises on several rows at once"


class BatchLimit:
    """The limit of one engine.

    Attributes:
        rows: with gradients that a pass may hold: its places.
        alone_reason: why each row runs alone, where passes have shown that it must.
    """

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.alone_reason: str | None = None
        self._failed_together = 0  # passes in a row

    def halve(self, places: int) -> None:
        """Allows half of the places of a pass that did not fit into memory."""
        self.rows = places // 2
        log.warning("out of memory, batch halved", batch_rows=self.rows)

    def observe(self, *, divided: bool, failed: bool) -> None:
        """Counts passes that failed as a whole while all of their rows succeeded alone; after a few, rows run alone.

        Args:
            divided: the pass failed and was run in pieces.
            failed: so did a row.
        """
        if not divided:
            self._failed_together = 0
        elif not failed:
            self._failed_together += 1
            if self._failed_together == FAILED_PASSES_BEFORE_SINGLE_ROWS:
                self.alone_reason, self.rows = FAILS_TOGETHER, 1
                log.warning("the model raises on several rows at once, each row has a pass of its own from now on")
