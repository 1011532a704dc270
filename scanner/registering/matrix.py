"""Targets with no text between them: rows of a table or of a scale, with their heads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from scanner.geometry import Box
from scanner.registering.level_page import LevelPage, Piece, shared_height

_BARE_NUMBER = re.compile(r"^[\dIVXivx]{1,4}[.)]?$")
_HEAD_GAP_LINES = 2.2
_FIRST_HEAD_GAP_MM = 9.0
_ALIGNED_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Row:
    """Targets of one row of a page, left to right, that belong together."""

    targets: tuple[int, ...]
    """Places in ``LevelPage.targets``."""
    is_bare: bool
    """True where no text stands between them."""


@dataclass(slots=True)
class Matrix:
    """Bare rows below each other whose targets stand in the same columns."""

    rows: list[Row]
    heads: list[list[Piece]] = field(default_factory=list)
    """The text above each column; empty lists where there is none."""
    texts: list[list[Piece]] = field(default_factory=list)
    """The text beside each row."""

    @property
    def has_heads(self) -> bool:
        """Whether any column has a text."""
        return any(self.heads)


def find_matrices(page: LevelPage, rows: Sequence[Row]) -> list[Matrix]:
    """The bare rows of a page put together, with the texts above and beside them."""
    matrices: list[Matrix] = []
    for row in rows:
        if not row.is_bare:
            continue
        last = next((m for m in reversed(matrices) if _is_below(page, m.rows[-1], row)), None)
        if last is None:
            matrices.append(Matrix([row]))
        else:
            last.rows.append(row)
    for matrix in matrices:
        matrix.heads = _heads(page, matrix)
        if not matrix.has_heads:
            matrix.heads = _inherited(page, matrix, matrices)
        taken = {piece for column in matrix.heads for piece in column}
        matrix.texts = [_row_text(page, matrix, row, taken) for row in matrix.rows]
    return matrices


def columns_of(page: LevelPage, row: Row) -> list[Box]:
    """The boxes of a row."""
    return [page.targets[index].box for index in row.targets]


def _is_below(page: LevelPage, upper: Row, lower: Row) -> bool:
    """Whether two rows have the same columns and no line of text across them in between."""
    if not _is_aligned(page, upper, lower):
        return False
    above, below = columns_of(page, upper), columns_of(page, lower)
    top, bottom = above[0].bottom, below[0].y
    left, right = above[0].x, above[-1].right
    pitch = (right - left) / len(above)
    if bottom - top > max(4 * above[0].h, 20.0):
        return False
    return not any(
        top < piece.box.center[1] < bottom
        and min(piece.box.right, right) - max(piece.box.x, left) > 0.8 * pitch
        for piece in page.pieces
    )


def _is_aligned(page: LevelPage, one: Row, other: Row) -> bool:
    boxes, others = columns_of(page, one), columns_of(page, other)
    return len(boxes) == len(others) and all(
        abs(a.center[0] - b.center[0]) <= _ALIGNED_SHARE * a.w
        for a, b in zip(boxes, others, strict=True)
    )


def _heads(page: LevelPage, matrix: Matrix) -> list[list[Piece]]:
    """Text above the columns, line by line upwards; below the last row if there is none above."""
    boxes = columns_of(page, matrix.rows[0])
    edges = _edges(boxes)
    columns: list[list[Piece]] = [[] for _box in boxes]
    end, is_first = min(box.y for box in boxes), True
    for line in _lines_above(page, boxes):
        middle = max(piece.box.bottom for piece in line)
        gap = _FIRST_HEAD_GAP_MM if is_first else _HEAD_GAP_LINES * page.line_mm
        places = [_column(piece, edges) for piece in line]
        if (
            end - middle > gap
            or None in places
            or _is_ruled_off(page, line, end, is_first=is_first)
        ):
            break
        for piece, place in zip(line, places, strict=True):
            if place is not None:
                columns[place].insert(0, piece)
        end, is_first = min(piece.box.y for piece in line), False
    return columns


def _edges(boxes: Sequence[Box]) -> list[float]:
    """Where a column ends and the next begins, from the left of the first on."""
    between = [(a.right + b.x) / 2 for a, b in pairwise(boxes)]
    first = boxes[0].center[0] - (between[0] - boxes[0].center[0])
    last = boxes[-1].center[0] + (boxes[-1].center[0] - between[-1])
    return [first, *between, last]


def _column(piece: Piece, edges: Sequence[float]) -> int | None:
    """In which column a piece stands; None where it reaches into another."""
    slack = 0.15 * (edges[1] - edges[0])
    for index, (left, right) in enumerate(pairwise(edges)):
        if left - slack <= piece.box.x and piece.box.right <= right + slack:
            return index
    return None


def _lines_above(page: LevelPage, boxes: Sequence[Box]) -> Iterator[list[Piece]]:
    """Pieces above some columns, a line at a time, upwards."""
    top = min(box.y for box in boxes)
    left, right = boxes[0].x, boxes[-1].right
    waiting = [
        piece
        for piece in page.pieces
        if piece.text
        and piece.box.center[1] < top
        and piece.box.right > left
        and piece.box.x < right
    ]
    line: list[Piece] = []
    for piece in sorted(waiting, key=lambda piece: -piece.box.bottom):
        if line and shared_height(line[0].box, piece.box) < 0.5 * min(line[0].box.h, piece.box.h):
            yield line
            line = []
        line.append(piece)
    if line:
        yield line


def _is_ruled_off(page: LevelPage, line: Sequence[Piece], end: float, *, is_first: bool) -> bool:
    """Whether a rule ends the head above; the rule right above the first row does not."""
    if is_first:
        return False
    box = line[0].box
    return page.rulings.parts_down(box, Box(box.x, end, box.w, box.h))


def _inherited(page: LevelPage, matrix: Matrix, matrices: Sequence[Matrix]) -> list[list[Piece]]:
    """The heads of a table's upper part, where a line across divides the table."""
    for other in matrices:
        if other is matrix:
            break
        if other.has_heads and _is_aligned(page, other.rows[0], matrix.rows[0]):
            return other.heads
    return matrix.heads


