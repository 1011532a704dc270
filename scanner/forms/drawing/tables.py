"""A matrix as a ruled table: a row each question, a column each answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scanner.errors import FormError
from scanner.forms.drawing.asking import draw_heading
from scanner.forms.drawing.design import BOX_MM, RULE_MM, Design
from scanner.forms.drawing.pieces import Item, Piece, Run, Stroke, Table, Target, stack
from scanner.forms.drawing.typography import centered, needs_breaking, wrap
from scanner.forms.fonts import Face
from scanner.forms.questions import Matrix, Row, Step
from scanner.messages import gettext as _

_PAD_MM = 1.4
_HEAD_PAD_MM = 1.1
_LEAST_ROW_MM = 8.6
_COUNT_MM = 8.5
_NARROWEST_MM, _WIDEST_MM, _STEP_MM = 14.0, 26.0, 0.25
_CELLS_SHARE = 0.5
"""Share of the width that the answers take where their labels can be divided so."""
_LEAST_STATEMENT_MM = 30.0
_HEAD_SHARE = 0.92
"""Size of the type of a table's head against the text."""
_MIDDLE = 0.36
"""A base line lies this share of the type's size below the middle of its letters."""
_MM_PER_PT = 25.4 / 72
_SPACE_BELOW_MM = 3.0


@dataclass(frozen=True, slots=True)
class _Grid:
    """The x of every vertical rule: around the count if there is one, the text, the answers."""

    rules: tuple[float, ...]
    has_count: bool

    @property
    def text(self) -> tuple[float, float]:
        """Left and right rule of the questions' column."""
        return self.rules[int(self.has_count)], self.rules[int(self.has_count) + 1]

    @property
    def cells(self) -> Iterator[tuple[float, float]]:
        """Left and right rule of each answer's column."""
        first = int(self.has_count) + 1
        return zip(self.rules[first:], self.rules[first + 1 :], strict=False)


def draw_matrix(matrix: Matrix, design: Design) -> Piece:
    """The text above the table, its head and its rows.

    Raises:
        FormError: The answers are too many or too long for the width of the page.
    """
    grid = _make_grid(matrix, design)
    caption = _caption(matrix, design)
    head = _head(matrix, grid, design)
    rows = tuple(
        _row(matrix, row, number, grid, design) for number, row in enumerate(matrix.rows, start=1)
    )
    space = Piece(_SPACE_BELOW_MM)
    table = Table(caption, head, rows)
    return stack((caption, head, *rows, space), name=matrix.name, table=table)


def _caption(matrix: Matrix, design: Design) -> Piece:
    heading, _end = draw_heading(matrix, design, design.column_mm)
    if not heading:
        return Piece(RULE_MM)
    first = 4.4 * design.scale
    runs = (Run(run.x, first + run.y, run.text, run.face, run.size_pt) for run in heading)
    return Piece(heading[-1].y + design.line_mm + 1.6, tuple(runs))


def _make_grid(matrix: Matrix, design: Design) -> _Grid:
    cell = _cell_width(matrix, design)
    count = _COUNT_MM * max(design.scale, 1.0) if matrix.numbered else 0.0
    end = design.column_mm
    start = end - len(matrix.scale) * cell
    if start - count < _LEAST_STATEMENT_MM:
        raise FormError(
            _("The table {name!r} is too wide for its page.").format(name=matrix.name),
            remedy=_("Give it fewer or shorter answers, or a larger paper."),
        )
    cells = [start + number * cell for number in range(len(matrix.scale))]
    before = [0.0, count] if matrix.numbered else [0.0]
    # Rounded as positions are registered, so that neighbours share one line exactly.
    return _Grid(tuple(round(x, 3) for x in (*before, *cells, end)), matrix.numbered)


def _cell_width(matrix: Matrix, design: Design) -> float:
    """The narrowest column for labels of two lines; of three where that would be too wide."""
    two = _narrowest(matrix, design, 2)
    if two * len(matrix.scale) <= design.column_mm * _CELLS_SHARE:
        return two
    return _narrowest(matrix, design, 3)


