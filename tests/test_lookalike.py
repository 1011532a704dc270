"""Two forms that are nearly the same are told apart where they differ, or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scanner.reading import text
from scanner.reading.align import AlignedPage, align_page
from scanner.reading.blank import BlankPage
from scanner.reading.features import match_features
from scanner.reading.lookalike import (
    Difference,
    Verdict,
    compare,
    compare_words,
    find_difference,
)
from scanner.reading.marks import find_tone
from tests.synthetic import (
    OFFICE,
    Design,
    Gray,
    align,
    blank_of,
    draw_small_form,
    mark,
    random_choices,
    scan_like,
)

TITLES = ("SURVEY OF THE WARD OFFICE", "SURVEY OF THE LAND OFFICE")
PAIRS = {
    "title": (Design(title=TITLES[0], footer="Page 1"), Design(title=TITLES[1], footer="Page 1")),
    "footer": (Design(footer="Sheet for district one"), Design(footer="Sheet for village six")),
    "order": (Design(), Design(swapped=True)),
    "question": (Design(), Design(reworded=(3,))),
    "more-print": (Design(footer="Page"), Design(footer="Page 1: please answer all questions")),
}
SCANS = {
    "office": OFFICE,
    "fax": replace(OFFICE, bilevel=True),
    "poor": replace(OFFICE, blur_mm=0.1, noise=4, paper=220, black=60, jpeg_quality=40),
}


class Pair:
    """Two pages that look alike, and where each differs from the other."""

    def __init__(self, folder: Path, one: Design, two: Design) -> None:
        forms = (draw_small_form(folder, "one", one), draw_small_form(folder, "two", two))
        self.pages = tuple(blank_of(form) for form in forms)
        self.there = difference(*self.pages)
        self.back = difference(*self.pages[::-1])


def difference(this: BlankPage, other: BlankPage) -> Difference:
    match = match_features(other.features, this.features)
    assert match is not None
    return find_difference(this, other, match)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pair]:
    return {how: Pair(tmp_path_factory.mktemp(how), *designs) for how, designs in PAIRS.items()}


def laid(blank: BlankPage, scan: Gray) -> AlignedPage:
    """A scan laid on a page, also on one that it is not."""
    return align(blank, scan)


def verdict(pair: Pair, scan: Gray, *, taken_for: int) -> Verdict:
    aligned = laid(pair.pages[taken_for], scan)
    where = (pair.there, pair.back)[taken_for]
    return compare(aligned, find_tone(aligned), where)


@pytest.mark.parametrize("scan_kind", list(SCANS))
@pytest.mark.parametrize("how", list(PAIRS))
def test_a_page_is_told_from_its_look_alike_where_they_differ(
    pairs: dict[str, Pair], how: str, scan_kind: str
) -> None:
    pair = pairs[how]
    for number, blank in enumerate(pair.pages):
        scan = scan_like(mark(blank.form, random_choices(blank.form, 3)), SCANS[scan_kind])
        assert verdict(pair, scan, taken_for=number) is Verdict.THIS
        # A fax may leave it open, and then a person is asked; it never is the wrong one.
        fair = {Verdict.OTHER, Verdict.OPEN} if scan_kind == "fax" else {Verdict.OTHER}
        assert verdict(pair, scan, taken_for=1 - number) in fair


@pytest.mark.parametrize("how", list(PAIRS))
def test_differences_are_found_where_they_are_and_nowhere_else(
    pairs: dict[str, Pair], how: str
) -> None:
    for where in (pairs[how].there, pairs[how].back):
        assert where.spots
        for spot in where.spots:
            assert spot.this.shape == spot.other.shape
            bottom, right = spot.y + spot.this.shape[0], spot.x + spot.this.shape[1]
            assert spot.x >= 0
            assert spot.y >= 0
            assert right <= where.blank.width_px
            assert bottom <= where.blank.height_px
            if how == "title":
                assert bottom < 110
            if how in {"footer", "more-print"}:
                assert spot.y > 1140
            if how == "question":
                assert 540 < spot.y < bottom < 660
                assert right < 437


def test_a_form_does_not_differ_from_itself(tmp_path: Path) -> None:
    twins = [blank_of(draw_small_form(tmp_path, name)) for name in ("one", "two")]
    assert difference(*twins).spots == ()


def test_where_nothing_differs_the_question_stays_open(tmp_path: Path) -> None:
    twins = [blank_of(draw_small_form(tmp_path, name)) for name in ("one", "two")]
    where = difference(*twins)
    aligned = laid(twins[0], scan_like(mark(twins[0].form, {})))
    assert compare(aligned, find_tone(aligned), where) is Verdict.OPEN
    assert compare_words(aligned, where, difference(*twins[::-1])) is Verdict.OPEN


@pytest.mark.parametrize("cover", [30, 255, 128], ids=["ink", "white-out", "grey"])
def test_where_the_difference_is_covered_neither_is_certain(
    pairs: dict[str, Pair], cover: int
) -> None:
    pair = pairs["title"]
    for number, blank in enumerate(pair.pages):
        page = mark(blank.form, {})
        page[45:95, 40:640] = cover
        assert verdict(pair, scan_like(page), taken_for=number) is Verdict.OPEN


def test_a_third_title_is_neither_of_the_two(pairs: dict[str, Pair], tmp_path: Path) -> None:
    third = draw_small_form(
        tmp_path, "third", Design(title="SURVEY OF THE TAX BUREAU", footer="Page 1")
    )
    scan = scan_like(mark(third, {}))
    for number in (0, 1):
        assert verdict(pairs["title"], scan, taken_for=number) is Verdict.OPEN


def test_marks_in_the_boxes_have_no_say_in_which_form_it_is(pairs: dict[str, Pair]) -> None:
    pair = pairs["order"]
    everything = {c.id: [o.id for o in c.options] for c in pair.pages[0].form.contests}
    scan = scan_like(mark(pair.pages[0].form, everything))
    assert verdict(pair, scan, taken_for=0) is Verdict.THIS
    assert verdict(pair, scan, taken_for=1) is Verdict.OTHER


def test_a_stamp_across_one_of_many_differences_decides_nothing_wrongly(
    pairs: dict[str, Pair],
) -> None:
    pair = pairs["order"]
    rng = np.random.default_rng(4)
    for number, blank in enumerate(pair.pages):
        page = mark(blank.form, {})
        for _ in range(3):
            x, y = rng.integers((100, 220), (600, 700)).tolist()
            page[y : y + 45, x : x + 130] = np.minimum(page[y : y + 45, x : x + 130], 120)
        found = verdict(pair, scan_like(page), taken_for=number)
        assert found is not Verdict.OTHER


# Words.

needs_tesseract = pytest.mark.skipif(
    not text.available_languages(), reason="Tesseract is not installed"
)


@needs_tesseract
@pytest.mark.parametrize("how", ["title", "footer"])
def test_words_give_a_second_opinion(pairs: dict[str, Pair], how: str) -> None:
    pair = pairs[how]
    for number, blank in enumerate(pair.pages):
        scan = scan_like(mark(blank.form, {}))
        there, back = (pair.there, pair.back)[:: 1 if number == 0 else -1]
        assert compare_words(laid(blank, scan), there, back) is Verdict.THIS
        other = laid(pair.pages[1 - number], scan)
        assert compare_words(other, back, there) is Verdict.OTHER


@needs_tesseract
def test_words_that_cannot_be_read_say_nothing(pairs: dict[str, Pair]) -> None:
    pair = pairs["title"]
    page = mark(pair.pages[0].form, {})
    page[45:95, 40:640] = 40
    aligned = laid(pair.pages[0], scan_like(page))
    assert compare_words(aligned, pair.there, pair.back) is Verdict.OPEN


def test_without_tesseract_words_say_nothing(
    pairs: dict[str, Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scanner.reading.lookalike.available_languages", tuple)
    pair = pairs["title"]
    aligned = laid(pair.pages[0], scan_like(mark(pair.pages[0].form, {})))
    assert compare_words(aligned, pair.there, pair.back) is Verdict.OPEN


def test_a_page_that_is_neither_is_not_settled_by_chance(pairs: dict[str, Pair]) -> None:
    """Bare paper laid on a page has neither print at the differences."""
    pair = pairs["footer"]
    bare = np.full((1240, 874), 250, np.uint8)
    aligned = align_page(bare, pair.pages[0], np.eye(3))
    tone = find_tone(aligned)
    assert compare(aligned, tone, pair.there) is Verdict.OPEN
