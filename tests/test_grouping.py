"""Which targets make one question, and what the question says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.geometry import Box
from scanner.registering.found import FoundTarget, PrintedWord
from scanner.registering.grouping import FoundContest, group_pages, is_write_in, read_max
from scanner.registering.labels import label_pages
from scanner.registering.level_page import LevelPage
from scanner.registering.rulings import Rulings
from tests.printed_pages import level_page, option_row, table, target, words

ANSWERS = ("Rất hài lòng", "Hài lòng", "Không hài lòng")


def contests(page: LevelPage) -> list[FoundContest]:
    return group_pages(label_pages([page]))


def groups(page: LevelPage) -> list[list[int]]:
    return [[option.target for option in contest.options] for contest in contests(page)]


def question(
    y: float, text: str, labels: tuple[str, ...] = ANSWERS, columns: int = 3
) -> tuple[list[FoundTarget], list[PrintedWord]]:
    """A question with its answers below it in columns."""
    targets: list[FoundTarget] = []
    printed = words(text, 22, y)
    for start in range(0, len(labels), columns):
        row = y + 8 + 8 * (start // columns)
        more, beside = option_row(row, labels[start : start + columns])
        targets += more
        printed += beside
    return targets, printed


def test_a_row_of_options_is_one_question_with_the_text_above_it() -> None:
    (contest,) = contests(level_page(*question(40, "1. Thái độ phục vụ:")))
    assert contest.title == "1. Thái độ phục vụ:"
    assert [option.label for option in contest.options] == list(ANSWERS)
    assert contest.max == 1


def test_a_column_of_options_is_one_question() -> None:
    page = level_page(*question(40, "1. Thời gian:", ("Sớm", "Đúng hẹn", "Trễ"), columns=1))
    assert groups(page) == [[0, 1, 2]]


def test_rows_of_a_grid_under_one_question_belong_together() -> None:
    names = tuple(f"Lĩnh vực {letter}" for letter in "ABCDEFGH")
    page = level_page(*question(40, "2. Lĩnh vực:", names))
    assert groups(page) == [list(range(8))]


def test_a_question_between_two_rows_parts_them() -> None:
    first, printed = question(40, "1. Nơi đón tiếp:")
    second, more = question(56, "2. Thái độ phục vụ:")
    found = contests(level_page([*first, *second], [*printed, *more]))
    assert [contest.title for contest in found] == ["1. Nơi đón tiếp:", "2. Thái độ phục vụ:"]
    assert [len(contest.options) for contest in found] == [3, 3]


def test_questions_on_the_left_of_their_options_part_the_rows() -> None:
    targets, printed = [], []
    for row, ask in enumerate(("Nơi đón tiếp:", "Thái độ:")):
        more, beside = option_row(40 + 8 * row, ["Tốt", "Khá", "Kém"], x=70, step=35)
        targets += more
        printed += beside + words(ask, 22, 40 + 8 * row)
    found = contests(level_page(targets, printed))
    assert [contest.title for contest in found] == ["Nơi đón tiếp:", "Thái độ:"]


def test_the_second_row_of_a_question_on_the_left_goes_on_with_it() -> None:
    targets, printed = option_row(40, ["Quy hoạch", "Nhà ở"], x=70, step=60)
    more, beside = option_row(48, ["Hạ tầng", "Khác: ........"], x=70, step=60)
    page = level_page([*targets, *more], [*printed, *beside, *words("Lĩnh vực liên hệ:", 22, 40)])
    (contest,) = contests(page)
    assert contest.title == "Lĩnh vực liên hệ:"
    assert [option.label for option in contest.options][-1] == "Khác"
    assert contest.options[-1].is_write_in


def test_the_same_answers_once_more_are_another_question_though_no_text_parts_them() -> None:
    first, printed = option_row(40, ANSWERS)
    second, more = option_row(48, ANSWERS)
    assert groups(level_page([*first, *second], [*printed, *more])) == [[0, 1, 2], [3, 4, 5]]


def test_each_row_of_a_table_is_a_question_of_its_own() -> None:
    cells, rulings = table(3, 4)
    printed = [word for row in range(3) for word in words(f"Nội dung {row}", 30, 64.5 + 9 * row)]
    found = contests(level_page(cells, printed, rulings))
    assert [contest.title for contest in found] == ["Nội dung 0", "Nội dung 1", "Nội dung 2"]
    assert [[o.target for o in c.options] for c in found] == [
        [0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11],
    ]  # fmt: skip


def test_a_table_of_names_with_one_box_each_is_one_question() -> None:
    cells, rulings = table(4, 1)
    printed = words("Đồng ý", 112, 54)
    for row, name in enumerate(("Nguyễn Văn An", "Trần Thị Bình", "Lê Hòa", "Phạm Dũng")):
        printed += words(name, 60, 64.5 + 9 * row)
    (contest,) = contests(level_page(cells, printed, rulings))
    assert [option.label for option in contest.options][:2] == ["Nguyễn Văn An", "Trần Thị Bình"]


def test_two_columns_of_the_page_are_read_one_after_the_other() -> None:
    gutter = Rulings(down=(Box(105, 25, 0.3, 60),))
    targets, printed = [], []
    for x, name in ((25, "Governor"), (115, "Senate")):
        printed += words(f"{name} Vote for 1", x, 32)
        for row in range(3):
            targets.append(target(x, 40 + 8 * row))
            printed += words(f"{name} candidate {row}", x + 6.5, 40 + 8 * row)
    found = contests(level_page(targets, printed, gutter))
    assert [contest.title for contest in found] == ["Governor Vote for 1", "Senate Vote for 1"]
    assert [[o.target for o in c.options] for c in found] == [[0, 1, 2], [3, 4, 5]]


def test_a_question_of_two_lines_is_read_whole_and_the_paragraph_above_it_is_not() -> None:
    targets, printed = option_row(60, ANSWERS)
    printed += words("Đề nghị đánh dấu (X) vào một ô phù hợp ở mỗi nội dung.", 22, 36)
    printed += words("2. Việc công khai thủ tục hành chính trên Trang thông tin", 22, 46.6)
    printed += words("điện tử của Sở:", 22, 52)
    (contest,) = contests(level_page(targets, printed))
    assert contest.title == (
        "2. Việc công khai thủ tục hành chính trên Trang thông tin điện tử của Sở:"
    )


def test_a_heading_is_no_part_of_the_question_but_stands_in_where_there_is_none() -> None:
    first, printed = question(46, "1. Việc hướng dẫn:")
    printed += words("I. CÔNG CHỨC", 22, 40)
    second, more = option_row(78, ANSWERS)
    more += words("V. MỨC ĐỘ HÀI LÒNG", 22, 70)
    found = contests(level_page([*first, *second], [*printed, *more]))
    assert [(contest.title, contest.section) for contest in found] == [
        ("1. Việc hướng dẫn:", ""),
        ("V. MỨC ĐỘ HÀI LÒNG", "V. MỨC ĐỘ HÀI LÒNG"),
    ]


def test_targets_without_any_text_are_still_grouped() -> None:
    targets = [target(30 + 20 * column, 40) for column in range(3)]
    (contest,) = contests(level_page(targets, []))
    assert (contest.title, len(contest.options)) == ("", 3)


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("Chọn không quá 3 phương án:", 3),
        ("Tối đa 02 lựa chọn", 2),
        ("(được chọn tối đa hai ô)", 2),
        ("Vote for 1.", 1),
        ("(Vote for no more than three)", 3),
        ("Vote for up to 2", 2),
        ("Vote for One (1)", 1),
        ("choose up to four", 4),
        ("Vote for not more than 9.", 5),
        ("Có thể chọn nhiều phương án:", 5),
        ("Check all that apply", 5),
        ("1. Thái độ phục vụ:", 1),
        ("Số lần đi lại trong năm 2023:", 1),
    ],
)
def test_how_many_may_be_chosen_is_read_from_the_question(text: str, most: int) -> None:
    assert read_max(text, 5) == most


@pytest.mark.parametrize(
    ("label", "written"),
    [("Khác: ", True), ("write-in", True), ("(Write-in vote, if any)", True), ("Other", True),
     ("Khách hàng", False), ("Hài lòng", False)],
)  # fmt: skip
def test_an_option_to_write_in_is_known_by_its_label(label: str, written: bool) -> None:
    assert is_write_in(label) is written


@given(
    rows=st.lists(st.integers(1, 4), min_size=1, max_size=6),
    columns=st.integers(2, 3),
    pitch=st.floats(7.0, 11.0),
    gap=st.floats(7.0, 12.0),
)
def test_any_forms_of_questions_in_grids_are_grouped_as_they_were_set(
    rows: list[int], columns: int, pitch: float, gap: float
) -> None:
    targets: list[FoundTarget] = []
    printed: list[PrintedWord] = []
    wanted, y = [], 30.0
    for number, count in enumerate(rows, start=1):
        printed += words(f"{number}. Câu hỏi về nội dung này:", 22, y)
        y += gap
        start = len(targets)
        for row in range(count):
            names = [f"Đáp {number} {row} {column}" for column in range(columns)]
            more, beside = option_row(y, names)
            targets += more
            printed += beside
            y += pitch
        wanted.append(list(range(start, len(targets))))
        y += gap - pitch + 3.0
    assert groups(level_page(targets, printed)) == wanted


@given(rows=st.integers(2, 8), columns=st.integers(2, 5), row_mm=st.floats(6.0, 14.0))
def test_any_table_gives_a_question_for_each_row(rows: int, columns: int, row_mm: float) -> None:
    cells, rulings = table(rows, columns, row_mm=row_mm)
    printed = [
        word
        for row in range(rows)
        for word in words(f"Nội dung {row}", 30, 60 + (row + 0.5) * row_mm)
    ]
    found = contests(level_page(cells, printed, rulings))
    assert [contest.title for contest in found] == [f"Nội dung {row}" for row in range(rows)]
    assert all(len(contest.options) == columns for contest in found)
