"""Ruled tables: holes that share their lines, and which of them wait for an answer."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from scanner.geometry import Box
from scanner.registering.outlines import Outline
from scanner.registering.view import SideView

_LEAST_FIT = 0.9
_SMALLEST_CELL_MM = 3.0
_ANSWER_WIDTH_MM = (4.0, 45.0)
_ANSWER_HEIGHT_MM = (3.5, 40.0)
_SHARED_LINE_MM = 1.3
_SHARED_SIDE = 0.3
_INSET_MM = 0.45
_EMPTY_SHARE = 0.006
"""Share of a cell that specks and a touch of the neighbour's letters may cover."""
_LEAST_CELLS = 4
_TAKEN_WIDTH = 0.08

_NO_ANSWERS_BELOW = frozenset(
    """ghi chú|chú thích|ý kiến khác|góp ý|lý do|chữ ký|ký tên|họ và tên|họ tên|địa chỉ|
    số điện thoại|điện thoại|note|notes|remark|remarks|comment|comments|reason|signature|name|
    address|telephone|phone""".replace("\n", "").split("|")
)
"""Heads of columns that are written in, not marked."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table, in pixels."""

    box: Box
    """From the middle of the line on one side to the middle of the line on the other."""
    hole: Box
    is_empty: bool


@dataclass(frozen=True, slots=True)
class Table:
    """Cells that hang together."""

    cells: tuple[Cell, ...]

    def holds(self, box: Box) -> bool:
        """True where the middle of the box lies in one of the cells."""
        x, y = box.center
        return any(_holds(cell.hole, x, y) for cell in self.cells)


def find_tables(view: SideView) -> list[Table]:
    """Every group of four cells or more that share lines."""
    smallest = view.px(_SMALLEST_CELL_MM)
    holes = [
        outline
        for outline in view.outlines
        if outline.shape == "box"
        and outline.fit >= _LEAST_FIT
        and min(outline.hole.w, outline.hole.h) >= smallest
    ]
    groups = _groups(holes, view.px(_SHARED_LINE_MM))
    return [
        Table(tuple(_cell(view, outline) for outline in group))
        for group in groups
        if len(group) >= _LEAST_CELLS
    ]


def joined(outlines: Sequence[Outline], apart_px: float) -> set[int]:
    """Which of the outlines, by their place in the list, share a line with another."""
    return {
        place
        for pair in _neighbours([outline.hole for outline in outlines], apart_px)
        for place in pair
    }


def answer_cells(view: SideView, table: Table) -> list[Cell]:
    """The empty cells that have print in their row and in their column, as an answer has.

    A table without a head row counts if print stands in front of every row.
    """
    low, high = (view.px(mm) for mm in _ANSWER_WIDTH_MM)
    flat, tall = (view.px(mm) for mm in _ANSWER_HEIGHT_MM)
    printed = [cell for cell in table.cells if not cell.is_empty]
    found = []
    for cell in table.cells:
        fits = low <= cell.hole.w <= high and flat <= cell.hole.h <= tall
        if not (cell.is_empty and fits):
            continue
        in_front = any(_same_row(other, cell) for other in printed)
        heads = [head for head in printed if _same_column(head, cell) and head.box.y < cell.box.y]
        if in_front and heads and not any(_is_written_in(view, head) for head in heads):
            found.append(cell)
    return [*found, *_taken_already(table, found)] if found else _without_head(view, table)


def _taken_already(table: Table, answers: Sequence[Cell]) -> list[Cell]:
    """Cells with something in them in columns of empty ones: a blank that was written on."""
    taken = []
    for cell in table.cells:
        column = [a for a in answers if _same_column(a, cell) and _is_as_wide(a, cell)]
        in_row = any(_same_row(answer, cell) for answer in answers)
        if not cell.is_empty and in_row and len(column) > 1:
            taken.append(cell)
    return taken


def _is_as_wide(one: Cell, other: Cell) -> bool:
    return abs(one.hole.w - other.hole.w) <= _TAKEN_WIDTH * other.hole.w


