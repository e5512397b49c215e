"""What a visit must notice: each is shown by a page that does it."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.axe import SCRIPT, axe_is_as_published, grave_findings
from tests.browser.chromium import chromium
from tests.browser.interruption import LOST, Interruption
from tests.browser.visit import Visit

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'"
PAGE = '<!doctype html><html lang="en"><head><title>t</title></head><body><main><h1>Hello</h1>{}</main></body></html>'


@contextmanager
def site(body: str, policy: str = POLICY, script: str = "") -> Iterator[str]:
    """A page with `body`, and a script of its own at /script.js. Yields its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = {"/": ("text/html", PAGE.format(body)), "/script.js": ("text/javascript", script)}
            kind, text = known.get(self.path.partition("?")[0], ("image/x-icon", ""))
            self.send_response(200)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def faults(browser: Browser, url: str) -> str:
    """What a visit to the page finds wrong, once the page's title says that its script is done."""
    visit = Visit(browser, url)
    page = visit.open("")
    expect(page).to_have_title("done")
    found = "\n".join(visit.faults)
    visit.close()
    return found


SCRIPT_TAG = '<script src="/script.js"></script>'
DONE = "document.title = 'done';"


@pytest.mark.parametrize(
    ("policy", "script", "told"),
    [
        (POLICY, f"console.error('broken'); {DONE}", "error: broken"),
        (POLICY, f"console.warn('shaky'); {DONE}", "warning: shaky"),
        (POLICY, f"setTimeout(() => {{ {DONE} }}); throw new Error('nobody caught me');", "uncaught: nobody caught me"),
        (POLICY, f"fetch('https://example.org/').catch(() => {{ {DONE} }});", "CSP violation of connect-src"),
        (
            POLICY,
            f"const own = document.createElement('style'); own.textContent = 'p{{}}'; document.body.append(own);{DONE}",
            "CSP violation of style-src",
        ),
        (
            "default-src *",
            f"fetch('https://example.org/x').catch(() => {{ {DONE} }});",
            "request to another address: https://example.org/x",
        ),
        (
            "default-src *",
            f"fetch('http://127.0.0.1:9/x').catch(() => {{ {DONE} }});",
            "request to another address: http://127.0.0.1:9/x",
        ),
    ],
)
def test_a_fault_is_noticed(browser: Browser, policy: str, script: str, told: str) -> None:
    with site(SCRIPT_TAG, policy, script) as url:
        assert told in faults(browser, url)


def test_a_page_without_faults(browser: Browser) -> None:
    with site(SCRIPT_TAG, POLICY, DONE) as url:
        assert faults(browser, url) == ""


def test_what_is_expected_is_no_fault(browser: Browser) -> None:
    with site(SCRIPT_TAG, POLICY, f"console.error('one'); console.error('two'); {DONE}") as url:
        visit = Visit(browser, url)
        visit.expect("error: one")
        expect(visit.open("")).to_have_title("done")
        (left,) = visit.faults
        visit.close()
    assert left.startswith("error: two")


def test_axe_finds_what_keeps_people_out(browser: Browser) -> None:
    assert axe_is_as_published()
    with site(
        '<img src="/cat.png"><button></button><p style="color: #bbb; background: #ccc">grey on grey</p>', ""
    ) as url:
        visit = Visit(browser, url, scripts=[SCRIPT])
        found = "\n".join(grave_findings(visit.open("")))
        visit.close()
    for rule in ("image-alt", "button-name", "color-contrast"):
        assert rule in found
    with site("<p>plain</p>") as url:
        visit = Visit(browser, url, scripts=[SCRIPT])
        found_none = grave_findings(visit.open(""))
        visit.close()
    assert found_none == []


def test_a_way_can_be_cut_and_mended(browser: Browser) -> None:
    script = "window.ask = () => fetch('/').then(() => 'answered', () => 'lost');"
    with site(SCRIPT_TAG, POLICY, script) as url:
        host, port = url.removeprefix("http://").split(":")
        with Interruption((host, int(port))) as way:
            visit = Visit(browser, way.url)
            visit.expect(LOST)
            page = visit.open("")
            assert page.evaluate("() => window.ask()") == "answered"
            way.cut()
            assert page.evaluate("() => window.ask()") == "lost"
            way.mend()
            assert page.evaluate("() => window.ask()") == "answered"
            assert visit.faults == []
            visit.close()


def test_an_absent_browser_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(FileNotFoundError, match="apt-get install --no-install-recommends chromium"):
        chromium()
