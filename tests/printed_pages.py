"""Level pages with known targets and words, as if they had been found."""

from __future__ import annotations

from collections.abc import Sequence

from scanner.geometry import Box
from scanner.registering.found import FoundTarget, PrintedWord, Shape, Source
from scanner.registering.level_page import LevelPage, put_together
from scanner.registering.rulings import Rulings

LETTER_MM = 1.9
HEIGHT_MM = 3.2
BOX_MM = 4.5


def words(text: str, x: float, y: float, *, sure: float = 1.0) -> list[PrintedWord]:
    """A line of text from ``x`` on, its middle at ``y``."""
    found = []
    for word in text.split():
        width = LETTER_MM * len(word)
        found.append(PrintedWord(word, Box(x, y - HEIGHT_MM / 2, width, HEIGHT_MM), sure))
        x += width + 1.0
    return found


def target(
    x: float, y: float, *, shape: Shape = "box", size: tuple[float, float] | None = None
) -> FoundTarget:
    """A target whose left edge is at ``x`` and whose middle is at height ``y``."""
    w, h = size or (BOX_MM, BOX_MM)
    return FoundTarget(1, Box(x, y - h / 2, w, h), shape, Source.IMAGE)


def level_page(
    targets: Sequence[FoundTarget],
    printed: Sequence[PrintedWord],
    rulings: Rulings | None = None,
) -> LevelPage:
    """An A4 page."""
    lines = rulings or Rulings()
    pieces = put_together(printed, [found.box for found in targets], lines)
    return LevelPage(1, 210.0, 297.0, tuple(targets), tuple(pieces), lines)


def option_row(
    y: float, labels: Sequence[str], *, x: float = 25.0, step: float = 50.0
) -> tuple[list[FoundTarget], list[PrintedWord]]:
    """Boxes beside each other, each with its label on the right."""
    targets = [target(x + step * index, y) for index in range(len(labels))]
    printed = [
        word
        for found, label in zip(targets, labels, strict=True)
        for word in words(label, found.box.right + 2.0, y)
    ]
    return targets, printed


def table(
    rows: int, columns: int, *, x: float = 110.0, y: float = 60.0, row_mm: float = 9.0
) -> tuple[list[FoundTarget], Rulings]:
    """Ruled cells to mark, a head row above them and a column of texts on the left."""
    width = 15.0
    left, top = 22.0, y - 12.0
    right, bottom = x + columns * width, y + rows * row_mm
    cells = [
        target(x + column * width, y + (row + 0.5) * row_mm, shape="cell", size=(width, row_mm))
        for row in range(rows)
        for column in range(columns)
    ]
    heights = [top, *(y + row * row_mm for row in range(rows + 1))]
    sides = [left, *(x + column * width for column in range(columns + 1))]
    across = tuple(Box(left, at - 0.15, right - left, 0.3) for at in heights)
    down = tuple(Box(at - 0.15, top, 0.3, bottom - top) for at in sides)
    return cells, Rulings(across, down)
