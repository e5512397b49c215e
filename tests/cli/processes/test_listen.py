"""The listening socket."""

import re

import pytest

from cli.processes.listen import CannotListen, listen, url_of


def test_port_zero_takes_a_free_one() -> None:
    with listen("127.0.0.1", 0) as listening:
        assert re.fullmatch(r"http://127\.0\.0\.1:[1-9][0-9]+", url_of(listening))


def test_a_port_in_use_is_told_in_one_line() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(CannotListen, match=rf"port {port} on 127\.0\.0\.1 is in use"):
            listen("127.0.0.1", port)


def test_all_addresses_are_reached_by_loopback() -> None:
    with listen("0.0.0.0", 0) as listening:
        assert url_of(listening).startswith("http://127.0.0.1:")


@pytest.mark.parametrize("host", ["no such host", "192.0.2.1"])
def test_an_address_that_is_not_ours(host: str) -> None:
    with pytest.raises(CannotListen, match=re.escape(host)):
        listen(host, 0)
