"""Tests that share a service run in one process, and the longest start first."""

import re

from tests.paths import ROOT
from tests.scheduling import FOLDERS, group_of, place

FILE = "tests/cli/test_command.py"
PACKAGE_SCOPE = re.compile(r'scope="package"')


def test_the_folders_are_those_with_a_service_of_their_own() -> None:
    conftests = (ROOT / "tests").rglob("conftest.py")
    having = {path.parent for path in conftests if PACKAGE_SCOPE.search(path.read_text())}
    assert having == {ROOT / folder for folder in FOLDERS}


def test_a_folder_is_one_group_and_otherwise_a_file() -> None:
    assert {group_of(f"{FOLDERS[0]}{name}::test_a") for name in ("test_one.py", "test_two.py")} == {FOLDERS[0]}
    assert group_of(f"{FILE}::test_a[::]") == FILE


def test_services_start_first_and_quick_files_last() -> None:
    service, quick, e2e = (f"{FOLDERS[1]}test_a.py::test_a", f"{FILE}::test_a", "tests/e2e/test_serve.py::test_a")
    mixed = [(quick, False), (e2e, False), (service, False), (quick, True), (e2e, True)]
    expected = [(service, False), (e2e, True), (quick, True), (e2e, False), (quick, False)]
    assert sorted(mixed, key=lambda one: place(*one)) == expected
