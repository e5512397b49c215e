"""Writes the table of values in the README of the Helm chart: `python docs/chart_values.py`."""

import json
from collections.abc import Iterator
from pathlib import Path

import yaml

CHART = Path(__file__).parents[1] / "deploy" / "helm" / "attribution"
README = CHART / "README.md"
START, END = "<!-- values -->", "<!-- end of values -->"
TEXT = (CHART / "values.yaml").read_text()
WHOLE = ("behavior", "resources")  # maps that are explained as one


def values() -> Iterator[tuple[str, object, str]]:
    """Each value of `values.yaml`: its path, its default and the comment above it."""
    yield from _below(yaml.compose(TEXT), "")


def table() -> str:
    """The table, in Markdown."""
    rows = [f"| `{path}` | `{_shown(default)}` | {text} |" for path, default, text in values()]
    return "\n".join(["| value | default | |", "|---|---|---|", *rows])


def _below(node: yaml.Node, parent: str) -> Iterator[tuple[str, object, str]]:
    for key, value in node.value:
        path = f"{parent}.{key.value}" if parent else key.value
        comment = _comment_above(key.start_mark.line)
        is_group_of_values = isinstance(value, yaml.MappingNode) and not value.flow_style
        if is_group_of_values and key.value not in WHOLE:
            yield from _below(value, path)
        else:
            text = yaml.serialize(value)
            yield path, yaml.safe_load(text), comment


def _comment_above(line: int) -> str:
    """The comment in the line above, without its sign."""
    above = TEXT.splitlines()[line - 1].strip() if line else ""
    return above.removeprefix("#").strip() if above.startswith("#") else ""


def _shown(default: object) -> str:
    return json.dumps(default).replace("|", "\\|")


if __name__ == "__main__":
    before, _, rest = README.read_text().partition(START)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{START}\n{table()}\n{END}{after}")
