"""A page that lies as it should is known at a glance; of any other, a glance says nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scanner.forms.template import Form
from scanner.geometry import apply_homography
from scanner.reading.align import align_page
from scanner.reading.blank import BlankPage
from scanner.reading.glance import Glance
from scanner.reading.small import Halves, make_small
from tests.synthetic import (
    OFFICE,
    Design,
    Gray,
    blank_of,
    blank_side,
    draw_small_form,
    foreign_page,
    mark,
    photo_of_a_cat,
    random_choices,
    scan_like,
)


@pytest.fixture(scope="module")
def blanks(tmp_path_factory: pytest.TempPathFactory) -> list[BlankPage]:
    folder = tmp_path_factory.mktemp("forms")
    titles = ("SURVEY OF THE WARD OFFICE", "OPINION OF THE COURT", "LAND OFFICE")
    return [
        blank_of(draw_small_form(folder, f"form-{number}", Design(title, seed=number)))
        for number, title in enumerate(titles)
    ]


@pytest.fixture(scope="module")
def glance(blanks: list[BlankPage]) -> Glance:
    return Glance([blank.small for blank in blanks])


def filled(form: Form, seed: int) -> Gray:
    return mark(form, random_choices(form, seed))


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("turned", [False, True])
def test_the_page_and_its_place_are_known_to_half_a_millimetre(
    blanks: list[BlankPage], glance: Glance, number: int, turned: bool
) -> None:
    blank = blanks[number]
    scan = scan_like(filled(blank.form, 3))
    scan = np.ascontiguousarray(scan[::-1, ::-1]) if turned else scan
    guess = glance.guess(Halves(scan))
    assert guess is not None
    assert guess.number == number
    aligned = align_page(scan, blank, guess.homography)
    page = np.array([(x, y) for x in (0.1, 0.5, 0.9) for y in (0.1, 0.5, 0.9)])
    page *= (blank.width_px, blank.height_px)
    off = apply_homography(guess.homography, aligned.to_scan(page)) - page
    assert np.linalg.norm(off, axis=1).max() / blank.px_per_mm < 0.6


@pytest.mark.parametrize("scale", [0.97, 1.0, 1.03])
def test_a_copy_of_nearly_the_same_size_is_known(
    blanks: list[BlankPage], glance: Glance, scale: float
) -> None:
    scan = scan_like(filled(blanks[1].form, 4), replace(OFFICE, scale=scale))
    guess = glance.guess(Halves(scan))
    assert guess is not None
    assert guess.number == 1


def test_the_same_scan_is_guessed_alike_whatever_came_before(
    blanks: list[BlankPage], glance: Glance
) -> None:
    scan, other = (scan_like(filled(blank.form, 5)) for blank in blanks[:2])
    first = glance.guess(Halves(scan))
    glance.guess(Halves(other))
    again = glance.guess(Halves(scan))
    assert first is not None
    assert again is not None
    assert np.array_equal(first.homography, again.homography)


@pytest.mark.parametrize("what", ["skewed", "quarter turn", "foreign", "cat", "empty"])
def test_of_what_does_not_lie_as_it_should_a_glance_says_nothing(
    blanks: list[BlankPage], glance: Glance, what: str
) -> None:
    page = filled(blanks[0].form, 6)
    pictures = {
        "skewed": scan_like(page, replace(OFFICE, rotation_deg=7.0)),
        "quarter turn": np.ascontiguousarray(np.rot90(scan_like(page))),
        "foreign": foreign_page(),
        "cat": photo_of_a_cat(),
        "empty": blank_side(),
    }
    assert glance.guess(Halves(pictures[what])) is None


def test_without_forms_nothing_is_known(blanks: list[BlankPage]) -> None:
    assert Glance([]).guess(Halves(blanks[0].gray)) is None


def test_a_small_picture_has_the_same_size_at_any_resolution(blanks: list[BlankPage]) -> None:
    gray = blanks[0].gray
    once, again = (
        make_small(Halves(one)) for one in (gray, np.repeat(np.repeat(gray, 3, axis=0), 3, axis=1))
    )
    assert once.picture.shape == again.picture.shape
    assert np.abs(once.picture.astype(int) - again.picture).mean() < 4
    assert np.allclose(once.scale, 3 * again.scale, rtol=0.01)
