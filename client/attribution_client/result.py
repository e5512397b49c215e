"""Results that can be drawn: by a blocking client, or by one on an event loop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attribution_client.core.explaining import Fetched
from attribution_client.core.sending import Retries
from attribution_client.display.html import result_html
from attribution_client.display.words import Language
from attribution_client.drivers.blocking import BlockingDriver
from attribution_client.drivers.on_loop import LoopDriver
from attribution_client.errors import AttributionError
from attribution_client.explained import Explained
from attribution_client.saving import save_flow, write


class Result(Explained):
    """The result of a job. In a notebook it shows itself."""

    def __init__(self, driver: BlockingDriver, retries: Retries, fetched: Fetched, language: Language) -> None:
        super().__init__(fetched, language)
        self._driver, self._retries = driver, retries

    def overlay(self, **options: Any) -> bytes:
        """The picture of the result as PNG: heat over a picture, coloured words, bars of a row.

        Args:
            options: those of `overlay.png`: style, sign, colormap, alpha, percentile, limit, smooth, size, caption,
                example. Unknown ones are refused.

        Raises:
            InvalidRequest: an option is unknown or out of range.
            JobNotFound: the service does not keep the job any more.
            NotAcceptable: the input is a tensor, of which there is no picture.
        """
        return self._driver.run(self._overlay(options, self._retries))

    def save(self, path: str | Path, **options: Any) -> None:
        """Writes the result in the format of the file's suffix: .png with the options of `overlay`, .npy, .safetensors
        or .json.

        Raises:
            InputError: the suffix is another one, or the file cannot be written.
        """
        flow = save_flow(self.id, Path(path), options, self._retries)
        write(Path(path), self._driver.run(flow))

    def _repr_png_(self) -> bytes | None:
        try:
            return self.overlay()
        except AttributionError:
            return None

    def _repr_html_(self) -> str:
        try:
            return result_html(self, self.language, self.overlay())
        except AttributionError as error:
            return result_html(self, self.language, None, str(error))


class AsyncResult(Explained):
    """The result of a job. In a notebook it shows the picture that `overlay()` has fetched last without options."""

    def __init__(self, driver: LoopDriver, retries: Retries, fetched: Fetched, language: Language) -> None:
        super().__init__(fetched, language)
        self._driver, self._retries = driver, retries

    async def overlay(self, **options: Any) -> bytes:
        """As `Result.overlay`."""
        return await self._driver.run(self._overlay(options, self._retries))

    async def save(self, path: str | Path, **options: Any) -> None:
        """As `Result.save`."""
        flow = save_flow(self.id, Path(path), options, self._retries)
        write(Path(path), await self._driver.run(flow))

    def _repr_png_(self) -> bytes | None:
        return self._drawn

    def _repr_html_(self) -> str:
        return result_html(self, self.language, self._drawn)
