"""Ink that was not made for a target is never silently its mark."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from scanner.ballot import ContestState, MarkState, Reason
from scanner.forms.catalog import DEFAULT_FOLDER, find_form
from scanner.forms.pen import MarkKind, MarkStyle, Pen
from scanner.forms.template import Contest, Rule
from scanner.reading.blank import BlankPage
from scanner.reading.decide import decide_contest
from scanner.reading.stray import find_streaks
from tests.synthetic import (
    Gray,
    blank_of,
    blank_page,
    draw_small_form,
    form_dpi,
    mark,
    scan_like,
    target_box_px,
)
from tests.synthetic import (
    read_targets as read,
)

ROOT = Path(__file__).parents[1]
TARGET = "q2/o2"


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> BlankPage:
    return blank_of(draw_small_form(tmp_path_factory.mktemp("forms")))


def page_and_middle(blank: BlankPage) -> tuple[Gray, tuple[int, int], float]:
    """A clean page, the middle of a target on it, and its pixels in a millimetre."""
    page = blank_page(blank.form)
    box = target_box_px(blank.form, *TARGET.split("/"))
    return page, (round(box.x + box.w / 2), round(box.y + box.h / 2)), 150 / 25.4


def darken(page: Gray, stroke: Gray) -> Gray:
    return np.minimum(page, stroke)


@pytest.mark.parametrize("level", [150, 190, 215])
@pytest.mark.parametrize("lines", [1, 2])
def test_a_streak_of_the_scanner_is_no_mark_in_any_box_it_runs_through(
    blank: BlankPage, level: int, lines: int
) -> None:
    _page, (x, _y), scale = page_and_middle(blank)
    scan = scan_like(mark(blank.form, {"q1": ["o1"], "q4": ["o3"]}))
    for number in range(lines):
        at = x + round(number * scale)
        scan[:, at : at + 2] = np.minimum(scan[:, at : at + 2], level)
    targets = read(blank, scan)
    for name, reading in targets.items():
        if name in ("q1/o1", "q4/o3"):
            assert reading.state is MarkState.MARKED
        else:
            assert reading.state is not MarkState.MARKED
    # It is taken off, so the boxes under it need nobody.
    assert sum(one.state is MarkState.DOUBTFUL for one in targets.values()) <= 1


@pytest.mark.parametrize("by_px", [-5, 5])
def test_a_streak_is_taken_off_where_it_is_though_the_box_lies_a_little_off(
    blank: BlankPage, by_px: int
) -> None:
    page, (x, y), scale = page_and_middle(blank)
    around = round(4.2 * scale)
    piece = page[y - around // 2 : y + around // 2, x - around : x + around].copy()
    page[y - around // 2 : y + around // 2, x - around + by_px : x + around + by_px] = piece
    page[:, x : x + 2] = np.minimum(page[:, x : x + 2], 160)
    reading = read(blank, page)[TARGET]
    assert reading.measures.residual_mm > 0.5
    assert reading.measures.inside == 0.0


def test_a_faint_line_that_ends_in_a_cell_is_asked_about_unlike_a_fold() -> None:
    form = find_form(ROOT / DEFAULT_FOLDER, "bao_lam_xa")
    cells = [one for one in form.contests if one.options[0].shape == "cell"][2]
    box, page = cells.options[2].box, blank_page(form)
    scale = form_dpi(form) / 25.4
    start = round((box.x + box.w * 0.15) * scale), round((box.y + box.h * 0.5) * scale)
    end = round((box.right + 4) * scale), round((box.y + box.h * 0.6) * scale)
    line = cv2.line(np.full_like(page, 255), start, end, 214, 4, cv2.LINE_AA)
    reading = read(blank_of(form), scan_like(np.minimum(page, line)))
    assert reading[f"{cells.id}/{cells.options[2].id}"].state is not MarkState.UNMARKED


def test_a_line_that_comes_in_beside_a_box_and_ends_at_its_label_goes_to_a_person() -> None:
    """It may go on behind the words, as a stamp's border does; a dash that ends in the open is one
    voter's mark."""
    form = find_form(ROOT / DEFAULT_FOLDER, "bao_lam_huyen")
    blank, page, scale = blank_of(form), blank_page(form), form_dpi(form) / 25.4
    box = next(o.box for c, o in blank.targets if (c.id, o.id) == ("linh_vuc", "o6"))
    for left_mm, right_mm, state in ((5, 1.6, MarkState.DOUBTFUL), (0.8, 0.8, MarkState.MARKED)):
        y = round((box.y + 0.35 * box.h) * scale)
        ends = [round(x * scale) for x in (box.x - left_mm, box.right + right_mm)]
        line = cv2.line(np.full_like(page, 255), (ends[0], y), (ends[1], y), 40, 7, cv2.LINE_AA)
        assert read(blank, scan_like(np.minimum(page, line)))["linh_vuc/o6"].state is state


def test_a_cross_under_a_streak_is_still_a_mark(blank: BlankPage) -> None:
    _page, (x, _y), _scale = page_and_middle(blank)
    scan = scan_like(mark(blank.form, {"q2": ["o2"]}))
    scan[:, x : x + 2] = np.minimum(scan[:, x : x + 2], 160)
    assert read(blank, scan)[TARGET].state is MarkState.MARKED


def test_print_is_no_streak(blank: BlankPage) -> None:
    assert find_streaks(blank.half) is None


