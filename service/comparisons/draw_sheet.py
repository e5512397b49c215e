"""Draws the sheet of a comparison: what the model sees, and each cell's attribution with its caption."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray
from PIL import Image

from schemas.comparisons import CellRecord
from schemas.errors import InvalidRequest
from schemas.results import ResultMeta
from schemas.sentences import Sentence
from service.comparisons.sheet_query import SheetQuery
from service.comparisons.sheet_words import parameter_words, subject_words, title_of
from service.drawing import typeface
from service.drawing.caption_block import Line, drawing_notes
from service.drawing.captions import CAPTIONS
from service.drawing.comparison_grid import Drawing, Panel, Scale, draw_grid
from service.drawing.heatmap import heat_map
from service.drawing.image_overlay import fitted, render_overlay
from service.drawing.overlay_options import OverlayOptions
from service.drawing.png import encode
from service.drawing.view import view_of
from service.languages import Language
from service.results.draw_overlay import OverlayQuery, draw_overlay
from service.results.drawing_memory import drawing_bytes
from service.results.formats import attribution, seen_pixels
from service.results.overlay_caption import completed, completeness_words, method_title
from service.tuning import MAX_SHEET_PIXELS

MAX_COLUMNS = 5  # of a sheet that compares along one list only
MARGIN = 120  # pixels that a panel may take beyond its picture, for gaps, heading, colour bar and notes


@dataclass(frozen=True, slots=True)
class Explained:
    """A cell that has succeeded: its result and its job's payload. The arrays are views of stored bytes."""

    meta: ResultMeta
    tensors: bytes | bytearray
    payload: bytes


