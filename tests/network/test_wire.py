"""The wire between hosts: its delay, and what it loses while two hosts are parted."""

import socket
import subprocess
import sys
import time

import pytest

from tests.network.hosts import HERE, Hosts, hosts, reason_against

REASON = reason_against()
pytestmark = pytest.mark.skipif(REASON is not None, reason=str(REASON))
DELAY_S = 0.02
PORT = 7_000
REPLY_S = 10.0  # that tells a hang
ECHO = f"""
import socket, sys
with socket.create_server((sys.argv[1], {PORT})) as server:
    print("ready", flush=True)
    while True:
        with server.accept()[0] as taken:
            while data := taken.recv(100):
                taken.sendall(data)
"""


def listener(made: Hosts, name: str) -> subprocess.Popen[str]:
    """A process of that host that repeats what it receives."""
    prefix, address = made.place(name)
    command = (*prefix, sys.executable, "-c", ECHO, address)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_packets_take_their_time_and_are_lost_between_parted_hosts() -> None:
    with hosts(["far", "near"], DELAY_S) as made, listener(made, "far") as process:
        try:
            with socket.create_connection((made.addresses["far"], PORT), timeout=REPLY_S) as connection:
                began_s = time.monotonic()
                connection.sendall(b"one")
                assert connection.recv(100) == b"one"
                assert time.monotonic() - began_s >= 2 * DELAY_S
                made.part(HERE, "near")
                connection.sendall(b"two")
                assert connection.recv(100) == b"two", "two others are parted"
                made.part(HERE, "far")
                connection.sendall(b"three")
                connection.settimeout(20 * DELAY_S)
                with pytest.raises(TimeoutError):
                    connection.recv(100)
                assert made.wire.dropped > 0
                made.join("far", HERE)
                connection.settimeout(REPLY_S)
                assert connection.recv(100) == b"three", "TCP has sent it again"
        finally:
            process.kill()
