"""One visit to the page: a browser context that records what must not happen, and refuses all other addresses."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Route

Theme = Literal["light", "dark"]
PHONE, DESK = 390, 1280
HEIGHTS = {PHONE: 844, DESK: 900}
LOCALES = {"en": "en-GB", "es": "es-ES"}
LIMIT_MS = 60_000.0  # of any wait: far beyond what a busy machine takes, so that a hang ends

# Events say which directive was violated; a console message may be lost when the page navigates.
REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) => {
  console.error(`CSP violation of ${event.violatedDirective} by ${event.blockedURI}`);
});
"""


class Visit:
    """A context with one open page.

    `faults` lists console errors and warnings, uncaught exceptions, violations of the content security policy and
    requests to other addresses. A test that provokes some says so with `expect`.
    """

    def __init__(
        self,
        browser: Browser,
        url: str,
        *,
        language: str = "en",
        width: int = DESK,
        theme: Theme = "light",
        scripts: Iterable[Path] = (),
    ) -> None:
        self.url = url.rstrip("/")
        self.language = language
        self._faults: list[str] = []
        self._expected: list[re.Pattern[str]] = []
        self.context: BrowserContext = browser.new_context(
            locale=LOCALES[language],
            viewport={"width": width, "height": HEIGHTS[width]},
            color_scheme=theme,
            has_touch=width == PHONE,
            reduced_motion="reduce",
            accept_downloads=True,
        )
        self.context.set_default_timeout(LIMIT_MS)
        self.context.route(lambda address: not address.startswith(self.url + "/"), self._refuse)
        self.context.add_init_script(REPORT_VIOLATIONS)
        for script in scripts:
            self.context.add_init_script(path=script)
        self.page: Page = self.context.new_page()
        self.page.on("console", self._listen)
        self.page.on("pageerror", self._uncaught)

    def open(self, route: str = "#/try") -> Page:
        """Load the page afresh at `route`, such as `#/compare`."""
        self.page.goto("about:blank")  # else another fragment of the same document loads nothing
        self.page.goto(f"{self.url}/{route}")
        return self.page

    def expect(self, pattern: str) -> None:
        """Faults that match `pattern` are part of the test."""
        self._expected.append(re.compile(pattern))

    @property
    def faults(self) -> list[str]:
        """What happened and was not expected."""
        return [fault for fault in self._faults if not any(pattern.search(fault) for pattern in self._expected)]

    def close(self) -> None:
        """Close the context; no fault is recorded after that."""
        self.context.close()

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._faults.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def _uncaught(self, error: Error) -> None:
        self._faults.append(f"uncaught: {error.message}")

    def _refuse(self, route: Route) -> None:
        self._faults.append(f"request to another address: {route.request.url}")
        route.abort()


class Visits:
    """Opens visits in one browser, by default to the service at `url`."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self._url = url
        self.opened: list[Visit] = []

    def __call__(
        self,
        url: str | None = None,
        *,
        language: str = "en",
        width: int = DESK,
        theme: Theme = "light",
        scripts: Iterable[Path] = (),
    ) -> Visit:
        """A new visit, with an empty page."""
        visit = Visit(self._browser, url or self._url, language=language, width=width, theme=theme, scripts=scripts)
        self.opened.append(visit)
        return visit

    @property
    def faults(self) -> list[str]:
        """The unexpected faults of all visits."""
        return [fault for visit in self.opened for fault in visit.faults]

    def close(self) -> None:
        """Close all visits."""
        for visit in self.opened:
            visit.close()