@dataclass(slots=True)
class SheetPlan:
    """What is drawn of all cells alike. `panels` and `pictures` fill as cells are read, by the number of the cell."""

    cells: Sequence[CellRecord]
    options: SheetQuery
    language: Language
    panels: dict[int, Panel] = field(default_factory=dict)
    pictures: dict[int, Panel] = field(default_factory=dict)  # of each row, what its model sees
    subjects: dict[int, Line] = field(default_factory=dict)  # of each cell: model, class, score
    size: tuple[int, int] = (0, 0)
    has_maps: bool = False

    def panel_pixels(self) -> int:
        """The longer side of one panel."""
        count = len(self.cells) + len({cell.row for cell in self.cells})
        return min(self.options.size, math.isqrt(MAX_SHEET_PIXELS // count))

    def canvas_bytes(self) -> int:
        """The most memory that the sheet and its file take, besides the panels' own files."""
        count = len(self.cells) + len({cell.row for cell in self.cells})
        side = self.panel_pixels()
        highest = [side, *(panel.image.height for panel in self.panels.values() if panel.image is not None)]
        return drawing_bytes((count + MAX_COLUMNS) * (side + MARGIN) * (max(highest) + MARGIN))

    def limit(self, explained: Explained) -> float:
        """The attribution of the strongest colour on a cell's own scale; 0 for what is no map."""
        maps = _map(explained, self.options.example)
        if maps is None:
            return 0.0
        size = self._size_of(explained, maps)
        return heat_map(maps, completed(explained.meta, self.options), size).limit

    def add(self, number: int, explained: Explained) -> None:
        """Draw the panel of a cell. CPU work: run it in a thread.

        Raises:
            InvalidRequest: the job has no such example.
            JobHasNoResult: the stored result is damaged.
        """
        meta, example = explained.meta, self.options.example
        self.subjects[number] = subject_words(meta, example, self.language)
        maps = _map(explained, example)
        if maps is not None:
            self.has_maps = True
            self.panels[number] = self._map_panel(number, explained, maps)
        elif meta.words is not None or meta.features is not None:
            self.panels[number] = self._text_panel(explained)
        else:
            self.add_message(number, CAPTIONS[self.language]["not drawn"])

    def add_message(self, number: int, message: str) -> None:
        """A panel that says why there is no attribution."""
        cell = self.cells[number]
        name = str(cell.method.get("name", cell.model))
        self.panels[number] = Panel(title_of(name, self.language), message=message)

    def draw(self) -> bytes:
        """The sheet as PNG, once every cell has its panel."""
        words = CAPTIONS[self.language]
        subjects = {tuple(subject) for subject in self.subjects.values()}
        title: list[Line] = [[words["comparison"]]]
        panels = dict(self.panels)
        if len(subjects) == 1:
            title.append(next(iter(subjects)))
        else:
            for number, subject in self.subjects.items():
                panel = panels[number]
                panels[number] = Panel(panel.heading, panel.image, panel.message, panel.scale, [subject, *panel.notes])
        longest = self.panel_pixels()
        size = self.size if self.size != (0, 0) else (longest, longest // 2)
        return draw_grid(title, self._rows(panels), [self._foot()], size, self.language)

    def _foot(self) -> Line:
        words, options = CAPTIONS[self.language], self.options
        if not self.has_maps:  # but words or bars
            return [words["own scale"]]
        if options.limit is not None:
            scale = words["shared scale"].format(value=typeface.number(options.limit, self.language))
            return [scale, words[options.sign]]
        return [words["own scale"], drawing_notes(options, self.language)[-1], words[options.sign]]

    def _rows(self, panels: Mapping[int, Panel]) -> list[list[Panel]]:
        """One row for each model and target if several methods are compared; else all panels in lines."""
        rows = sorted({cell.row for cell in self.cells})
        by_row = [[panels[number] for number, cell in enumerate(self.cells) if cell.row == row] for row in rows]
        if len(rows) > 1 and len(by_row[0]) > 1:
            first = [[self.pictures[row]] if row in self.pictures else [] for row in rows]
            blank = bool(self.pictures)
            return [
                [*(head or ([Panel("", message="")] if blank else [])), *line]
                for head, line in zip(first, by_row, strict=True)
            ]
        flat = [*list(self.pictures.values())[:1], *(panel for line in by_row for panel in line)]
        columns = _columns(len(flat))
        return [flat[start : start + columns] for start in range(0, len(flat), columns)]

    def _map_panel(self, number: int, explained: Explained, maps: NDArray[Any]) -> Panel:
        meta, options = explained.meta, completed(explained.meta, self.options)
        size = self._size_of(explained, maps)
        picture = _picture(explained, options.example)
        row = self.cells[number].row
        if picture is not None and row not in self.pictures:
            heading = CAPTIONS[self.language]["what the model sees"]
            self.pictures[row] = Panel(heading, Drawing.of(encode(view_of(picture, size))))
        bare = options.model_copy(update={"caption": False, "size": max(size)})
        drawing = render_overlay(picture, maps, bare, lang=self.language, proportions=size)
        scale = (
            None
            if options.style == "masked"
            else Scale(heat_map(maps, options, size).scale, _bar_options(options, picture))
        )
        completeness = completeness_words(meta, options.example, self.language)
        notes = [parameter_words(meta), [drawing_notes(options, self.language)[0 if scale else 1], completeness]]
        return Panel(method_title(meta, self.language), Drawing.of(drawing), "", scale, notes)

    def _text_panel(self, explained: Explained) -> Panel:
        """Words or bars, which have their own caption inside."""
        query = OverlayQuery(size=max(self.panel_pixels(), 64), example=self.options.example)
        drawing = draw_overlay(explained.meta, explained.tensors, explained.payload, query, self.language)
        image = Drawing.of(drawing)
        self.size = (image.width, max(self.size[1], image.width // 3))
        return Panel(method_title(explained.meta, self.language), image, notes=[parameter_words(explained.meta)])

    def _size_of(self, explained: Explained, maps: NDArray[Any]) -> tuple[int, int]:
        """Width and height of the panel: the proportions of what the model sees. The largest panel sets the grid."""
        region: tuple[float, float] = (maps.shape[-1], maps.shape[-2])
        if explained.meta.picture is not None:
            left, top, right, bottom = explained.meta.picture.crop
            region = (right - left, bottom - top)
        width, height = fitted(region, self.panel_pixels())
        self.size = (max(self.size[0], width), max(self.size[1], height))
        return width, height


def _columns(count: int) -> int:
    """For so many panels in lines: as few empty places as possible."""
    if count <= MAX_COLUMNS - 1:
        return count
    return min(range(3, MAX_COLUMNS + 1), key=lambda columns: (-count % columns, -columns))


def _map(explained: Explained, example: int) -> NDArray[Any] | None:
    """The map of the example, (channels, height, width); None for words, columns and what has no places.

    Raises:
        InvalidRequest: the job has no such example.
    """
    if explained.meta.words is not None or explained.meta.features is not None:
        return None
    stored = attribution(explained.meta, explained.tensors)
    if stored.ndim != 4 or stored.size == 0:
        return None
    if example >= len(stored):
        raise InvalidRequest.at(
            ["query", "example"], Sentence("the job has {examples} examples, counted from 0", examples=len(stored))
        )
    chosen: NDArray[Any] = stored[example]
    return chosen


def _picture(explained: Explained, example: int) -> Image.Image | None:
    """What the model sees of the example; None if the input is a tensor."""
    if explained.meta.picture is None:
        return None
    return Image.fromarray(seen_pixels(explained.payload, example))


def _bar_options(options: OverlayOptions, picture: Image.Image | None) -> OverlayOptions:
    """The options by which the colour bar is drawn: a map without a picture is not blended."""
    return options if picture is not None else options.model_copy(update={"style": "heatmap"})
