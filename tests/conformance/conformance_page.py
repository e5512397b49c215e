"""The page of what each client was seen to do: `docs/clients.md`."""

from typing import NamedTuple

from tests.conformance.environments import Environment

HEAD = """# Clients of other systems

Each client below was run unmodified, in an environment of its own, against a running service with the three models that
ship. `make test-clients` does it again and writes this page. All numbers that came back were compared with those of
`POST /explain` for the same input, method and target, and 64 rows sent at once with the same rows sent one by one.

| client | version | what was called | what came back |
|---|---|---|---|
"""


class Shown(NamedTuple):
    client: str
    version: str
    called: str
    returned: str


class Conformance:
    """The rows of the page, in the order in which the tests have shown them."""

    def __init__(self) -> None:
        self._rows: list[Shown] = []

    def shows(self, environment: Environment, called: str, returned: str) -> None:
        """A test has checked that this call of a client returns this."""
        self._rows.append(Shown(environment.client, environment.version, called, returned))

    def page(self) -> str:
        rows = sorted(self._rows, key=lambda row: row.client)
        return HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows)
