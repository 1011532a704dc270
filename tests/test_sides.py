"""A blank is read with its size and its words, or refused in words."""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from scanner.errors import EncryptedFileError, FormError
from scanner.forms.damage import Damage
from scanner.geometry import Box
from scanner.registering.pdf_page import Letter
from scanner.registering.sides import load_sides, read_words
from scanner.registering.targets import find_targets
from scanner.registering.view import find_skew
from tests.drawn_blanks import PLACES, Sheet, boxes_at, damaged, draw_questions, rectangle


def blank(path: Path) -> None:
    sheet = Sheet(path)
    draw_questions(sheet, rectangle, boxes_at(PLACES))
    sheet.save()


def picture(path: Path, size: tuple[int, int], dpi: float | None) -> Path:
    image = Image.new("L", size, 255)
    if dpi is None:
        image.save(path)
    else:
        image.save(path, dpi=(dpi, dpi))
    return path


def test_the_words_of_a_pdf_come_in_millimetres_with_their_lines(tmp_path: Path) -> None:
    blank(tmp_path / "a.pdf")
    (side,) = load_sides(tmp_path / "a.pdf")
    assert (round(side.width_mm), round(side.height_mm)) == (210, 297)
    heading = [word for word in side.words if word.is_bold]
    assert " ".join(word.text for word in heading) == "QUO DOMINO: OFFICE OF GOOD ROADS"
    assert len({word.line for word in heading}) == 1
    assert abs(heading[0].box.x - 50) < 1
    assert 20 < heading[0].box.y < heading[0].box.bottom < 26.5
    labels = [word for word in side.words if word.text == "Option"]
    assert len(labels) == len(PLACES)
    assert len({word.line for word in labels}) == len(PLACES), "columns are lines of their own"
    for line in {word.line for word in side.words}:
        own = [word.box.x for word in side.words if word.line == line]
        assert all(one < other for one, other in pairwise(own))


def test_a_picture_has_no_words(tmp_path: Path) -> None:
    path = picture(tmp_path / "a.png", (1654, 2339), 200)
    (side,) = load_sides(path)
    assert side.words == ()
    assert side.dpi == pytest.approx(200, abs=0.1)
    assert not side.size_is_guessed


@pytest.mark.parametrize(
    ("size", "dpi"), [((1654, 2339), None), ((1654, 2339), 72), ((1700, 2200), None)]
)
def test_a_picture_of_unknown_size_is_taken_for_the_paper_of_its_shape_and_this_is_said(
    tmp_path: Path, size: tuple[int, int], dpi: float | None
) -> None:
    sides = load_sides(picture(tmp_path / "a.png", size, dpi))
    assert sides[0].dpi == pytest.approx(200, abs=0.5)
    assert sides[0].size_is_guessed
    _targets, notes = find_targets(sides)
    assert any("200 dpi" in note for note in notes)


def test_a_stated_resolution_goes_before_that_of_the_file(tmp_path: Path) -> None:
    (side,) = load_sides(picture(tmp_path / "a.png", (1748, 2480), 200), dpi=300)
    assert side.dpi == 300
    assert round(side.width_mm) == 148


@pytest.mark.parametrize("dpi", [72, None])
def test_a_coarse_blank_is_refused_with_its_resolution_and_what_to_do(
    tmp_path: Path, dpi: float | None
) -> None:
    path = picture(tmp_path / "coarse.png", (595, 842), dpi)
    with pytest.raises(FormError) as refused:
        load_sides(path)
    said = str(refused.value)
    assert "coarse.png" in said
    assert "72 dpi" in said
    assert "200 dpi or more" in said


def test_an_encrypted_blank_is_refused(tmp_path: Path) -> None:
    blank(tmp_path / "a.pdf")
    with pikepdf.open(tmp_path / "a.pdf") as pdf:
        pdf.save(tmp_path / "b.pdf", encryption=pikepdf.Encryption(owner="o", user="u"))
    with pytest.raises(EncryptedFileError):
        load_sides(tmp_path / "b.pdf")


def test_drawn_pages_are_drawn_at_the_asked_resolution(tmp_path: Path) -> None:
    blank(tmp_path / "a.pdf")
    (side,) = load_sides(tmp_path / "a.pdf", dpi=300)
    assert np.allclose(side.gray.shape, (3508, 2480), atol=1)
    assert side.dpi == 300


def test_a_word_is_composed_even_if_its_letters_are_not() -> None:
    text = unicodedata.normalize("NFD", "Phiếu")
    letters = [Letter(char, Box(20 + 2 * n, 50, 1.9, 3)) for n, char in enumerate(text)]
    (word,) = read_words(letters)
    assert word.text == "Phiếu"


@given(st.lists(st.text("abcdeơệ", min_size=1, max_size=8), min_size=1, max_size=8))
def test_words_come_back_as_they_were_written(words: list[str]) -> None:
    letters, x = [], 20.0
    for word in words:
        for char in word:
            letters.append(Letter(char, Box(x, 50, 1.8, 2.5)))
            x += 1.9
        letters.append(Letter(" ", Box(x, 50, 0, 0), is_generated=True))
        x += 1.5
    found = read_words(letters)
    assert [word.text for word in found] == words
    assert {word.line for word in found} == {0}


@pytest.mark.parametrize("angle", [-2.8, -0.5, 0.0, 0.9, 3.0])
def test_skew_is_measured(tmp_path: Path, angle: float) -> None:
    blank(tmp_path / "a.pdf")
    (side,) = load_sides(tmp_path / "a.pdf")
    skewed = damaged(side, Damage(rotation_deg=angle, blur_mm=0.08))
    assert find_skew(skewed.gray, skewed.dpi) == pytest.approx(-angle, abs=0.1)


def test_white_paper_has_no_skew() -> None:
    assert find_skew(np.full((600, 400), 250, np.uint8), 100.0) == 0.0


def test_a_photograph_keeps_its_upright_place(tmp_path: Path) -> None:
    """A picture file with an EXIF turn is stood up before anything is measured on it."""
    gray = np.full((400, 300), 255, np.uint8)
    cv2.rectangle(gray, (20, 30), (60, 50), 0, -1)
    image = Image.fromarray(np.rot90(gray))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "a.png", exif=exif)
    (side,) = load_sides(tmp_path / "a.png", dpi=110)
    assert side.gray.shape == (400, 300)
    assert side.gray[40, 40] == 0
