"""Comparisons that can be drawn: by a blocking client, or by one on an event loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attribution_client.core.comparing import Compared, cell_results, comparison_path
from attribution_client.core.explaining import picture
from attribution_client.core.sending import Retries
from attribution_client.core.steps import Flow
from attribution_client.display.html import comparison_html
from attribution_client.display.words import Language
from attribution_client.drivers.blocking import BlockingDriver
from attribution_client.drivers.on_loop import LoopDriver
from attribution_client.errors import AttributionError
from attribution_client.frames import agreement_frame
from attribution_client.result import AsyncResult, Result
from attribution_client.wire.answers import Agreement, Cell, Comparison


class ComparedBase:
    """What a comparison found, as far as no service is needed to look at it. `comparison` is the document."""

    def __init__(self, compared: Compared, language: Language) -> None:
        self.comparison: Comparison = compared.comparison
        self._compared = compared
        self.language: Language = language
        self._drawn: bytes | None = None  # with the default options

    @property
    def id(self) -> str:
        """The comparison's id."""
        return self.comparison.id

    @property
    def cells(self) -> list[Cell]:
        """The cells: by model, then target, then method."""
        return self.comparison.cells

    @property
    def agreement(self) -> list[Agreement]:
        """How far each pair of cells agrees."""
        return self.comparison.agreement or []

    def to_frame(self) -> Any:
        """The agreement of each pair as a pandas data frame. Raises `ImportError` without pandas."""
        return agreement_frame(self.cells, self.agreement)

    def _sheet(self, options: Mapping[str, Any], retries: Retries) -> Flow[bytes]:
        """The sheet; one with the default options is fetched once."""
        if self._drawn is not None and not options:
            return self._drawn
        drawn = yield from picture(comparison_path(self.id, "/sheet.png"), options, retries)
        if not options:
            self._drawn = drawn
        return drawn

    def __repr__(self) -> str:
        names = ", ".join(str(cell.method.get("name", "")) for cell in self.cells)
        return f"<{type(self).__name__} of {names}: {self.comparison.status}>"


class ComparisonResult(ComparedBase):
    """A comparison that has ended. In a notebook it shows its sheet."""

    def __init__(self, driver: BlockingDriver, retries: Retries, compared: Compared, language: Language) -> None:
        super().__init__(compared, language)
        self._driver, self._retries = driver, retries

    def sheet(self, **options: Any) -> bytes:
        """The input beside one panel for each cell, as PNG.

        Args:
            options: `scale` (own or shared) and those of `Result.overlay`.
        """
        return self._driver.run(self._sheet(options, self._retries))

    def results(self) -> list[Result | None]:
        """The result of each cell; None where there is none."""
        found = self._driver.run(cell_results(self._compared, self._retries))
        return [None if one is None else Result(self._driver, self._retries, one, self.language) for one in found]

    def _repr_png_(self) -> bytes | None:
        try:
            return self.sheet()
        except AttributionError:
            return None

    def _repr_html_(self) -> str:
        try:
            return comparison_html(self.comparison, self.language, self.sheet())
        except AttributionError as error:
            return comparison_html(self.comparison, self.language, None, str(error))


class AsyncComparisonResult(ComparedBase):
    """A comparison that has ended. In a notebook it shows the sheet that `sheet()` has fetched without options."""

    def __init__(self, driver: LoopDriver, retries: Retries, compared: Compared, language: Language) -> None:
        super().__init__(compared, language)
        self._driver, self._retries = driver, retries

    async def sheet(self, **options: Any) -> bytes:
        """As `ComparisonResult.sheet`."""
        return await self._driver.run(self._sheet(options, self._retries))

    async def results(self) -> list[AsyncResult | None]:
        """As `ComparisonResult.results`."""
        found = await self._driver.run(cell_results(self._compared, self._retries))
        return [None if one is None else AsyncResult(self._driver, self._retries, one, self.language) for one in found]

    def _repr_png_(self) -> bytes | None:
        return self._drawn

    def _repr_html_(self) -> str:
        return comparison_html(self.comparison, self.language, self._drawn)
