"""Imports of a worker are not interrupted by garbage collection, which goes on after them."""

import gc

import pytest

from cli.worker import uncollected


def test_collection_goes_on_after_the_imports_whatever_they_raise() -> None:
    with uncollected():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ModuleNotFoundError), uncollected():
        __import__("no_such_library")
    assert gc.isenabled()
