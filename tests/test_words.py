"""The words of a page, and the ruled lines that stand in their way."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from scanner.geometry import Box
from scanner.reading.text import available_languages
from scanner.registering import words as words_module
from scanner.registering.found import BlankSide, FoundTarget, PrintedWord, Source
from scanner.registering.proposal import load_letters
from scanner.registering.rulings import erase_rulings, find_level, find_rulings, turn_level
from scanner.registering.words import read_side

DPI = 200.0
MM = DPI / 25.4
needs_tesseract = pytest.mark.skipif(
    "vie" not in available_languages(), reason="needs Tesseract with Vietnamese"
)


def draw(texts: Sequence[tuple[float, float, str]], rules: Sequence[Box] = ()) -> BlankSide:
    """An A5 page across with texts at places in millimetres, and ruled lines."""
    page = Image.new("L", (round(210 * MM), round(148 * MM)), 255)
    pen = ImageDraw.Draw(page)
    for x, y, text in texts:
        pen.text((x * MM, y * MM), text, fill=0, font=load_letters(32))
    for rule in rules:
        pen.rectangle([rule.x * MM, rule.y * MM, rule.right * MM, rule.bottom * MM], fill=0)
    return BlankSide(1, np.asarray(page).astype(np.uint8), DPI)


def turned(side: BlankSide, degrees: float) -> BlankSide:
    height, width = side.gray.shape
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    gray = cv2.warpAffine(side.gray, matrix, (width, height), borderValue=255)
    return BlankSide(1, gray.astype(np.uint8), DPI)


LINES = [(20.0, 15.0 + 9 * row, "Mức độ hài lòng trong giải quyết thủ tục") for row in range(12)]


@pytest.mark.parametrize("degrees", [-1.4, -0.5, 0.0, 0.35, 1.2])
def test_the_level_of_a_page_is_found_whichever_way_it_leans(degrees: float) -> None:
    level = find_level(turned(draw(LINES), degrees))
    assert level.degrees == pytest.approx(-degrees, abs=0.1)


def test_a_box_that_is_turned_level_and_back_is_where_it_was() -> None:
    side = turned(draw(LINES), 1.2)
    level, box = find_level(side), Box(170, 20, 8, 4)
    assert level.turn(box).center[1] != pytest.approx(box.center[1], abs=0.5)
    back = level.turn_back(level.turn(box))
    assert (back.x, back.y, back.w, back.h) == pytest.approx((170, 20, 8, 4))


def test_an_empty_page_is_level() -> None:
    assert find_level(BlankSide(1, np.full((600, 400), 255, np.uint8), 100.0)).degrees == 0


def test_turning_a_page_level_puts_its_print_where_its_boxes_are_turned_to() -> None:
    side = draw(LINES, [Box(150, 60, 6, 6)])
    leaning = turned(side, 1.0)
    level = find_level(leaning)
    flat = turn_level(leaning.gray, level)
    assert np.abs(flat.astype(int) - side.gray).mean() < 3


def test_ruled_lines_are_found_and_letters_are_not() -> None:
    rules = [Box(20, 30, 100, 0.4), Box(60, 40, 0.4, 50)]
    found = find_rulings(draw(LINES, rules).gray, DPI)
    (across,), (down,) = found.across, found.down
    assert (across.x, across.y, across.w) == pytest.approx((20, 30, 100), abs=0.4)
    assert (down.x, down.y, down.h) == pytest.approx((60, 40, 50), abs=2.0)


def test_erasing_ruled_lines_leaves_the_letters_beside_them() -> None:
    plain, ruled = draw(LINES), draw(LINES, [Box(18.6, 10, 0.4, 120), Box(15, 27, 150, 0.4)])
    clean = erase_rulings(ruled.gray, DPI)
    rest = (clean < 128).sum(), (plain.gray < 128).sum()
    assert rest[0] == pytest.approx(rest[1], rel=0.03)


def test_the_words_of_a_pdf_are_taken_as_they_are() -> None:
    word = PrintedWord("Hài", Box(30, 20, 6, 3))
    side = BlankSide(1, draw(LINES).gray, DPI, words=(word,))
    assert read_side(side) == (word,)


def test_a_letter_that_is_the_outline_of_a_target_is_no_word() -> None:
    words = PrintedWord("☐", Box(20.2, 20.2, 4, 4)), PrintedWord("Tốt", Box(27, 20, 6, 3))
    side = BlankSide(1, draw(LINES).gray, DPI, words=words)
    target = FoundTarget(1, Box(20, 20, 4.5, 4.5), "box", Source.GLYPH)
    assert read_side(side, [target]) == words[1:]


def test_without_tesseract_a_picture_has_no_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words_module, "available_languages", lambda: ())
    assert read_side(draw(LINES)) == ()


@needs_tesseract
@pytest.mark.parametrize("degrees", [0.0, 1.0])
def test_vietnamese_is_read_off_a_picture_with_its_accents(degrees: float) -> None:
    printed = [(20.0, 20.0, "Tiếp nhận và Trả kết quả"), (20.0, 60.0, "Thái độ phục vụ, hướng dẫn")]
    side = turned(draw([*printed, *LINES[6:]]), degrees)
    read = read_side(side)
    texts = [word.text for word in read]
    for wanted in ["Tiếp", "nhận", "Trả", "kết", "quả", "phục", "hướng", "dẫn"]:
        assert wanted in texts
    first = next(word for word in read if word.text == "Tiếp")
    assert first.sure > 0.6
    home = find_level(side).turn(first.box)
    assert (home.x, home.center[1]) == pytest.approx((20, 23), abs=1.5)


@needs_tesseract
def test_narrow_columns_of_a_table_are_read_one_by_one() -> None:
    sides = [20.0, 38.0, 56.0, 74.0, 92.0]
    rules = [Box(x, 20, 0.3, 30) for x in sides]
    rules += [Box(20, y, 72.3, 0.3) for y in (20, 50)]
    heads = [("Rất hài", "lòng"), ("Hài", "lòng"), ("Bình", "thường"), ("Không", "hài lòng")]
    printed = [
        (x + 1.2, 26.0 + 7 * row + 2.5 * (place % 2), text)
        for place, (x, head) in enumerate(zip(sides, heads, strict=False))
        for row, text in enumerate(head)
    ]
    read = read_side(draw([*printed, *LINES[6:]], rules))
    for x, head in zip(sides, heads, strict=False):
        cell = [w for w in read if x < w.box.center[0] < x + 18 and 20 < w.box.center[1] < 50]
        assert " ".join(word.text for word in cell) == " ".join(head)


def test_words_of_a_page_whose_columns_were_drawn_apart_are_put_back() -> None:
    lines = [Box(60, 10, 0.3, 40), Box(100, 10, 0.3, 40)]
    box, room = Box(120, 20, 8, 3), words_module._ROOM_MM
    moved = Box(120 + 2 * room, 20, 8, 3)
    assert words_module._push_together(moved, lines) == box
    below = Box(120, 70, 8, 3)
    assert words_module._push_together(below, lines) == below


def test_a_picture_is_cut_only_where_no_text_is_cut() -> None:
    rule = Box(60, 40, 0.3, 26.5)
    side = draw([(70.0, 45.0, "Hài lòng"), (70.0, 65.0, "Không hài lòng")], [rule])
    clean = erase_rulings(side.gray, DPI)
    (line,) = words_module._dividing_lines(clean, find_rulings(side.gray, DPI), side)
    row = clean[round(line.bottom * MM), round(60 * MM) :]
    assert ink(row) <= 2
    assert line.y == pytest.approx(40, abs=1.6)


def ink(gray: NDArray[np.uint8]) -> int:
    return int((gray < 200).sum())
