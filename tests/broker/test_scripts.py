"""The Lua scripts: their heads, what they include, and the constants that they share with Python."""

import re
from pathlib import Path
from typing import get_args

import pytest
import redis

import broker
from broker import script_constants, tuning
from broker.keys import Keys
from broker.records import SubmitOutcome, SubmitRefusal
from broker.script_constants import CONSTANTS
from broker.scripts import ScriptCall, Scripts, load
from schemas.jobs import JobStatus
from schemas.models import AdminAction

LUA = Path(broker.__file__).parent / "lua"
SCRIPTS = sorted(LUA.glob("*.lua"))
FILES = [*SCRIPTS, *sorted((LUA / "includes").glob("*.lua"))]
NAMES = tuple(sorted(Keys("ns").for_scripts().items()))
by_stem = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def code(text: str) -> str:
    """Without comments and texts in quotes."""
    return re.sub(r"'[^']*'", "''", re.sub(r"--.*", "", text))


@by_stem
def test_every_constant_has_a_value_in_python(file: Path) -> None:
    text = code(file.read_text())
    own = set(re.findall(r"local ([A-Z_]+) =", text))
    used = set(re.findall(r"\b[A-Z][A-Z_]+\b", text)) - {"KEYS", "ARGV"} - own
    assert used <= CONSTANTS.keys()


@by_stem
def test_no_shared_value_is_written_again(file: Path) -> None:
    text = re.sub(r"--.*", "", file.read_text())
    words = {*get_args(JobStatus), *get_args(SubmitOutcome), *get_args(SubmitRefusal), *get_args(AdminAction)}
    assert not {word for word in words if f"'{word}'" in text}
    unnamed = re.sub(r"(KEYS|ARGV)\[\d+\]", "", code(text))
    numbers = {int(number) for number in re.findall(r"(?<![\w.])\d+(?![\w.])", unnamed)}
    assert numbers <= {*range(10), 1_000, 1_000_000}, "a choice: give it a name in broker.tuning"


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: file.stem)
def test_keys_and_arguments_are_named_once_at_the_head(file: Path) -> None:
    text = file.read_text()
    assert "KEYS[1]" in text or "KEYS:" in text
    for number in set(re.findall(r"(?:KEYS|ARGV)\[\d+\]", text)):
        line = next(line for line in text.splitlines() if number in line)
        assert line.startswith("local "), number
        assert text.count(number) == 1, number


def test_every_include_is_used_and_comes_once() -> None:
    included = set(re.findall(r'--- @include "(\w+)"', "\n".join(file.read_text() for file in FILES)))
    assert included == {file.stem for file in (LUA / "includes").glob("*.lua")}
    source = load("claim", NAMES).source
    assert source.count("local function publish(") == 1
    assert source.index("local function publish(") < source.index("local function end_job(") < source.index("SISMEMBER")


def test_a_script_has_the_constants_that_it_uses_and_no_others() -> None:
    source = load("progress", NAMES).source
    assert "local RUNNING = 'running'\n" in source
    assert "local REUSE_TTL_S = 86400\n" in source
    assert "MAX_SCANNED_JOBS" not in source
    assert "job = 'ns:job:'" in source


def test_constants_are_those_of_the_broker() -> None:
    assert CONSTANTS["MAX_PAGE_JOBS"] == tuning.MAX_PAGE_JOBS
    assert CONSTANTS["TENSORS_MISSING"] == script_constants.TENSORS_MISSING
    assert {CONSTANTS[word.upper()] for word in get_args(JobStatus)} == set(get_args(JobStatus))


def test_a_namespace_that_would_break_out_of_its_quotes_is_refused() -> None:
    names = tuple(sorted(Keys("it's").for_scripts().items()))
    with pytest.raises(ValueError, match="cannot be written into a script"):
        load("cancel", names)


def test_a_server_that_has_forgotten_a_script_is_sent_it(raw: redis.Redis, namespace: str) -> None:
    keys = Keys(namespace)
    scripts = Scripts(keys)
    call = ScriptCall([keys.index], ["", 10, "", "", ""])
    for _ in range(2):
        assert scripts.run(raw, "page", call) == [[], ""]
        raw.script_flush()
    stored, replies = scripts.run_each(raw, "page", [call, call], {f"{namespace}:x": b"1"}, 10)
    assert (stored, replies) == ([True], [[[], ""], [[], ""]])
    assert 0 < raw.ttl(f"{namespace}:x") <= 10
