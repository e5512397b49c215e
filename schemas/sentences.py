"""Sentences for clients whose words are kept apart from their parameters, so that they can be said in any language."""

from collections.abc import Mapping

from schemas.base import Record

Parameter = str | int | float | bool | None


class Sentence(str):
    """An English sentence that remembers how it was made.

    >>> Sentence("no job {job_id}", job_id="abc")
    'no job abc'

    Attributes:
        template: the sentence with the names of its parameters in braces; other braces are doubled.
        parameters: their values. One that is a `Sentence` itself is made of words too.
    """

    __slots__ = ("parameters", "template")
    template: str
    parameters: dict[str, object]

    def __new__(cls, template: str, /, **parameters: object) -> "Sentence":
        made = super().__new__(cls, template.format_map(parameters))
        made.template = template
        made.parameters = parameters
        return made

    @classmethod
    def restored(cls, text: str, template: str, parameters: Mapping[str, object]) -> "Sentence":
        """A sentence that was stored. Its template is not applied again: the store may hold anything."""
        made = super().__new__(cls, text)
        made.template = template
        made.parameters = dict(parameters)
        return made


class SentenceParts(Record):
    """How a `Sentence` was made, as it is stored beside its English: its reader may want it in another language.

    Attributes:
        text: the sentence in English.
        parameters: numbers and texts; a sentence among them in its own parts.
    """

    text: str
    template: str
    parameters: "dict[str, Parameter | SentenceParts]"

    @classmethod
    def of(cls, text: str) -> "SentenceParts | None":
        """The parts of a `Sentence`; None for a text whose parts are not known."""
        if not isinstance(text, Sentence):
            return None
        parameters = {name: _stored(value) for name, value in text.parameters.items()}
        return cls(text=str(text), template=text.template, parameters=parameters)

    def sentence(self) -> Sentence:
        """The sentence that had these parts."""
        parameters = {
            name: value.sentence() if isinstance(value, SentenceParts) else value
            for name, value in self.parameters.items()
        }
        return Sentence.restored(self.text, self.template, parameters)


def _stored(value: object) -> "Parameter | SentenceParts":
    if isinstance(value, Sentence):
        return SentenceParts.of(value)
    return value if isinstance(value, Parameter) else str(value)


def in_parts(text: str, parts: SentenceParts | None) -> str:
    """A stored text as a `Sentence` again, where its parts were stored with it and belong to it."""
    return text if parts is None or parts.text != text else parts.sentence()


def words(text: str) -> Sentence:
    """A sentence without parameters, as a `Sentence`; one that is a `Sentence` already as it is."""
    return text if isinstance(text, Sentence) else Sentence(text.replace("{", "{{").replace("}", "}}"))


def either(first: str, *others: str) -> str:
    """`a or b or c`."""
    for other in others:
        first = Sentence("{first} or {second}", first=first, second=other)
    return first
