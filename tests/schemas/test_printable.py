"""Text of others on a terminal."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.printable import printable, printable_lines


def test_what_a_terminal_would_obey_is_escaped() -> None:
    assert printable("\x1b[2J\x07\x9b31m\r\n\x7f") == r"\x1b[2J\x07\x9b31m\r\n\x7f"
    assert printable("a\u202eb\u2066\u200b\u2028\ufeff") == r"a\u202eb\u2066\u200b\u2028\ufeff"
    assert printable("\ud800") == r"\ud800"
    assert printable("Grüße, 日本 🙂") == "Grüße, 日本 🙂"


@given(st.text(st.characters()))
def test_any_text_becomes_printable(text: str) -> None:
    assert printable(text).isprintable()


def test_lines_stay_lines_and_pass_for_no_other() -> None:
    assert printable_lines("one\n2026 [info] forged\x1b\r") == "  one\n  2026 [info] forged\\x1b\\r"
