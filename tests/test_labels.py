"""Which text belongs to which target."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from scanner.registering.found import FoundTarget, PrintedWord
from scanner.registering.labels import LabelSide, choose_sides, label_pages, split_rows
from scanner.registering.level_page import LevelPage, clean_text, find_rows
from tests.printed_pages import level_page, option_row, table, target, words

ANSWERS = ("Rất hài lòng", "Hài lòng", "Không hài lòng")


def labels(page: LevelPage) -> list[str]:
    (labelled,) = label_pages([page])
    return [
        labelled.labels[index].text if index in labelled.labels else ""
        for index in range(len(page.targets))
    ]


def list_of(
    names: Sequence[str], *, left: float = 30.0, gap: float = 2.0, right_side: bool = True
) -> tuple[list[FoundTarget], list[PrintedWord]]:
    targets, printed = [], []
    for row, name in enumerate(names):
        box = target(left, 40 + 8 * row)
        targets.append(box)
        length = words(name, 0, 0)[-1].box.right
        x = box.box.right + gap if right_side else box.box.x - gap - length
        printed += words(name, x, 40 + 8 * row)
    return targets, printed


def test_the_text_on_the_right_of_each_box_is_its_label() -> None:
    targets, printed = option_row(50, ANSWERS)
    assert labels(level_page(targets, printed)) == list(ANSWERS)


def test_text_that_runs_up_to_the_next_box_is_the_label_of_the_box_before_it() -> None:
    step = 2.0 + words("Rất hài lòng", 0, 0)[-1].box.right + 4.5 + 0.6
    targets, printed = option_row(50, ["Rất hài lòng"] * 3, step=step)
    assert labels(level_page(targets, printed)) == ["Rất hài lòng"] * 3


def test_labels_on_the_left_are_seen_from_all_of_them_together() -> None:
    targets, printed = list_of(ANSWERS, left=80, right_side=False)
    page = level_page(targets, printed)
    assert choose_sides([(page, split_rows(page))])["box"] is LabelSide.LEFT
    assert labels(page) == list(ANSWERS)


def test_a_stray_word_on_the_other_side_turns_no_label_round() -> None:
    targets, printed = list_of(ANSWERS)
    printed += words("Mục", targets[1].box.x - 9.0, 48)
    assert labels(level_page(targets, printed)) == list(ANSWERS)


def test_the_second_line_of_a_label_belongs_to_it() -> None:
    targets, printed = option_row(50, ["Chờ đợi rất lâu", "Đúng hẹn", "Trễ"])
    x = targets[0].box.right + 2.0
    printed += words("do đông người", x, 55.4)
    found = labels(level_page(targets, printed))
    assert found == ["Chờ đợi rất lâu do đông người", "Đúng hẹn", "Trễ"]


def test_the_next_question_is_no_second_line_of_a_label() -> None:
    targets, printed = option_row(50, ANSWERS)
    lower, more = option_row(66, ["Có", "Không"])
    printed += words("2. Thời gian chờ để giải quyết hồ sơ của Ông (Bà):", 22, 58)
    found = labels(level_page([*targets, *lower], [*printed, *more]))
    assert found == [*ANSWERS, "Có", "Không"]


def test_the_heads_of_a_table_are_the_labels_of_its_columns() -> None:
    cells, rulings = table(3, 3)
    printed = [
        word
        for i, head in enumerate(("Tốt", "Khá", "Kém"))
        for word in words(head, 112 + 15 * i, 54)
    ]
    for row in range(3):
        printed += words(f"{row + 1}", 24, 64.5 + 9 * row) + words("Thái độ", 35, 64.5 + 9 * row)
    page = level_page(cells, printed, rulings)
    assert labels(page) == ["Tốt", "Khá", "Kém"] * 3
    (matrix,) = label_pages([page])[0].matrices
    assert [[piece.text for piece in text] for text in matrix.texts] == [["Thái độ"]] * 3


def test_the_question_above_a_table_is_no_head_of_a_column() -> None:
    cells, rulings = table(2, 2)
    printed = words("Ông (Bà) vui lòng đánh dấu (X) vào một ô ở mỗi dòng sau đây:", 22, 44)
    printed += words("Tốt", 112, 54) + words("Kém", 127, 54)
    assert labels(level_page(cells, printed, rulings)) == ["Tốt", "Kém"] * 2


def test_the_lower_part_of_a_divided_table_keeps_its_heads() -> None:
    cells, rulings = table(2, 2)
    lower, more = table(2, 2, y=100)
    printed = words("Tốt", 112, 54) + words("Kém", 127, 54)
    printed += words("II. CƠ SỞ VẬT CHẤT VÀ ĐIỀU KIỆN PHỤC VỤ CỦA CƠ QUAN HÀNH CHÍNH", 24, 94)
    lines = type(rulings)(rulings.across + more.across, rulings.down + more.down)
    assert labels(level_page([*cells, *lower], printed, lines)) == ["Tốt", "Kém"] * 4


def test_dots_to_write_on_are_no_part_of_a_label() -> None:
    targets, printed = option_row(50, ["Có", "Khác: .................."])
    assert labels(level_page(targets, printed)) == ["Có", "Khác:"]


def test_the_small_print_under_a_line_to_write_on_labels_its_target() -> None:
    targets, printed = list_of(["Ron Alpen", "Russ Paustian"])
    targets.append(target(30, 56))
    printed += words("(write-in)", 37, 59)
    assert labels(level_page(targets, printed))[2] == "(write-in)"


def test_boxes_without_any_text_have_no_labels() -> None:
    targets = [target(30, 40), target(60, 40), target(30, 60)]
    assert labels(level_page(targets, [])) == ["", "", ""]


def test_a_question_on_the_same_line_cuts_a_row() -> None:
    first, printed = option_row(50, ["Nam", "Nữ"], step=20)
    second, more = option_row(50, ["dưới 30", "trên 30"], x=95, step=30)
    ask = words("Tuổi:", second[0].box.x - 14, 50)
    page = level_page([*first, *second], [*printed, *more, *ask])
    assert [len(row.targets) for row in split_rows(page)] == [2, 2]
    assert labels(page) == ["Nam", "Nữ", "dưới 30", "trên 30"]


def test_rows_are_found_though_their_boxes_differ_a_little_in_height() -> None:
    boxes = [target(x, y).box for x, y in ((60, 50.4), (20, 49.8), (20, 60), (100, 50.0))]
    assert find_rows(boxes) == [[1, 0, 3], [2]]


@pytest.mark.parametrize(
    ("printed", "kept"),
    [
        (["Khác:", "........"], "Khác:"),
        (["Họ", "tên", "……………"], "Họ tên"),
        (["|", "Tốt", "—"], "Tốt"),
        (["Có", "phải", "không", "?"], "Có phải không ?"),
        (["....."], ""),
    ],
)
def test_strokes_and_dots_are_cleaned_off(printed: list[str], kept: str) -> None:
    assert clean_text(printed) == kept
