"""The places of connections, counted by address."""

from service.connections.places import Places, address_group
from service.tuning import PROBE_PLACES


def test_both_caps_and_the_places_for_health_checks() -> None:
    places = Places[int](most=3, most_per_address=2)
    assert [places.take(one, "192.0.2.1") for one in (1, 2, 3)] == [None] * 3
    assert [places.is_kept_for_probes(one) for one in (1, 2, 3)] == [False, False, True]
    places.take(4, "192.0.2.2")
    places.take(5, "192.0.2.3")
    assert not places.is_kept_for_probes(4)
    assert places.is_kept_for_probes(5)
    places.leave(1)
    places.leave(1)
    places.take(6, "192.0.2.1")
    assert not places.is_kept_for_probes(6)
    assert places.open_connections() == 5


def test_the_newest_replaces_the_oldest_of_those_beyond() -> None:
    places = Places[int](most=1, most_per_address=1)
    places.take(-1, "192.0.2.1")
    gone = [places.take(number, "192.0.2.1") for number in range(PROBE_PLACES + 3)]
    assert gone == [None] * PROBE_PLACES + [0, 1, 2]


def test_a_client_on_a_unix_socket_has_no_address() -> None:
    places = Places[int](most=3, most_per_address=1)
    for number in range(3):
        places.take(number, "")
        assert not places.is_kept_for_probes(number)


def test_one_network_of_ipv6_counts_as_one_address() -> None:
    assert address_group("2001:db8::1") == address_group("2001:db8::ffff:1") == "2001:db8::/64"
    assert address_group("2001:db8:0:1::1") != address_group("2001:db8::1")
    assert address_group("::ffff:192.0.2.1") == "192.0.2.1"
    assert address_group("fe80::1%eth0") == "fe80::/64"
    assert address_group("not an address") == "not an address"
