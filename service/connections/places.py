"""Counts the open connections, in total and per address, and keeps places for health checks."""

import ipaddress
from collections import Counter
from functools import lru_cache
from typing import Generic, TypeVar

from service.tuning import PROBE_PLACES

C = TypeVar("C")
NO_ADDRESS = ""  # of a client on a Unix socket, which only this machine reaches


class Places(Generic[C]):
    """The places of connections of kind `C`.

    A connection beyond a cap takes one of the places that are kept for health checks, where nothing else is answered.
    The newest always gets one, if need be that of the oldest: a health check is done within milliseconds, so clients
    that only hold connections cannot keep it out, whatever address they come from.
    """

    def __init__(self, most: int, most_per_address: int) -> None:
        self._most = most
        self._most_per_address = most_per_address
        self._taken: dict[C, str] = {}
        self._by_address: Counter[str] = Counter()
        self._kept: dict[C, None] = {}  # in the order of their arrival

    def take(self, connection: C, address: str) -> C | None:
        """Take a place for a new connection; returns the connection that has to go for it."""
        group = address_group(address)
        is_within = not group or self._by_address[group] < self._most_per_address
        if is_within and len(self._taken) < self._most:
            self._taken[connection] = group
            self._by_address[group] += 1
            return None
        gone = next(iter(self._kept)) if len(self._kept) >= PROBE_PLACES else None
        if gone is not None:
            del self._kept[gone]
        self._kept[connection] = None
        return gone

    def is_kept_for_probes(self, connection: C) -> bool:
        """Whether only health checks are answered on this connection."""
        return connection not in self._taken

    def leave(self, connection: C) -> None:
        """Free the place of a connection. Idempotent."""
        self._kept.pop(connection, None)
        group = self._taken.pop(connection, None)
        if group is None:
            return
        self._by_address[group] -= 1
        if not self._by_address[group]:
            del self._by_address[group]

    def open_connections(self) -> int:
        """How many hold a place of either kind."""
        return len(self._taken) + len(self._kept)


@lru_cache(maxsize=4096)
def address_group(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 network that an IPv6 client can choose addresses from."""
    if not address:
        return NO_ADDRESS
    try:
        parsed = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
