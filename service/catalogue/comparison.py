"""The comparison table of the methods: the rows that the HTML and the Markdown page share. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from service.catalogue.guides import FamilyGuide, MethodCatalogue, MethodGuide

COLUMNS = ("idea", "uses_gradients", "uses_baseline", "typical_results", "analogy", "cost")
GUIDE_TEXTS = ("idea", "typical_results", "analogy", "when", "when_not", "uses_gradients", "uses_baseline", "cost")


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One method, or what a family has in common; then `name` is None. `cells` are in the order of `COLUMNS`."""

    name: str | None
    title: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ComparedFamily:
    """The rows of one family."""

    name: str
    title: str
    rows: tuple[ComparisonRow, ...]


def compared_families(catalogue: MethodCatalogue, words: Mapping[str, str]) -> list[ComparedFamily]:
    """The table by families. The family `layer` begins with its generic row.

    Args:
        words: the table `page` of the catalogue's language.
    """
    families = []
    for name, title in catalogue.families.items():
        guides = [guide for guide in catalogue.methods if guide.family == name]
        rows = [_row(guide.name, guide, words) for guide in guides]
        if name == "layer":
            rows.insert(0, _row(None, catalogue.layer_attribution, words))
        families.append(ComparedFamily(name, title, tuple(rows)))
    return families


def guide_texts(guide: MethodGuide, catalogue: MethodCatalogue, words: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The texts about one method, each after its heading."""
    for field in GUIDE_TEXTS:
        yield catalogue.columns[field], cell(guide, field, words)


def cell(guide: MethodGuide | FamilyGuide, field: str, words: Mapping[str, str]) -> str:
    """A field of a guide as words."""
    value = getattr(guide, field)
    if isinstance(value, bool):
        return words["yes"] if value else words["no"]
    return str(value).replace(" x ", f" {words['times']} ") if field == "cost" else str(value)


def _row(name: str | None, guide: MethodGuide | FamilyGuide, words: Mapping[str, str]) -> ComparisonRow:
    return ComparisonRow(name, guide.title, tuple(cell(guide, field, words) for field in COLUMNS))