def _row_text(page: LevelPage, matrix: Matrix, row: Row, taken: set[Piece]) -> list[Piece]:
    """What stands beside a row, its number left out; on the left, else on the right."""
    boxes = columns_of(page, row)
    top, bottom = _reach(page, matrix, row)
    beside = [
        piece
        for piece in page.pieces
        if piece.text and piece not in taken and top <= piece.box.center[1] <= bottom
    ]
    left = [piece for piece in beside if piece.box.center[0] < boxes[0].x]
    right = [piece for piece in beside if piece.box.center[0] > boxes[-1].right]
    on_left = _in_frame(page, left, boxes[0])
    for found in (on_left, _in_frame(page, right, boxes[-1])):
        words = [piece for piece in found if not _BARE_NUMBER.match(piece.text)]
        if words:
            return words
    return on_left


def _in_frame(page: LevelPage, pieces: Sequence[Piece], box: Box) -> list[Piece]:
    """Pieces that belong to a row's table: what stands past a gap as wide as a column does not."""
    kept: list[Piece] = []
    edge = box
    for piece in sorted(pieces, key=lambda piece: _gap(piece.box, box)):
        if _gap(piece.box, edge) > 0.35 * page.width_mm:
            break
        kept.append(piece)
        edge = piece.box if _gap(piece.box, box) > _gap(edge, box) else edge
    return sorted(kept, key=lambda piece: (round(piece.box.center[1] / 2), piece.box.x))


def _gap(one: Box, other: Box) -> float:
    return max(one.x - other.right, other.x - one.right, 0.0)


def _reach(page: LevelPage, matrix: Matrix, row: Row) -> tuple[float, float]:
    """How far up and down the text of a row may stand: to its rules, else half-way to the next."""
    box = columns_of(page, row)[0]
    _left, above, _right, below = page.rulings.frame_of(box.grown(-0.3 * box.w, -0.3 * box.h))
    if above and below and below.y - above.y < 12 * box.h:
        return above.y, below.bottom
    index = matrix.rows.index(row)
    tops = [columns_of(page, other)[0].center[1] for other in matrix.rows]
    steps = [b - a for a, b in pairwise(tops)] or [2.2 * page.line_mm]
    up = steps[index - 1] if index else min(steps)
    down = steps[index] if index < len(steps) else min(steps)
    y = box.center[1]
    return y - up / 2, y + down / 2