def _without_head(view: SideView, table: Table) -> list[Cell]:
    """Empty cells of a table whose every row begins or ends with print, and that are all alike."""
    rows = list(_rows(table.cells))
    if len(rows) < 2 or not all(any(not cell.is_empty for cell in row) for row in rows):
        return []
    low, high = (view.px(mm) for mm in _ANSWER_WIDTH_MM)
    empty = [cell for row in rows for cell in row if cell.is_empty and low <= cell.hole.w <= high]
    if len(empty) < len(rows) or not empty:
        return []
    widths = np.array([cell.hole.w for cell in empty])
    alike = np.ptp(widths) <= 2 * _TAKEN_WIDTH * widths.mean()
    return empty if alike else []


def _rows(cells: Sequence[Cell]) -> Iterator[list[Cell]]:
    row: list[Cell] = []
    for cell in sorted(cells, key=lambda cell: cell.box.center[1]):
        if row and not _same_row(row[0], cell):
            yield row
            row = []
        row.append(cell)
    if row:
        yield row


def _same_row(one: Cell, other: Cell) -> bool:
    return one is not other and _shared(
        (one.hole.y, one.hole.bottom), (other.hole.y, other.hole.bottom)
    )


def _same_column(one: Cell, other: Cell) -> bool:
    """Whether ``one`` stands over the whole width of ``other`` or the reverse."""
    return one is not other and _shared(
        (one.hole.x, one.hole.right), (other.hole.x, other.hole.right)
    )


def _shared(one: tuple[float, float], other: tuple[float, float]) -> bool:
    both = min(one[1], other[1]) - max(one[0], other[0])
    return both >= 0.7 * min(one[1] - one[0], other[1] - other[0])


def _is_written_in(view: SideView, head: Cell) -> bool:
    """Whether the words of a column's head, where they are known, name something to write."""
    text = " ".join(
        word.text for word in view.side.words if _holds(head.hole, *view.from_mm(word.box).center)
    )
    return unicodedata.normalize("NFC", text).strip(" .:()").casefold() in _NO_ANSWERS_BELOW


def _cell(view: SideView, outline: Outline) -> Cell:
    left, top, right, below = (min(line, view.px(1.0)) / 2 for line in outline.lines)
    hole = outline.hole
    box = Box(hole.x - left, hole.y - top, hole.w + left + right, hole.h + top + below)
    return Cell(box=box, hole=hole, is_empty=_is_empty(view, hole))


def _is_empty(view: SideView, hole: Box) -> bool:
    if any(_holds(hole, *view.from_mm(word.box).center) for word in view.side.words):
        return False
    inside = hole.grown(-min(view.px(_INSET_MM), 0.2 * min(hole.w, hole.h)))
    top, bottom = round(inside.y), round(inside.bottom)
    left, right = round(inside.x), round(inside.right)
    return float((view.ink[top:bottom, left:right] > 0).mean()) <= _EMPTY_SHARE


def _groups(holes: Sequence[Outline], apart_px: float) -> list[list[Outline]]:
    """Outlines that hang together through lines that they share."""
    leader = list(range(len(holes)))

    def find(place: int) -> int:
        while leader[place] != place:
            leader[place] = leader[leader[place]]
            place = leader[place]
        return place

    for one, other in _neighbours([outline.hole for outline in holes], apart_px):
        leader[find(one)] = find(other)
    groups: dict[int, list[Outline]] = {}
    for place, outline in enumerate(holes):
        groups.setdefault(find(place), []).append(outline)
    return list(groups.values())


def _neighbours(holes: Sequence[Box], apart_px: float) -> Iterator[tuple[int, int]]:
    """Pairs of holes that lie side by side, with no more than a line between them."""
    if not holes:
        return
    sides = np.array([(h.x, h.y, h.right, h.bottom) for h in holes])
    for one, (x, y, right, bottom) in enumerate(sides):
        others = sides[one + 1 :]
        across = np.minimum(right, others[:, 2]) - np.maximum(x, others[:, 0])
        down = np.minimum(bottom, others[:, 3]) - np.maximum(y, others[:, 1])
        narrow = np.minimum(right - x, others[:, 2] - others[:, 0])
        low = np.minimum(bottom - y, others[:, 3] - others[:, 1])
        beside = (-apart_px <= across) & (across <= 0) & (down >= _SHARED_SIDE * low)
        above = (-apart_px <= down) & (down <= 0) & (across >= _SHARED_SIDE * narrow)
        for other in np.flatnonzero(beside | above):
            yield one, one + 1 + int(other)


def _holds(box: Box, x: float, y: float) -> bool:
    return box.x <= x <= box.right and box.y <= y <= box.bottom