@pytest.mark.parametrize("level", [60, 110, 160])
def test_letters_of_a_stamp_over_a_box_go_to_a_person(blank: BlankPage, level: int) -> None:
    page, (x, y), scale = page_and_middle(blank)
    stamp = np.full_like(page, 255)
    font = cv2.FONT_HERSHEY_SIMPLEX
    for row, text in enumerate(("DA TIEP NHAN", "Ngay 14 / 9 /", "SO: 0123/TN")):
        at = (x - round(14 * scale), y + round((4.2 * row - 2.4) * scale))
        cv2.putText(stamp, text, at, font, 0.13 * scale, level, 2, cv2.LINE_AA)
    targets = read(blank, scan_like(darken(page, stamp)))
    assert all(one.state is not MarkState.MARKED for one in targets.values())


@pytest.mark.parametrize("level", [90, 130, 180])
def test_the_ring_of_a_seal_through_a_box_goes_to_a_person(blank: BlankPage, level: int) -> None:
    page, (x, y), scale = page_and_middle(blank)
    seal = np.full_like(page, 255)
    for radius in (17.5, 16.0):
        middle = x - round(16.8 * scale), y
        cv2.circle(seal, middle, round(radius * scale), level, round(0.35 * scale), cv2.LINE_AA)
    targets = read(blank, scan_like(darken(page, seal)))
    assert all(one.state is not MarkState.MARKED for one in targets.values())


def test_a_fold_along_a_row_of_a_table_asks_nobody_about_its_empty_cells() -> None:
    form = find_form(ROOT / DEFAULT_FOLDER, "bao_lam_xa")
    cells = [one for one in form.contests if one.options[0].shape == "cell"][2]
    box, page = cells.options[0].box, blank_page(form)
    y = round((box.y + box.h * 0.55) * form_dpi(form) / 25.4)
    page[y : y + 3] = (page[y : y + 3] * 0.86).astype(np.uint8)
    targets = read(blank_of(form), scan_like(page))
    row = [targets[f"{cells.id}/{option.id}"] for option in cells.options]
    assert [one.state for one in row] == [MarkState.UNMARKED] * 5


def test_a_corner_in_deep_shadow_goes_to_a_person(blank: BlankPage) -> None:
    scan = scan_like(mark(blank.form, {"q6": ["o3"]})).astype(float)
    height, width = scan.shape
    down, across = np.mgrid[0:height, 0:width]
    far = np.hypot(down / height, across / width)
    dark = 0.25 + 0.75 / (1 + np.exp(-(far - 0.35) * 14))
    targets = read(blank, (scan * dark).astype(np.uint8))
    wrong = [name for name, one in targets.items() if one.state is MarkState.MARKED]
    assert set(wrong) <= {"q6/o3"}


def test_specks_are_never_a_mark_without_a_person(blank: BlankPage) -> None:
    page, (x, y), scale = page_and_middle(blank)
    for dx, dy in ((-1.2, 0.8), (-0.9, -0.9), (1.1, -0.6), (0.3, 1.1)):
        at = round(x + dx * scale), round(y + dy * scale)
        cv2.circle(page, at, 1, 40, -1, cv2.LINE_AA)
    assert read(blank, scan_like(page))[TARGET].state is not MarkState.MARKED


@pytest.mark.parametrize("pen", [Pen.BALLPOINT, Pen.GEL])
def test_the_long_tail_of_a_tick_raises_no_doubt_about_it(blank: BlankPage, pen: Pen) -> None:
    states = []
    for seed in range(4):
        style = MarkStyle(MarkKind.TICK, pen, reach=0.5)
        scan = scan_like(mark(blank.form, {"q2": ["o2"]}, style=style, seed=seed), seed=seed)
        states.append(read(blank, scan)[TARGET].state is MarkState.MARKED)
    assert np.mean(states) >= 0.75


def test_a_mark_on_an_outline_is_asked_about_as_one_more_or_one_too_many(blank: BlankPage) -> None:
    page = mark(blank.form, {"q2": ["o1"]})
    _clean, (x, y), scale = page_and_middle(blank)
    corner = x - round(2.7 * scale), y + round(2.5 * scale)
    for way in (-1, 1):
        start = corner[0] - round(scale), corner[1] - way * round(scale)
        end = corner[0] + round(scale), corner[1] + way * round(scale)
        cv2.line(page, start, end, 40, 2, cv2.LINE_AA)
    targets = read(blank, scan_like(page))
    question = blank.form.contest("q2")
    assert question is not None
    several = Contest(id="q2", max=2, options=question.options)
    mine = [one for one in targets.values() if one.contest == "q2"]
    for contest in (several, question):
        asked = decide_contest(contest, mine, Rule())
        assert asked.state is ContestState.IN_DOUBT
        assert {Reason.MARK_BESIDE_BOX, Reason.UNCLEAR_MARK} & set(asked.reasons)


def test_where_streaks_hide_a_box_no_mark_is_lost_with_them(blank: BlankPage) -> None:
    _page, (_x, y), scale = page_and_middle(blank)
    scan = scan_like(mark(blank.form, {"q2": ["o2"]}))
    for row in range(y - round(4 * scale), y + round(4 * scale), 5):
        scan[row : row + 3] = (scan[row : row + 3] * 0.8).astype(np.uint8)
    reading = read(blank, scan)[TARGET]
    assert reading.state is not MarkState.UNMARKED


def test_a_ruled_page_that_shows_through_is_no_lot_of_streaks(blank: BlankPage) -> None:
    scan = scan_like(mark(blank.form, {"q2": ["o2"]}))
    for row in range(20, scan.shape[0] - 20, 30):
        scan[row : row + 3] = np.minimum(scan[row : row + 3], 205)
    assert find_streaks(np.ascontiguousarray(scan[::2, ::2])) is None
