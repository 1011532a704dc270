"""What the page as a whole tells about a doubt settles it; what it does not tell is asked."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from scanner.ballot import MarkState, PageReading, TargetReading
from scanner.forms.catalog import DEFAULT_FOLDER, find_form
from scanner.forms.template import Form
from scanner.reading.interpret import Reader
from tests.synthetic import Gray, as_page, blank_page, draw_small_form, form_dpi, mark, scan_like

ROOT = Path(__file__).resolve().parents[1]
INK = 70


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> Form:
    return draw_small_form(tmp_path_factory.mktemp("forms"))


@pytest.fixture(scope="module")
def table() -> Form:
    return find_form(ROOT / DEFAULT_FOLDER, "bao_lam_xa")


def read(form: Form, page: Gray) -> dict[str, TargetReading]:
    reading = Reader([form]).read(as_page(scan_like(page)))
    assert isinstance(reading, PageReading)
    return {target.target: target for target in reading.targets}


def middle_of(form: Form, contest: str, option: str) -> tuple[float, float, float]:
    """The middle of a target and the pixels of a millimetre, on the picture of the form."""
    scale = form_dpi(form) / 25.4
    found = next(one for owner, one in form.targets() if (owner.id, one.id) == (contest, option))
    x, y = found.box.center
    return x * scale, y * scale, scale


def draw(page: Gray, points: list[tuple[float, float]], width: float, level: int = INK) -> None:
    ends = np.rint(np.array(points) * 16).astype(np.int32)
    cv2.polylines(page, [ends], False, level, max(round(width), 1), cv2.LINE_AA, 4)


def fold(page: Gray, y: float, level: float, slope: float = 0.0) -> None:
    for x in range(page.shape[1]):
        row = round(y + slope * (x - page.shape[1] / 2))
        page[row : row + 3, x] = (page[row : row + 3, x] * level).astype(np.uint8)


@pytest.mark.parametrize("slope", [-0.012, 0.0, 0.008])
@pytest.mark.parametrize("level", [0.9, 0.82])
def test_a_fold_through_boxes_asks_nobody(form: Form, slope: float, level: float) -> None:
    page = mark(form, {"q1": ["o1"], "q3": ["o2"]})
    _x, y, _scale = middle_of(form, "q2", "o2")
    fold(page, y, level, slope)
    found = {name: one.state for name, one in read(form, page).items() if name.startswith("q2")}
    assert set(found.values()) == {MarkState.UNMARKED}


@pytest.mark.parametrize("level", [0.9, 0.82])
def test_a_stroke_along_a_fold_is_not_lost_in_it(form: Form, level: float) -> None:
    page = blank_page(form)
    x, y, scale = middle_of(form, "q2", "o2")
    fold(page, y, level)
    draw(page, [(x - 1.8 * scale, y), (x + 1.8 * scale, y)], 0.5 * scale)
    assert read(form, page)["q2/o2"].state is not MarkState.UNMARKED


def test_a_line_drawn_across_the_page_is_no_fold(form: Form) -> None:
    page = blank_page(form)
    _x, y, scale = middle_of(form, "q2", "o2")
    draw(page, [(0, y), (page.shape[1], y)], 0.5 * scale)
    assert read(form, page)["q2/o2"].state is MarkState.DOUBTFUL


def tick(page: Gray, x: float, y: float, scale: float, reach_mm: tuple[float, float]) -> None:
    dx, dy = reach_mm
    points = [(x - 2.2 * scale, y - 1.2 * scale), (x - 0.8 * scale, y + 0.4 * scale)]
    draw(page, [*points, (x + dx * scale, y - dy * scale)], 0.45 * scale)


def rows(table: Form) -> tuple[str, str]:
    """Two questions of a table, one below the other."""
    cells = [one for one in table.contests if one.options[0].shape == "cell"]
    return cells[2].id, cells[3].id


def test_the_tail_of_a_tick_in_the_next_cell_asks_nobody(table: Form) -> None:
    upper, lower = rows(table)
    option = table.contest(lower)
    assert option is not None
    name = option.options[2].id
    page = blank_page(table)
    x, y, scale = middle_of(table, lower, name)
    height = option.options[2].box.h
    tick(page, x, y, scale, (3.0, height * 0.5 + 2.4))
    found = read(table, page)
    assert found[f"{lower}/{name}"].state is MarkState.MARKED
    assert found[f"{upper}/{name}"].state is MarkState.UNMARKED


@pytest.mark.parametrize("bend", [0.0, 0.8, -0.8])
def test_a_long_tail_is_no_mark_in_a_row_that_was_left_out(table: Form, bend: float) -> None:
    upper, lower = rows(table)
    contest = table.contest(lower)
    assert contest is not None
    name = contest.options[2].id
    page = blank_page(table)
    x, y, scale = middle_of(table, lower, name)
    top = contest.options[2].box.h * 0.5 + 5.0
    points = [(-2.2, -1.0), (-0.8, 0.8), (0.9 + bend, -top / 2), (1.6, -top)]
    draw(page, [(x + a * scale, y + b * scale) for a, b in points], 0.6 * scale)
    found = read(table, page)
    assert found[f"{lower}/{name}"].state is not MarkState.UNMARKED
    assert found[f"{upper}/{name}"].state is not MarkState.MARKED


@pytest.mark.parametrize("lower_half", [0.52, 0.4])
def test_crosses_in_two_cells_that_touch_are_two_marks(table: Form, lower_half: float) -> None:
    upper, lower = rows(table)
    contest = table.contest(lower)
    assert contest is not None
    name = contest.options[2].id
    page = blank_page(table)
    for question, share in ((upper, 0.62), (lower, lower_half)):
        x, y, scale = middle_of(table, question, name)
        half = contest.options[2].box.h * share * scale
        draw(page, [(x - 2 * scale, y - half), (x + 2 * scale, y + half)], 0.45 * scale)
        draw(page, [(x + 2 * scale, y - half), (x - 2 * scale, y + half)], 0.45 * scale)
    found = read(table, page)
    states = [found[f"{question}/{name}"].state for question in (upper, lower)]
    assert states == [MarkState.MARKED] * 2


def shade(page: Gray, x: float, y: float, scale: float, level: float) -> None:
    grey = np.zeros(page.shape, np.float32)
    side = round(1.6 * scale)
    grey[round(y) - side : round(y) + side, round(x) - side : round(x) + side] = level
    soft = cv2.GaussianBlur(grey, (0, 0), 0.5 * scale)
    page[:] = np.clip(page - soft * (page / 255.0), 0, 255).astype(np.uint8)


def test_grey_from_the_other_side_asks_nobody_where_the_question_is_answered(form: Form) -> None:
    page = mark(form, {"q1": ["o2"], "q2": ["o1"], "q3": ["o1"]})
    shade(page, *middle_of(form, "q2", "o3"), level=12)
    found = read(form, page)
    assert found["q2/o3"].measures.inside == 0
    assert found["q2/o3"].state is MarkState.UNMARKED
    assert found["q2/o1"].state is MarkState.MARKED


def test_the_same_grey_on_a_page_without_marks_of_ink_is_asked_about(form: Form) -> None:
    page = blank_page(form)
    shade(page, *middle_of(form, "q2", "o3"), level=12)
    assert read(form, page)["q2/o3"].state is MarkState.DOUBTFUL


def test_a_fine_pen_makes_a_mark_as_a_broad_one_does(form: Form) -> None:
    page = blank_page(form)
    x, y, scale = middle_of(form, "q2", "o2")
    points = [(-1.0, 0.4), (-0.6, 1.0), (0.7, -0.1)]
    draw(page, [(x + a * scale, y + b * scale) for a, b in points], 0.2 * scale, 40)
    found = read(form, page)["q2/o2"]
    assert found.measures.inside < 0.14
    assert found.state is MarkState.MARKED


@pytest.mark.parametrize("length_mm", [0.3, 0.8])
def test_a_touch_of_a_fine_pen_is_asked_about_or_no_mark(form: Form, length_mm: float) -> None:
    page = blank_page(form)
    x, y, scale = middle_of(form, "q2", "o2")
    draw(page, [(x, y), (x + length_mm * scale, y)], 0.28 * scale, 60)
    assert read(form, page)["q2/o2"].state is not MarkState.MARKED


def test_a_weak_mark_amid_much_ink_is_asked_about(form: Form) -> None:
    page = mark(form, {"q1": ["o1"]})
    x, y, scale = middle_of(form, "q2", "o2")
    draw(page, [(x + 0.4 * scale, y - 1.5 * scale), (x + 0.4 * scale, y + 1.5 * scale)], 1)
    draw(page, [(x + 3 * scale, y + 3 * scale), (x + 20 * scale, y + 3 * scale)], 3)
    found = read(form, page)["q2/o2"]
    assert found.measures.label_mm >= 8
    assert found.state is MarkState.DOUBTFUL


def test_pale_marks_of_one_pen_are_marks(form: Form) -> None:
    page = blank_page(form)
    for question in ("q1", "q2", "q3", "q4"):
        x, y, scale = middle_of(form, question, "o2")
        for points in ([(-1.4, -1.4), (1.4, 1.4)], [(1.4, -1.4), (-1.4, 1.4)]):
            draw(page, [(x + a * scale, y + b * scale) for a, b in points], 0.5 * scale, 150)
    states = [read(form, page)[f"{question}/o2"].state for question in ("q1", "q2", "q3", "q4")]
    assert states == [MarkState.MARKED] * 4
