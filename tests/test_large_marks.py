"""Marks as large as the cell of a table, whose ends reach into rows and columns beside theirs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.trial import asked_contests
from scanner.ballot import MarkState, PageReading
from scanner.forms.catalog import DEFAULT_FOLDER, find_form
from scanner.forms.template import Form
from scanner.geometry import mm_to_px
from scanner.reading.interpret import Reader
from scanner.reading.pages import PageImage
from tests.world.sheets import printed_form

DPI = 200
Points = Sequence[tuple[float, float]]
CROSS: Sequence[Points] = [[(-0.5, -0.5), (0.5, 0.5)], [(0.5, -0.5), (-0.5, 0.5)]]
TICK: Sequence[Points] = [[(-0.5, 0.0), (-0.2, 0.5), (0.5, -0.5)]]
SMALL_TICK: Sequence[Points] = [[(-0.15, 0.0), (-0.05, 0.25), (0.15, -0.3)]]


@pytest.fixture(scope="module")
def table() -> Form:
    return find_form(Path(__file__).resolve().parents[1] / DEFAULT_FOLDER, "bao_lam_xa")


@pytest.fixture(scope="module")
def reader(table: Form) -> Reader:
    return Reader([table])


class Sheet:
    """A scan of the table to write on, and what the reader makes of it."""

    def __init__(self, form: Form, reader: Reader) -> None:
        self.form, self.reader = form, reader
        page = form.pages[0]
        self.gray = printed_form(form.blank_path(page), page.width_mm, DPI).copy()
        self.rows = [one for one in form.contests if one.options[0].shape == "cell"]

    def mark(
        self,
        at: tuple[int, int],
        size: tuple[float, float],
        off: tuple[float, float] = (0.0, 0.0),
        strokes: Sequence[Points] = CROSS,
        width_mm: float = 0.5,
    ) -> None:
        """Write into the cell of a row and a column; sizes and places in cells, from its middle."""
        box = self.rows[at[0]].options[at[1]].box
        x, y = box.center
        for stroke in strokes:
            line = [
                (x + (off[0] + a * size[0]) * box.w, y + (off[1] + b * size[1]) * box.h)
                for a, b in stroke
            ]
            points = np.rint(np.array(line) * mm_to_px(1.0, DPI)).astype(np.int32)
            thick = max(round(mm_to_px(width_mm, DPI)), 1)
            cv2.polylines(self.gray, [points], isClosed=False, color=50, thickness=thick)

    def read(self) -> tuple[dict[tuple[int, int], MarkState], set[int]]:
        """The states of the cells; and the rows that a person is asked about."""
        soft = np.asarray(cv2.GaussianBlur(self.gray, (0, 0), 0.7), np.uint8)
        result = self.reader.read(PageImage(soft, 1, (soft.shape[1], soft.shape[0]), ""))
        assert isinstance(result, PageReading)
        states = {target.target: target.state for target in result.targets}
        asked, _ = asked_contests(self.form, result)
        return {
            (row, column): states[f"{contest.id}/{option.id}"]
            for row, contest in enumerate(self.rows)
            for column, option in enumerate(contest.options)
        }, {row for row, contest in enumerate(self.rows) if contest.id in asked}


@pytest.mark.parametrize("width_mm", [0.4, 1.2])
@pytest.mark.parametrize("wide", [0.6, 1.0, 1.5])
@pytest.mark.parametrize("strokes", [CROSS, TICK])
def test_ends_of_large_marks_in_a_row_that_was_left_out_are_never_a_mark(
    table: Form, reader: Reader, strokes: Sequence[Points], wide: float, width_mm: float
) -> None:
    for across in (-0.2, 0.0, 0.2):
        sheet = Sheet(table, reader)
        sheet.mark((3, 2), (wide, 1.5), (across, 0.2), strokes, width_mm)
        sheet.mark((5, 2), (wide, 1.5), (-across, -0.2), strokes, width_mm)
        states, _ = sheet.read()
        assert MarkState.MARKED not in {states[4, column] for column in range(5)}


@pytest.mark.parametrize("strokes", [CROSS, TICK])
def test_the_end_of_a_flat_stroke_behind_a_ruled_line_is_never_a_mark(
    table: Form, reader: Reader, strokes: Sequence[Points]
) -> None:
    """A cross wider than high, as a voter fills a wide cell: 20° and less to the line."""
    for off in (0.1, 0.15, 0.2):
        sheet = Sheet(table, reader)
        sheet.mark((4, 2), (1.5, 1.0), (0.2, off), strokes)
        states, _ = sheet.read()
        marked = {at for at, state in states.items() if state is MarkState.MARKED}
        assert marked <= {(4, 2)}


@pytest.mark.parametrize("size", [1.0, 1.2])
@pytest.mark.parametrize("width_mm", [0.4, 0.8])
def test_a_column_of_crosses_that_fill_their_cells_is_read_or_asked_about(
    table: Form, reader: Reader, size: float, width_mm: float
) -> None:
    sheet = Sheet(table, reader)
    for row in (3, 4, 5, 6):
        sheet.mark((row, 2), (0.6 * size, size), width_mm=width_mm)
    states, asked = sheet.read()
    for (row, column), state in states.items():
        is_marked = column == 2 and row in (3, 4, 5, 6)
        assert (state is MarkState.MARKED) == is_marked or row in asked


@pytest.mark.parametrize("wide", [0.3, 0.6])
def test_crosses_as_high_as_their_cells_ask_nobody(
    table: Form, reader: Reader, wide: float
) -> None:
    sheet = Sheet(table, reader)
    for row, column in ((3, 2), (4, 3), (5, 1), (6, 3)):
        sheet.mark((row, column), (wide, 0.95))
    states, asked = sheet.read()
    marked = {at for at, state in states.items() if state is MarkState.MARKED}
    assert marked == {(3, 2), (4, 3), (5, 1), (6, 3)}
    assert not asked & {3, 4, 5, 6}


@pytest.mark.parametrize("wide", [0.5, 0.8])
def test_crosses_one_below_the_other_whose_tips_meet_at_the_line_ask_nobody(
    table: Form, reader: Reader, wide: float
) -> None:
    sheet = Sheet(table, reader)
    for row in (3, 4, 5, 6):
        sheet.mark((row, 2), (wide if row % 2 else 0.5, 0.9))
    states, asked = sheet.read()
    marked = {at for at, state in states.items() if state is MarkState.MARKED}
    assert marked == {(3, 2), (4, 2), (5, 2), (6, 2)}
    assert not asked & {3, 4, 5, 6}


@pytest.mark.parametrize("strokes", [CROSS, TICK])
@pytest.mark.parametrize("off", [0.4, 0.45, 0.5])
def test_a_mark_over_the_border_of_two_rows_is_asked_about(
    table: Form, reader: Reader, strokes: Sequence[Points], off: float
) -> None:
    sheet = Sheet(table, reader)
    sheet.mark((4, 2), (0.4, 0.8), (0.0, off), strokes)
    states, asked = sheet.read()
    assert MarkState.MARKED not in {states[4, 2], states[5, 2]} or asked & {4, 5}


def test_a_large_mark_is_not_lost_beside_larger_ones(table: Form, reader: Reader) -> None:
    for below in (0.0, 0.1):
        sheet = Sheet(table, reader)
        sheet.mark((3, 2), (0.9, 1.5), (0.0, 0.15), width_mm=1.0)
        sheet.mark((4, 2), (0.3, 0.5), (0.0, below), TICK)
        states, asked = sheet.read()
        assert states[4, 2] is MarkState.MARKED or 4 in asked


def test_a_line_down_a_column_is_asked_about_in_every_row(table: Form, reader: Reader) -> None:
    sheet = Sheet(table, reader)
    sheet.mark((4, 2), (0.2, 3.6), strokes=[[(-0.5, -0.5), (0.0, 0.1), (0.5, 0.5)]])
    states, asked = sheet.read()
    assert MarkState.MARKED not in states.values()
    assert {3, 4, 5} <= asked


@pytest.mark.parametrize(("tail", "width_mm"), [(0.7, 0.6), (0.7, 0.8), (0.76, 0.4)])
def test_the_tail_of_a_tick_in_a_row_that_was_left_out_asks_nobody(
    table: Form, reader: Reader, tail: float, width_mm: float
) -> None:
    sheet = Sheet(table, reader)
    tick = [[(-0.15, 0.1), (-0.05, 0.35), (0.15, -tail)]]
    for row in (3, 5, 6):
        strokes = tick if row == 5 else SMALL_TICK
        sheet.mark((row, 2), (1.0, 1.0), strokes=strokes, width_mm=width_mm)
    states, asked = sheet.read()
    marked = {at for at, state in states.items() if state is MarkState.MARKED}
    assert marked == {(3, 2), (5, 2), (6, 2)}
    assert not asked & {3, 4, 5, 6}


def test_a_tick_that_stands_on_its_foot_in_a_row_that_was_left_out_is_asked_about(
    table: Form, reader: Reader
) -> None:
    """Most of it lies in the row above: which of both is meant only a person can tell."""
    for foot in (0.62, 0.7):
        sheet = Sheet(table, reader)
        tick = [[(-0.2, 0.2), (-0.1, foot), (0.3, -0.45)]]
        sheet.mark((4, 2), (1.0, 1.0), strokes=tick, width_mm=0.8)
        _, asked = sheet.read()
        assert 5 in asked


@pytest.mark.parametrize("width_mm", [0.5, 0.8])
def test_a_tick_whose_pen_skipped_asks_nobody(table: Form, reader: Reader, width_mm: float) -> None:
    sheet = Sheet(table, reader)
    tick = [[(-0.45, 0.0), (-0.2, 0.35)], [(-0.13, 0.3), (0.47, -0.42)]]
    for row in (3, 5):
        sheet.mark((row, 2), (1.0, 1.0), strokes=tick, width_mm=width_mm)
    states, asked = sheet.read()
    marked = {at for at, state in states.items() if state is MarkState.MARKED}
    assert marked == {(3, 2), (5, 2)}
    assert not asked & {3, 5}


@pytest.mark.parametrize("width_mm", [0.6, 1.0])
@pytest.mark.parametrize(("wide", "high"), [(0.5, 0.95), (0.5, 1.05), (0.9, 1.0)])
def test_touching_crosses_one_below_the_other_with_their_middles_in_their_cells_ask_nobody(
    table: Form, reader: Reader, wide: float, high: float, width_mm: float
) -> None:
    sheet = Sheet(table, reader)
    for row in (3, 4, 5, 6):
        sheet.mark((row, 2), (wide, high), (0.0, 0.03 * (row % 2)), width_mm=width_mm)
    states, asked = sheet.read()
    marked = {at for at, state in states.items() if state is MarkState.MARKED}
    assert marked == {(3, 2), (4, 2), (5, 2), (6, 2)}
    assert not asked & {3, 4, 5, 6}


@pytest.mark.parametrize(
    "strokes",
    [
        [[(-0.1, 0.42), (0.1, 0.58)], [(0.1, 0.42), (-0.1, 0.58)]],
        [[(-0.3, 0.5), (0.3, 0.5)]],
        [[(-0.1, 0.6), (-0.1, 1.6), (0.1, 1.6), (0.1, 0.6), (-0.1, 0.6)]],
    ],
)
def test_ink_on_a_border_that_is_no_tail_of_a_mark_is_asked_about(
    table: Form, reader: Reader, strokes: Sequence[Points]
) -> None:
    """A small cross and a stroke on the line between two empty rows; a ring around a row's."""
    sheet = Sheet(table, reader)
    sheet.mark((4, 2), (1.0, 1.0), strokes=strokes, width_mm=0.8)
    states, asked = sheet.read()
    marked = {at for at, state in states.items() if state is MarkState.MARKED}
    assert asked & {4, 5} or marked == {(5, 2)}
