"""A slice of the fuzzer, and that its judgement sees what must not happen. The whole of it is `make fuzz`."""

import asyncio
import random

import pytest

from tests.fuzz import grammar, mutations
from tests.fuzz.http_request import HttpRequest
from tests.fuzz.run import CHANGES, SHARES, Fuzzer
from tests.fuzz.session import FuzzOptions, fuzz
from tests.fuzz.wire import Answer

SLICE = FuzzOptions(requests=1_500, clients=8)
LEAST_REACHED = 0.4


@pytest.mark.slow
def test_a_slice_finds_nothing() -> None:
    report = asyncio.run(fuzz(1, SLICE))
    assert report.faults == []
    assert report.sent == SLICE.requests
    assert report.reached_share >= LEAST_REACHED


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (Answer(500, {}, b"{}"), "500"),
        (Answer(503, {"content-type": "text/plain", "retry-after": "1"}), "503"),
        (Answer(503, {"content-type": "application/problem+json"}), "503"),
        (Answer(422, {}, b"Traceback (most recent call last)"), "a leak"),
    ],
)
def test_what_must_not_come_is_a_fault(answer: Answer, fault: str) -> None:
    fuzzer = Fuzzer("127.0.0.1", 1, seed=1)
    fuzzer._judge("values", answer, b"GET / HTTP/1.1\r\n\r\n")
    (found,) = fuzzer.report.faults
    assert found.startswith(fault)


def test_an_honest_503_is_no_fault() -> None:
    fuzzer = Fuzzer("127.0.0.1", 1, seed=1)
    fuzzer._judge("explain", Answer(503, {"content-type": "application/problem+json", "retry-after": "1"}), b"")
    assert fuzzer.report.faults == []


@pytest.mark.parametrize("kind", CHANGES)
def test_changes_come_from_the_seed_and_change_something(kind: str) -> None:
    assert kind in SHARES

    def made(seed: int) -> list[bytes]:
        chance = random.Random(seed)
        requests: list[HttpRequest] = []
        for _ in range(50):
            request = grammar.form(chance) if kind == "changed form" else grammar.explain(chance)
            CHANGES[kind](chance, request)
            requests.append(request)
        return [request.encode() for request in requests]

    assert made(1) == made(1)
    assert len(set(made(1))) > 40


def test_values_replace_fields_of_a_document() -> None:
    chance = random.Random(3)
    request = grammar.explain(chance)
    before = request.body
    mutations.changed_values(chance, request)
    assert request.body != before
