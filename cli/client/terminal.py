"""Shows a result in a terminal."""

import math
from collections.abc import Iterator, Sequence
from itertools import islice

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.style import Style
from rich.table import Table
from rich.text import Text

from attribution_client import Result
from attribution_client.display.words import class_name
from attribution_client.wire.answers import Explanation, FeatureScore, Prediction, TextScore
from cli.client.score_bars import HALF_WIDTH, signed_bar, tint
from schemas.methods import METHODS
from schemas.models import OutputKind

MAX_EXAMPLES_SHOWN = 8
RUNNERS_UP = 2
CONTROLS = dict.fromkeys([*range(10), *range(11, 32), 127], " ")  # one character each, so that offsets stay valid


def render(result: Result, *, top: int) -> RenderableType:
    """Renders one result. A table has at most `top` rows."""
    found = result.explanation
    kind = result.card.output.kind if result.card and result.card.output else "classification"
    parts: list[RenderableType] = [_summary(found, kind)]
    for text, words in zip(result.texts or [], found.words or [], strict=False):
        parts += [Padding(sentence(text, words), (1, 2)), word_table(words, top)]
    if found.features is not None:
        for index, row in enumerate(found.features[:MAX_EXAMPLES_SHOWN]):
            title = f"row {index}" if len(found.features) > 1 else None
            parts += [Text(), feature_table(row, top, title)]
        if len(found.features) > MAX_EXAMPLES_SHOWN:
            parts.append(Text(f"and {len(found.features) - MAX_EXAMPLES_SHOWN} more rows", style="dim"))
    return Group(*parts)


def sentence(text: str, words: Sequence[TextScore]) -> Text:
    """The text with coloured words: orange speaks for the explained output, blue against it."""
    shown = Text(text.translate(CONTROLS))
    most = max((abs(word.score) for word in words), default=0.0)
    for word in words:
        shown.stylize(tint(word.score, most), word.start, word.end)
    return shown


def word_table(words: Sequence[TextScore], top: int) -> Table:
    """The strongest words, in the order of the text."""
    strongest = sorted(range(len(words)), key=lambda index: -abs(words[index].score))[:top]
    rows = [(Text(words[index].text), None, words[index].score) for index in sorted(strongest)]
    return _scores("word", rows, hidden=len(words) - len(rows))


def feature_table(features: Sequence[FeatureScore], top: int, title: str | None = None) -> Table:
    """The strongest features first, with their values in the table's own units."""
    strongest = sorted(features, key=lambda feature: -abs(feature.score))[:top]
    rows = [(Text(feature.name), f"{feature.value:.6g}", feature.score) for feature in strongest]
    return _scores("feature", rows, hidden=len(features) - len(rows), title=title)


def _scores(
    name: str, rows: Sequence[tuple[Text, str | None, float]], *, hidden: int, title: str | None = None
) -> Table:
    caption = f"and {hidden} weaker; --top shows more" if hidden else None
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), title=title, title_justify="left", caption=caption)
    table.caption_justify = "left"
    with_values = any(value is not None for _, value, _ in rows)
    table.add_column(name, no_wrap=True, max_width=36, overflow="ellipsis")
    if with_values:
        table.add_column("value", justify="right")
    table.add_column("score", justify="right")
    table.add_column(f"{'against ◂ ▸ for':^{2 * HALF_WIDTH + 1}}", no_wrap=True)
    most = max((abs(score) for *_, score in rows), default=0.0)
    decimals = _decimals(most)
    for label, value, score in rows:
        table.add_row(label, *([value] if with_values else []), f"{score:+.{decimals}f}", signed_bar(score, most))
    return table


def _decimals(most: float) -> int:
    """The number of decimals that gives the largest score four significant digits."""
    return min(12, max(0, 3 - math.floor(math.log10(most)))) if most > 0 else 1


