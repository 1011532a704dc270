"""Ink is counted at the place it lies in, and print is compared at the place it belongs to."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from scanner.ballot import TargetMeasures
from scanner.forms.template import Contest, Form, Option, Page
from scanner.geometry import Box
from scanner.reading.blank import BlankPage
from scanner.reading.decide import probability_of_mark
from scanner.reading.marks import find_tone, measure_marks
from tests.synthetic import Gray, align, blank_of, draw_small_form, target_box_px, write_image

PX_PER_MM = 150 / 25.4
ALIKE = 0.72
Measured = dict[str, TargetMeasures]


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> BlankPage:
    return blank_of(draw_small_form(tmp_path_factory.mktemp("forms")))


def measure(blank: BlankPage, page: Gray) -> Measured:
    aligned = align(blank, page)
    measured = measure_marks(aligned, find_tone(aligned))
    names = [f"{contest.id}/{option.id}" for contest, option in blank.targets]
    return dict(zip(names, measured.targets, strict=True))


def box_of(blank: BlankPage, target: str) -> Box:
    return target_box_px(blank.form, *target.split("/"))


def ink(page: Gray, x: float, y: float, w: float, h: float) -> None:
    page[round(y) : round(y + h), round(x) : round(x + w)] = 30


def erase(page: Gray, x: float, y: float, w: float, h: float) -> None:
    page[round(y) : round(y + h), round(x) : round(x + w)] = 255


def test_an_empty_form_has_no_ink_and_all_its_print(blank: BlankPage) -> None:
    for target, measured in measure(blank, blank.read_original()).items():
        assert measured.inside < 0.005, target
        assert measured.outline < 0.02, target
        assert measured.outside < 0.005, target
        assert measured.label_mm < 0.5, target
        assert measured.residual_mm < 0.5, target
        assert measured.print_match > 0.9, target


def test_ink_inside_a_box_counts_inside_it_and_nowhere_else(blank: BlankPage) -> None:
    page = blank.read_original().copy()
    box = box_of(blank, "q2/o2")
    ink(page, box.x + 8, box.y + 8, box.w - 16, box.h - 16)
    for target, measured in measure(blank, page).items():
        if target == "q2/o2":
            assert 0.15 < measured.inside < 0.7
            assert measured.weight == pytest.approx(measured.inside, abs=0.12)
            assert measured.extent_mm == pytest.approx((box.w - 16) / PX_PER_MM, abs=0.5)
            assert measured.outside < 0.005
        else:
            assert measured.inside < 0.005, target
            assert measured.extent_mm == 0.0, target


def test_ink_beside_a_box_counts_outside_it_and_at_no_other_box(blank: BlankPage) -> None:
    page = blank.read_original().copy()
    box = box_of(blank, "q2/o1")
    ink(page, box.x - 11, box.y - 3, 6, box.h)
    for target, measured in measure(blank, page).items():
        assert measured.inside < 0.005, target
        if target == "q2/o1":
            assert measured.outside > 0.08
        else:
            assert measured.outside < 0.03, target


def test_a_thick_outline_counts_neither_inside_nor_outside(blank: BlankPage) -> None:
    page = blank.read_original().copy()
    box = box_of(blank, "q1/o2")
    corner, other = (round(box.x), round(box.y)), (round(box.right), round(box.bottom))
    cv2.rectangle(page, corner, other, 0, 3)
    measured = measure(blank, page)["q1/o2"]
    assert measured.inside < 0.06
    assert measured.outside < 0.03


def test_ink_around_a_label_counts_there_and_at_no_other_contest(blank: BlankPage) -> None:
    page = blank.read_original().copy()
    box = box_of(blank, "q3/o2")
    middle = (round(box.right + 60), round(box.y + box.h / 2))
    cv2.ellipse(page, middle, (62, 12), 0, 0, 360, 40, 3, cv2.LINE_AA)
    for target, measured in measure(blank, page).items():
        if target == "q3/o2":
            assert measured.label_mm > 5
        elif not target.startswith("q3/"):
            assert measured.label_mm < 1.0, target


def test_other_print_beside_one_box_is_noticed_there_and_only_there(blank: BlankPage) -> None:
    page = blank.read_original().copy()
    box = box_of(blank, "q5/o3")
    erase(page, box.right + 4, box.y - 4, 250, box.h + 8)
    font = cv2.FONT_HERSHEY_COMPLEX
    cv2.putText(page, "Zigzag Ufo", (round(box.right + 15), round(box.bottom - 5)), font, 0.65, 0)
    for target, measured in measure(blank, page).items():
        if target == "q5/o3":
            assert measured.print_match < ALIKE
        else:
            assert measured.print_match > ALIKE, target


def test_another_question_above_a_contest_is_noticed_at_all_its_options(
    blank: BlankPage, tmp_path: Path
) -> None:
    page = blank.read_original().copy()
    box = box_of(blank, "q4/o1")
    erase(page, box.x - 22, box.y - 80, 330, 74)
    font = cv2.FONT_HERSHEY_COMPLEX
    at = round(box.x - 18), round(box.y - 50)
    cv2.putText(page, "4. Who pays for all", at, font, 0.7, 0, 1, cv2.LINE_AA)
    cv2.putText(page, "Be frank and fair", (at[0], at[1] + 26), font, 0.6, 0, 1, cv2.LINE_AA)
    for target, measured in measure(blank, page).items():
        if target.startswith("q4/"):
            assert measured.print_match < ALIKE, target
        else:
            assert measured.print_match > ALIKE, target


def test_a_box_that_is_not_printed_there_is_noticed(blank: BlankPage) -> None:
    page = blank.read_original().copy()
    box = box_of(blank, "q6/o2")
    erase(page, box.x - 4, box.y - 4, box.w + 8, box.h + 8)
    assert measure(blank, page)["q6/o2"].print_match < ALIKE


def test_a_box_that_moved_by_a_millimetre_says_how_far(blank: BlankPage) -> None:
    """So that a person is asked where the page lies other than the alignment believes."""
    page = blank.read_original().copy()
    box = box_of(blank, "q1/o1")
    x0, y0, x1, y1 = (round(v) for v in (box.x - 3, box.y - 3, box.right + 3, box.bottom + 3))
    piece = page[y0:y1, x0:x1].copy()
    erase(page, x0, y0, x1 - x0, y1 - y0)
    page[y0 + 6 : y1 + 6, x0:x1] = piece
    measured = measure(blank, page)
    assert 0.9 < measured["q1/o1"].residual_mm < 2.0
    assert measured["q1/o3"].residual_mm < 0.5


# A table: the question left of a row of cells, column heads above; no label beside a box.


def table_form(folder: Path, *, shape: str = "box", letters: bool = False) -> BlankPage:
    """Five questions in rows, each with three targets side by side."""
    image = np.full((1240, 874), 255, np.uint8)
    font = cv2.FONT_HERSHEY_COMPLEX
    cv2.putText(image, "HOW WAS THE COUNTER?", (60, 80), font, 0.9, 0, 2, cv2.LINE_AA)
    for column, head in enumerate(("Poor", "Fair", "Good")):
        cv2.putText(image, head, (500 + 110 * column, 150), font, 0.6, 0, 1, cv2.LINE_AA)
    rows = ("Waiting time", "Clear forms", "Kind clerks", "Low price", "Opening hours")
    contests = []
    for row, text in enumerate(rows):
        y = 200 + 80 * row
        cv2.putText(image, f"{row + 1}. {text}", (70, y + 22), font, 0.75, 0, 1, cv2.LINE_AA)
        options = []
        for column in range(3):
            x = 510 + 110 * column
            _draw_target(image, x, y, shape, "ABC"[column] if letters else "")
            options.append(
                Option.model_validate(
                    {
                        "id": f"o{column + 1}",
                        "shape": shape,
                        "x": x / PX_PER_MM,
                        "y": y / PX_PER_MM,
                        "w": 30 / PX_PER_MM,
                        "h": 30 / PX_PER_MM,
                    }
                )
            )
        contests.append(Contest(id=f"q{row + 1}", options=tuple(options)))
    cv2.putText(image, "Thank you very much indeed", (60, 1180), font, 0.7, 0, 1, cv2.LINE_AA)
    folder.mkdir(parents=True, exist_ok=True)
    write_image(folder / "page-1.png", image)
    page = Page(number=1, blank="page-1.png", width_mm=148, height_mm=210)
    form = Form(id="table", pages=(page,), contests=tuple(contests))
    form._folder = folder
    return blank_of(form)


def _draw_target(image: Gray, x: int, y: int, shape: str, letter: str) -> None:
    if shape == "box":
        cv2.rectangle(image, (x, y), (x + 29, y + 29), 0, 2)
    else:
        cv2.ellipse(image, (x + 15, y + 15), (14, 14), 0, 0, 360, 0, 2, cv2.LINE_AA)
    if letter:
        font = cv2.FONT_HERSHEY_COMPLEX
        cv2.putText(image, letter, (x + 8, y + 22), font, 0.6, 90, 1, cv2.LINE_AA)


@pytest.mark.parametrize("shape", ["box", "oval"])
@pytest.mark.parametrize("letters", [False, True], ids=["empty", "with-letters"])
def test_the_cells_of_a_table_are_measured_each_on_its_own(
    tmp_path: Path, shape: str, letters: bool
) -> None:
    blank = table_form(tmp_path, shape=shape, letters=letters)
    page = blank.read_original().copy()
    box = box_of(blank, "q3/o2")
    for start, end in (((5, 5), (25, 25)), ((25, 5), (5, 25))):
        a = round(box.x) + start[0], round(box.y) + start[1]
        cv2.line(page, a, (round(box.x) + end[0], round(box.y) + end[1]), 30, 3, cv2.LINE_AA)
    for target, measured in measure(blank, page).items():
        if target == "q3/o2":
            assert measured.inside > (0.1 if letters else 0.2)
            assert probability_of_mark(measured) > 0.5
        else:
            assert measured.inside < 0.02, target
            assert measured.weight < 0.03, target
        assert measured.print_match > ALIKE, target


def test_in_a_table_another_question_left_of_a_row_is_noticed_at_that_row(
    tmp_path: Path,
) -> None:
    blank = table_form(tmp_path)
    page = blank.read_original().copy()
    erase(page, 60, 350, 400, 50)
    font = cv2.FONT_HERSHEY_COMPLEX
    cv2.putText(page, "3. Tax office", (70, 382), font, 0.75, 0, 1, cv2.LINE_AA)
    for target, measured in measure(blank, page).items():
        if target.startswith("q3/"):
            assert measured.print_match < ALIKE, target
        else:
            assert measured.print_match > ALIKE, target


def test_a_form_without_targets_is_aligned_and_measures_nothing(tmp_path: Path) -> None:
    form = draw_small_form(tmp_path).model_copy(update={"contests": ()})
    form._folder = tmp_path / "small"
    aligned = align(blank_of(form), blank_of(form).read_original())
    measured = measure_marks(aligned, find_tone(aligned))
    assert measured.targets == ()
    assert measured.covered == ()
