"""Where words begin and end, whatever the script, and which tokens are theirs."""

import pytest

from workers.inputs.words import Span, numbered, word_of_each_token


def words(text: str) -> list[str]:
    """With one token per character, so that no token joins words."""
    found = word_of_each_token(text, [(i, i + 1) for i in range(len(text))], [0] * len(text))
    return [text[start:end] for start, end in sorted({word for word in found if word is not None})]


@pytest.mark.parametrize(
    "text",
    [
        "नमस्ते दुनिया",  # vowel signs and a virama are marks
        "தமிழ் மொழி",
        "مَرْحَبًا بِالعالَم",
        "کتاب می\u200cروم",  # a zero-width non-joiner inside a word
        "שָׁלוֹם עוֹלָם",
        "צה\"ל ג'ירפה",  # gershayim and geresh typed as quotes
        "e\u0301te\u0301 l\u2019ami",
        "한국어 텍스트",
        "don't rock'n'roll o\u2019clock",
        "90's x'1 1'000",
        "well-known vis-à-vis covid-19 e\u0301-e\u0301",
        "3.14 1,000.5 U.S.A x_y",
        "👨\u200d👩\u200d👧 👍🏽 ❤️ 1️⃣ 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "soft\u00adhyphen",
        "カタカナ ﾊﾝｶｸ",
    ],
)
def test_blanks_are_the_only_boundaries(text: str) -> None:
    assert words(text) == text.split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我喜欢", ["我", "喜", "欢"]),
        ("大好きです", ["大", "好", "き", "で", "す"]),
        ("วันดี", ["วั", "น", "ดี"]),
        ("北京-上海", ["北", "京", "-", "上", "海"]),
        ("🇩🇪🇫🇷", ["🇩🇪", "🇫🇷"]),
        ("«Bonjour», ça!", ["«", "Bonjour", "»", ",", "ça", "!"]),
        ("'tis dogs' -5 a- foo--bar", ["'", "tis", "dogs", "'", "-", "5", "a", "-", "foo", "-", "-", "bar"]),
        ("مرحبا، عالم؟", ["مرحبا", "،", "عالم", "؟"]),
        (" one\r\ntwo\u200bthree\u3000four ", ["one", "two", "three", "four"]),
        (" \u0301x", ["\u0301", "x"]),  # a mark without a letter can be seen
    ],
)
def test_boundaries_without_blanks(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "offsets", "expected"),
    [
        ("a bc", [(0, 1), (1, 4)], ["a", "bc"]),  # the token has the space before the word
        ("a bc", [(0, 1), (1, 2), (2, 4)], ["a", "bc", "bc"]),  # the space is a token of its own
        ("a bc", [(0, 0), (0, 1), (2, 2), (2, 4)], ["a", "a", "bc", "bc"]),  # a mark without characters
        ("a  \n", [(0, 1), (1, 3), (3, 4)], ["a", "a", "a"]),  # no word follows
        ("a b c", [(0, 3), (3, 5)], ["a b", "c"]),  # two words in one token
        ("a, b", [(0, 2), (2, 4)], ["a,", "b"]),
        ("abcd ef", [(0, 2), (2, 6), (6, 7)], ["abcd ef"] * 3),
        ("😀b", [(0, 1), (0, 1), (0, 1), (0, 2)], ["😀b"] * 4),  # bytes of a character, the last with what follows
        ("a b", [(2, 3), (0, 1)], ["b", "a"]),
        (" \n ", [(0, 1), (2, 3)], [" \n ", " \n "]),
        ("\u200b", [(0, 1)], ["\u200b"]),
        ("wonderful", [(0, 6)], ["wonderful"]),  # the text is cut inside a word
    ],
)
def test_each_token_has_a_word(text: str, offsets: list[Span], expected: list[str]) -> None:
    found = word_of_each_token(text, offsets, [0] * len(offsets))
    assert [text[word[0] : word[1]] for word in found if word is not None] == expected


def test_special_tokens_have_none_and_a_number_of_their_own() -> None:
    found = word_of_each_token("ab c", [(0, 0), (0, 1), (1, 2), (0, 0), (2, 4), (0, 0)], [1, 0, 0, 1, 0, 1])
    assert found == [None, (0, 2), (0, 2), None, (3, 4), None]
    assert numbered(found) == [0, 1, 1, 2, 3, 4]
    assert numbered([(0, 1), (2, 3), (0, 1)]) == [0, 1, 0]


def test_what_is_cut_off_is_not_looked_at() -> None:
    assert word_of_each_token("one two three", [(0, 3), (3, 7)], [0, 0]) == [(0, 3), (4, 7)]


def test_a_text_of_specials_alone() -> None:
    assert word_of_each_token("", [(0, 0), (0, 0)], [1, 1]) == [None, None]