def _summary(result: Explanation, kind: OutputKind) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("model", f"{result.model.name} [dim]version {result.model.version}[/]")
    for predictions in islice(result.predictions, MAX_EXAMPLES_SHOWN):
        table.add_row("prediction", prediction_line(predictions, kind))
    if result.target:
        targets = result.target[:MAX_EXAMPLES_SHOWN]
        table.add_row("explained", Text(", ".join(class_name(target) for target in targets)))
    table.add_row("method", Text(method_line(result)))
    if result.convergence_delta:
        worst = max(result.convergence_delta, key=abs)
        table.add_row("delta", f"{worst:+.3g} [dim]attributions' sum less the output's difference[/]")
    timing = result.timing
    table.add_row(
        "work",
        f"{_count(timing.rows, 'row')} in {_count(timing.passes, 'pass', 'es')}, {_duration(timing.run_ms)}"
        f" [dim]after {_duration(timing.queued_ms)} in the queue, on {result.provenance.device}[/]",
    )
    for name, metric in quality_lines(result):
        table.add_row(name, metric)
    for warning in result.warnings:
        table.add_row("warning", Text(warning, style="yellow"))
    return table


def quality_lines(result: Explanation) -> Iterator[tuple[str, str]]:
    """Each metric by a short name, for the first examples."""
    report = result.quality
    if report is None:
        return
    if report.completeness is not None and not result.convergence_delta:  # shown by the delta
        yield "completeness", _each("missed {}", [_percent(one.relative_error) for one in report.completeness])
    if report.infidelity is not None:
        yield "infidelity", _each("{} [dim]lower is better[/]", report.infidelity.values)
    if report.sensitivity_max is not None:
        yield "sensitivity", _each("{} [dim]lower is better[/]", report.sensitivity_max.values)
    if report.deletion_insertion is not None:
        curves = report.deletion_insertion.examples
        yield "deletion", _each("area {} [dim]lower is better[/]", [one.deletion.auc for one in curves])
        yield "insertion", _each("area {} [dim]higher is better[/]", [one.insertion.auc for one in curves])
    if report.randomization is not None:
        last = report.randomization.stages[-1]
        ranks = [one.spearman if one.spearman is not None else "undefined" for one in last.examples]
        yield "randomised", _each("rank correlation {} [dim]near 0 is as it should be[/]", ranks)


def _each(text: str, values: Sequence[float | str]) -> str:
    shown = [value if isinstance(value, str) else f"{value:.3g}" for value in values[:MAX_EXAMPLES_SHOWN]]
    return text.format(", ".join(shown))


def _percent(share: float | None) -> str:
    return "nothing to compare" if share is None else f"{share:.2%}"


def prediction_line(predictions: Sequence[Prediction], kind: OutputKind) -> Text:
    """The most probable class with its probability, and the next ones; or the value of a regression."""
    if not predictions:
        return Text("none")
    first, *others = predictions
    name = first.label or f"output {first.index}"
    if kind == "regression":
        return Text.assemble((name, "bold"), f" {first.score:.6g}")
    line = Text.assemble((name, "bold"), f" {first.score:.1%}")
    rest = [f"{other.label or other.index} {other.score:.1%}" for other in others[:RUNNERS_UP]]
    return line.append("   " + ", ".join(rest), Style(dim=True)) if rest else line


def method_line(result: Explanation) -> str:
    """The method with its numeric parameters, and its other parameters where they differ from the defaults."""
    name = str(result.method["name"])
    usual = {key: field.default for key, field in METHODS[name].model_fields.items()}
    fields = {key: value for key, value in result.method.items() if _is_telling(value, usual.get(key))}
    if result.layer is not None:
        fields["layer"] = result.layer
    return "  ".join([name, *(f"{key}={_short(value)}" for key, value in fields.items())])


def _is_telling(value: object, usual: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value is not None and (is_number or value != usual)


def _short(value: object) -> str:
    return "tensor" if isinstance(value, dict) and "tensor" in value else str(value).replace(" ", "")


def _count(number: int, noun: str, plural: str = "s") -> str:
    return f"{number} {noun}{'' if number == 1 else plural}"


def _duration(duration_ms: float) -> str:
    return f"{duration_ms:.0f} ms" if duration_ms < 1000 else f"{duration_ms / 1000:.1f} s"
