"""Grey becomes ink against the paper's own white and the print's own black."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from scanner.reading.ink import Tone, darkness, darkness_of_blank, paper_level

SHAPE = (400, 300)


def lit_from_the_side(low: int, high: int) -> NDArray[np.float64]:
    return np.tile(np.linspace(low, high, SHAPE[1]), (SHAPE[0], 1))


def with_print(paper: NDArray[np.float64], black: float) -> NDArray[np.uint8]:
    """Lines of strokes, a box and a bar, as a form has."""
    page = paper.copy()
    for top in range(30, 370, 40):
        for left in range(30, 250, 9):
            page[top : top + 12, left : left + 2] = black
    page[100:130, 200:240] = black
    page[103:127, 203:237] = paper[103:127, 203:237]
    page[300:312, 40:260] = black
    return page.astype(np.uint8)


@pytest.mark.parametrize(("low", "high"), [(250, 250), (200, 250), (245, 180)])
def test_the_paper_is_followed_through_uneven_light_and_print(low: int, high: int) -> None:
    paper = lit_from_the_side(low, high)
    level = paper_level(with_print(paper, 20))
    assert level.shape == SHAPE
    away = np.abs(level.astype(float) - paper)
    assert np.percentile(away, 95) < 14
    assert away.max() < 25


def test_a_black_border_is_not_taken_for_paper() -> None:
    page = with_print(lit_from_the_side(240, 240), 20)
    page[:, :60] = 10
    assert paper_level(page)[:, :60].min() > 120


def test_bare_paper_is_no_ink_and_print_is_full_ink_on_any_scan() -> None:
    for low, high, black in ((255, 255, 0), (240, 215, 45), (200, 190, 80)):
        paper = lit_from_the_side(low, high)
        page = with_print(paper, black)
        ink = darkness(page, paper_level(page), black)
        printed = page < black + 5
        assert ink.shape == SHAPE
        assert np.percentile(ink[printed], 5) > 225
        assert np.percentile(ink[~printed], 95) < 30


@given(st.integers(60, 255), st.integers(0, 200), st.integers(0, 255), st.integers(0, 255))
def test_darker_is_never_less_ink(paper: int, black: int, one: int, two: int) -> None:
    gray = np.array([[min(one, two), max(one, two)]], np.uint8)
    dark, light = darkness(gray, float(paper), float(black))[0]
    assert dark >= light


@given(st.integers(100, 255), st.integers(0, 60))
def test_one_paper_for_all_and_one_for_each_pixel_agree(paper: int, black: int) -> None:
    gray = np.arange(256, dtype=np.uint8).reshape(16, 16)
    level = np.full(gray.shape, paper, np.uint8)
    assert np.array_equal(
        darkness(gray, float(paper), float(black)), darkness(gray, level, float(black))
    )


def test_the_noise_of_an_empty_page_is_not_stretched_into_ink() -> None:
    rng = np.random.default_rng(1)
    page = np.clip(rng.normal(235, 2, SHAPE), 0, 255).astype(np.uint8)
    ink = darkness(page, paper_level(page), 233.0)
    assert np.percentile(ink, 99) < 90
    assert darkness_of_blank(page).max() < 60


def test_the_print_of_a_grey_blank_is_as_full_as_that_of_a_black_one() -> None:
    paper = lit_from_the_side(245, 235)
    for black in (0, 60, 110):
        page = with_print(paper, black)
        ink = darkness_of_blank(page)
        assert np.median(ink[page < black + 5]) > 225
        assert np.median(ink[page > 200]) < 12


WHOLE = np.array(
    [(0, 0), (SHAPE[1] - 1, 0), (SHAPE[1] - 1, SHAPE[0] - 1), (0, SHAPE[0] - 1)], float
)
"""The corners of a page that fills its picture."""


def where(picture: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.argwhere(picture)[:, ::-1].astype(float)


def paper_at(tone: Tone, x: float, y: float) -> float:
    return float(tone.paper_at(np.array([[x, y]], float))[0])


def test_the_tone_of_a_page_is_that_of_its_paper_and_of_what_is_print_on_the_blank() -> None:
    paper = lit_from_the_side(240, 200)
    page = with_print(paper, 40)
    tone = Tone.of_scan(page, WHOLE, where(page < 60))
    assert tone.black == pytest.approx(40, abs=4)
    for x, y in ((10, 10), (290, 200), (150, 390)):
        assert paper_at(tone, x, y) == pytest.approx(paper[y, x], abs=14)


def test_a_place_beyond_the_page_has_the_paper_of_its_edge() -> None:
    page = with_print(lit_from_the_side(240, 200), 40)
    tone = Tone.of_scan(page, WHOLE, where(page < 60))
    assert paper_at(tone, -50, -50) == paper_at(tone, 0, 0)
    assert paper_at(tone, 9000, 9000) == paper_at(tone, SHAPE[1] - 1, SHAPE[0] - 1)


def test_a_brighter_lid_around_a_sheet_is_not_taken_for_its_paper() -> None:
    glass = np.full(SHAPE, 252, np.uint8)
    glass[80:320, 60:240] = with_print(np.full(SHAPE, 190, np.uint8), 40)[80:320, 60:240]
    sheet = np.array([(60, 80), (239, 80), (239, 319), (60, 319)], float)
    tone = Tone.of_scan(glass, sheet, where(glass < 60))
    for x, y in ((66, 86), (150, 200), (233, 313)):
        assert paper_at(tone, x, y) == pytest.approx(190, abs=14)


def test_print_that_is_not_on_the_scan_does_not_say_how_black_print_is() -> None:
    page = np.full(SHAPE, 240, np.uint8)
    beyond = np.full((400, 2), -30.0)
    assert Tone.of_scan(page, WHOLE, beyond).black == 0.0


def test_a_blank_without_print_has_no_black_of_its_own() -> None:
    page = np.full(SHAPE, 240, np.uint8)
    assert Tone.of_scan(page, WHOLE, np.empty((0, 2))).black == 0.0
