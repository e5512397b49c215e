"""Hosts of one machine: network namespaces, each with an address of its own."""

import fcntl
import os
import struct
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

from tests.network.wire import Wire
from tests.soak.place import Place

TUN = "/dev/net/tun"
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000  # linux/if_tun.h
MTU_BYTES = 9_000
HERE = "here"  # the name of this process's own host


@dataclass(frozen=True)
class Hosts:
    """Addresses by name; `HERE` is this process's own. `wire` joins all of them."""

    wire: Wire
    addresses: dict[str, str]
    namespaces: dict[str, str] = field(default_factory=dict)

    def place(self, name: str) -> Place:
        """Where a process of that host runs."""
        return Place(("ip", "netns", "exec", self.namespaces[name]), self.addresses[name])

    def part(self, one: str, other: str) -> None:
        """From now on these two hosts do not reach each other. Others reach both."""
        self.wire.part(self.addresses[one], self.addresses[other])

    def join(self, one: str, other: str) -> None:
        """They reach each other again."""
        self.wire.join(self.addresses[one], self.addresses[other])


def reason_against() -> str | None:
    """Why this machine or user can have no such hosts; None where it can."""
    try:
        os.close(os.open(TUN, os.O_RDWR))
    except OSError as error:
        return f"{TUN}: {error.strerror}"
    name = _name("probe")
    try:
        _ip("netns", "add", name)
        _ip("netns", "delete", name)
    except (OSError, subprocess.CalledProcessError) as error:
        return f"no network namespaces: {error}"
    return None


@contextmanager
def hosts(names: Sequence[str], delay_s: float) -> Iterator[Hosts]:
    """Makes a host of each name, for as long as the body runs. A packet takes `delay_s` seconds from one to another.

    The addresses are of 10.0.0.0/8, in a network that the process id chooses. Needs root.
    """
    number = os.getpid()
    network = f"10.{64 + number // 254 % 128}.{1 + number % 254}"
    addresses = {name: f"{network}.{last}" for last, name in enumerate([HERE, *names], start=1)}
    devices: dict[str, int] = {}
    with ExitStack() as stack:
        for name, address in addresses.items():
            devices[address] = _host(stack, name, address)
        wire = stack.enter_context(Wire(devices, delay_s).carrying())
        yield Hosts(wire, addresses, {name: _name(name) for name in names})


def _host(stack: ExitStack, name: str, address: str) -> int:
    """Makes a namespace with a TUN device. Returns the descriptor of the device."""
    descriptor = os.open(TUN, os.O_RDWR | os.O_NONBLOCK)
    stack.callback(os.close, descriptor)  # this removes the device
    asked = struct.pack("16sH22x", b"wire%d", IFF_TUN | IFF_NO_PI)
    device = fcntl.ioctl(descriptor, TUNSETIFF, asked)[:16].rstrip(b"\0").decode()
    inside: tuple[str, ...] = ()
    if name != HERE:
        namespace = _name(name)
        _ip("netns", "add", namespace)
        stack.callback(_forget, namespace)
        _ip("link", "set", device, "netns", namespace)
        inside = ("-n", namespace)
        _ip(*inside, "link", "set", "lo", "up")
    _ip(*inside, "address", "add", f"{address}/24", "dev", device)
    _ip(*inside, "link", "set", device, "mtu", str(MTU_BYTES), "up")
    return descriptor


def _name(host: str) -> str:
    return f"attribution-{os.getpid()}-{host}"


def _forget(namespace: str) -> None:
    with suppress(subprocess.CalledProcessError):
        _ip("netns", "delete", namespace)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)
