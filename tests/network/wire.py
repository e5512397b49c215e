"""What joins hosts: it carries each packet after a delay, or drops it where two hosts are parted."""

import heapq
import itertools
import os
import selectors
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ipaddress import IPv4Address

MAX_PACKET_BYTES = 65_536
SOURCE, DESTINATION = slice(12, 16), slice(16, 20)  # of the header of an IPv4 packet
VERSION_4 = 4


class Wire:
    """Carries the packets of TUN devices to one another in a thread of its own.

    The kernel's `netem` does the same, where it is built in. A packet between parted hosts is dropped in silence, as by
    a broken cable: connections stay open, and nobody is told.

    Args:
        devices: the file descriptor of each host's device by its address. The wire does not close them.
        delay_s: from one host to another, one way.
    """

    def __init__(self, devices: Mapping[str, int], delay_s: float) -> None:
        self._devices = {IPv4Address(address).packed: device for address, device in devices.items()}
        self._delay_s = delay_s
        self._parted: set[frozenset[bytes]] = set()
        self._dropped = 0
        self._on_the_way: list[tuple[float, int, int, bytes]] = []  # due, order, device, packet
        self._order = itertools.count()
        self._woken, self._wakes = os.pipe()
        self._thread = threading.Thread(target=self._carry, name="wire", daemon=True)

    @property
    def dropped(self) -> int:
        """Packets that were lost between parted hosts."""
        return self._dropped

    @contextmanager
    def carrying(self) -> Iterator["Wire"]:
        """The wire works for as long as the body runs."""
        self._thread.start()
        try:
            yield self
        finally:
            os.close(self._wakes)
            self._thread.join()
            os.close(self._woken)

    def part(self, one: str, other: str) -> None:
        """From now on no packet passes between these two addresses."""
        self._parted = self._parted | {_pair(one, other)}

    def join(self, one: str, other: str) -> None:
        """Packets pass again."""
        self._parted = self._parted - {_pair(one, other)}

    def _carry(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._woken, selectors.EVENT_READ)
            for device in self._devices.values():
                selector.register(device, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select(self._until_due_s()):
                    if key.fd == self._woken:
                        return
                    self._take(os.read(key.fd, MAX_PACKET_BYTES))
                self._deliver()

    def _until_due_s(self) -> float | None:
        return max(0.0, self._on_the_way[0][0] - time.monotonic()) if self._on_the_way else None

    def _take(self, packet: bytes) -> None:
        source, destination = packet[SOURCE], packet[DESTINATION]
        if packet[0] >> 4 != VERSION_4 or destination not in self._devices:
            return
        if frozenset((source, destination)) in self._parted:
            self._dropped += 1
            return
        due = time.monotonic() + self._delay_s
        heapq.heappush(self._on_the_way, (due, next(self._order), self._devices[destination], packet))

    def _deliver(self) -> None:
        now = time.monotonic()
        while self._on_the_way and self._on_the_way[0][0] <= now:
            _, _, device, packet = heapq.heappop(self._on_the_way)
            os.write(device, packet)


def _pair(one: str, other: str) -> frozenset[bytes]:
    return frozenset((IPv4Address(one).packed, IPv4Address(other).packed))