def _narrowest(matrix: Matrix, design: Design, most_lines: int) -> float:
    width = _NARROWEST_MM
    while width < _WIDEST_MM and not _labels_fit(matrix, design, width, most_lines):
        width += _STEP_MM
    return width


def _labels_fit(matrix: Matrix, design: Design, width: float, most_lines: int) -> bool:
    size_pt, room = design.text_pt * _HEAD_SHARE, width - 2 * _HEAD_PAD_MM
    return not any(
        needs_breaking(step.label, Face.BOLD, size_pt, room)
        or len(wrap(step.label, Face.BOLD, size_pt, room)) > most_lines
        for step in matrix.scale
    )


def _head(matrix: Matrix, grid: _Grid, design: Design) -> Piece:
    size_pt = design.text_pt * _HEAD_SHARE
    row_head = matrix.row_head or design.words.row_head
    columns = [(grid.text, row_head)]
    columns += [(cell, step.label) for cell, step in zip(grid.cells, matrix.scale, strict=True)]
    if grid.has_count:
        columns.insert(0, ((grid.rules[0], grid.rules[1]), design.words.count_head))
    broken = [
        (left, right, wrap(text, Face.BOLD, size_pt, right - left - 2 * _HEAD_PAD_MM))
        for (left, right), text in columns
    ]
    line_mm = design.line_mm * _HEAD_SHARE
    height = max(len(lines) for _left, _right, lines in broken) * line_mm + 2 * _PAD_MM
    items: list[Item] = []
    for left, right, lines in broken:
        middle = (left + right) / 2
        for base, line in _base_lines(lines, height, line_mm, size_pt):
            items.append(centered(middle, base, line, Face.BOLD, size_pt))
    top = _across(grid, 0.0)
    return Piece(round(height, 3), (top, *items, *_frame(grid, round(height, 3))))


def _row(matrix: Matrix, row: Row, number: int, grid: _Grid, design: Design) -> Piece:
    left, right = grid.text
    size_pt = design.text_pt
    lines = wrap(row.text, Face.PLAIN, size_pt, right - left - 2 * _PAD_MM)
    height = max(_LEAST_ROW_MM, len(lines) * design.line_mm + 2 * _PAD_MM)
    height = round(height, 3)
    items: list[Item] = []
    for base, line in _base_lines(lines, height, design.line_mm, size_pt):
        items.append(Run(left + _PAD_MM, base, line, Face.PLAIN, size_pt))
    if grid.has_count:
        ((base, text),) = _base_lines([str(number)], height, design.line_mm, size_pt)
        items.append(centered(sum(grid.rules[:2]) / 2, base, text, Face.PLAIN, size_pt))
    for cell, step in zip(grid.cells, matrix.scale, strict=True):
        items.append(_target(matrix, row, step, cell, height))
    return Piece(height, (*items, *_frame(grid, height)), name=row.text)


def _target(
    matrix: Matrix, row: Row, step: Step, cell: tuple[float, float], height: float
) -> Target:
    left, right = cell
    if matrix.marks == "cell":
        return Target(left, 0.0, right - left, height, "cell", row.id, step.id, step.label)
    x, y = (left + right - BOX_MM) / 2, (height - BOX_MM) / 2
    return Target(x, y, BOX_MM, BOX_MM, "box", row.id, step.id, step.label)


def _base_lines(
    lines: list[str], height: float, line_mm: float, size_pt: float
) -> Iterator[tuple[float, str]]:
    """Lines with their base lines, together in the middle of a height."""
    first = height / 2 - (len(lines) - 1) * line_mm / 2 + size_pt * _MM_PER_PT * _MIDDLE
    for number, line in enumerate(lines):
        yield first + number * line_mm, line


def _frame(grid: _Grid, height: float) -> Iterator[Stroke]:
    """The vertical rules of a row and the one below it."""
    for x in grid.rules:
        yield Stroke(x, 0.0, 0.0, height)
    yield _across(grid, height)


def _across(grid: _Grid, y: float) -> Stroke:
    # Half a rule longer on both sides, so that the corners are closed.
    start = grid.rules[0] - RULE_MM / 2
    return Stroke(start, y, grid.rules[-1] + RULE_MM / 2 - start)
