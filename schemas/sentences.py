"""Sentences for clients whose words are kept apart from their parameters, so that they can be said in any language."""


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


def words(text: str) -> Sentence:
    """A sentence without parameters, as a `Sentence`; one that is a `Sentence` already as it is."""
    return text if isinstance(text, Sentence) else Sentence(text.replace("{", "{{").replace("}", "}}"))


def either(first: str, *others: str) -> str:
    """`a or b or c`."""
    for other in others:
        first = Sentence("{first} or {second}", first=first, second=other)
    return first
