"""Where a process of the service runs."""

from typing import NamedTuple


class Place(NamedTuple):
    """What precedes its command, and the address that it listens on."""

    prefix: tuple[str, ...] = ()
    address: str = "127.0.0.1"
