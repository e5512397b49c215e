"""What clients send, in the log of a gateway whose standard error is a terminal."""

import os
import pty
import threading
import tty
from pathlib import Path

import httpx

from tests.servers import StoreServer
from tests.service.connections.gateway_process import GatewayProcess, gateway_process
from tests.service.double import WorkerDouble
from tests.service.validation.refusals import row, text

RAW = b"\x1b[2J\x1b]0;owned\x07\x9b31m\x85\x7f"
QUOTED = "%1b%5b2J%9b%0d%0aforged%00%e2%80%ae%c2%9b"
TEXT = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202e\r\nforged"


class Terminal:
    """A pseudo-terminal; `path` is what a process writes to, `close` returns all that was written."""

    def __init__(self) -> None:
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.path = Path(os.ttyname(self._slave))
        self._written = b""
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def close(self) -> str:
        os.close(self._slave)
        self._thread.join()
        os.close(self._master)
        return self._written.decode()

    def _read(self) -> None:
        try:
            while part := os.read(self._master, 65_536):
                self._written += part
        except OSError:
            pass  # the last writer has closed it


def send_everything(gateway: GatewayProcess) -> None:
    """Control characters in every part of a request that a client chooses."""
    with httpx.Client(base_url=gateway.url, trust_env=False, timeout=30) as client:
        for path in (f"/{QUOTED}", f"/jobs/{QUOTED}", f"/jobs?model={QUOTED}&{QUOTED}={QUOTED}", f"/models/{QUOTED}"):
            client.get(path, headers={b"X-Request-Id": b"a" + RAW[:5], b"Host": b"localhost"})
        client.post("/explain", json=text(model=TEXT))
        client.post("/explain", json=row(method={"name": TEXT, TEXT: TEXT}))
        client.post("/explain", content=TEXT.encode(), headers={"Content-Type": "application/json"})
        client.post("/explain", files={"image": (TEXT, RAW, "image/png")}, data={TEXT: TEXT})
        client.post("/explain?wait=5", json=text(input={"text": f"fail {TEXT}"}))
        client.get("/healthz", headers={"Host": "evil\x7f.example"})
    for message in (
        b"GET /" + RAW + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + RAW + b"\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nAccept: \x9b31m\r\nConnection: close\r\n\r\n",
        b"\x1b[2J / HTTP/1.1\r\n\r\n",
    ):
        with gateway.connect() as connection:
            connection.sendall(message)
            connection.recv(65_536)


def test_no_control_character_reaches_the_terminal(store_server: StoreServer, namespace: str) -> None:
    terminal = Terminal()
    worker = WorkerDouble(store_server.url, namespace)
    worker.start()
    try:
        with gateway_process(terminal.path, store_server.url, ATTRIBUTION_NAMESPACE=namespace) as gateway:
            send_everything(gateway)
    finally:
        worker.stop()
        written = terminal.close()
    for code in range(100):  # the colours of the log itself
        written = written.replace(f"\x1b[{code}m", "")
    assert "route" in written
    assert all(line.isprintable() for line in written.split("\n")), written
    assert "\nforged" not in written
