"""A paper that is scanned twice is found, and another voter's with the same answers is not."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from scanner.ballot import MarkState, PageReading, Reason, SheetStatus
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.results import final_records
from scanner.counting.same_paper import (
    FEWEST_MARKS,
    InkedPage,
    Inks,
    find_same_paper,
    limits_for,
    read_marks,
    score_of,
)
from scanner.counting.store import Store
from scanner.forms.catalog import find_form
from scanner.forms.template import Form
from scanner.reading.added_ink import FILLED
from scanner.reading.evidence import Evidence
from scanner.reading.interpret import Reader
from tests.conftest import Run
from tests.synthetic import as_page
from tests.world.canvas import Canvas, chance
from tests.world.habits import Voter, meet_voter
from tests.world.pens import take_pen
from tests.world.rescans import choose_votes, fill_paper, scan_paper
from tests.world.scanners import Placing, Scanner

FORMS = Path(__file__).parents[1] / "form_templates"
USUAL = Scanner("usual", 200, "grey", flaws={"noise": 0.1, "washed": 0.08})
FINE = Scanner("fine", 300, "grey", flaws={"noise": 0.2, "washed": 0.5, "blur": 0.2})
BLACK_AND_WHITE = Scanner("bilevel", 240, "bilevel", threshold=0.6)
STRAIGHT: Placing = {"skew": 0.05, "shift": 0.1}
TURNED: Placing = {"skew": 0.2, "shift": 0.3, "size": 0.1, "upside down": 1.0}
FIRST = 70


@cache
def the_form() -> Form:
    return find_form(FORMS, "tth5_phuong")


@cache
def reader() -> Reader:
    return Reader([the_form()])


def voter(seed: int, habit: str | None = None) -> Voter:
    hand = take_pen("ballpoint", chance(seed, "hand"))
    return Voter(habit or ("cross", "tick", "loop cross")[seed % 3], 0.3, hand)


@cache
def paper(seed: int, habit: str | None = None, contests: int = 99) -> Canvas:
    """One voter's paper; all vote the same."""
    form = the_form()
    votes = choose_votes(form, form.pages[0], 3)
    votes = dict(list(votes.items())[:contests])
    return fill_paper(form, form.pages[0], voter(seed, habit), votes, seed)


def scanned(canvas: Canvas, scanner: Scanner, placing: Placing, seed: int) -> PageReading:
    data, _suffix = scan_paper(the_form().pages[0], canvas, scanner, placing, seed)
    gray = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert gray is not None
    reading = reader().read(as_page(gray.astype(np.uint8)))
    assert isinstance(reading, PageReading)
    return reading


def ink_of(reading: PageReading) -> str:
    return str(reading.evidence[Evidence.ADDED_INK])


def page(number: int, ink: str, image_hash: str = "") -> InkedPage:
    return InkedPage(number, "f", 1, image_hash or f"image {number}", ink)


def found(inks: Sequence[str]) -> list[tuple[int, int]]:
    pages = [page(number, ink) for number, ink in enumerate(inks)]
    return [(pair.page, pair.other) for pair in find_same_paper(pages)]


@cache
def firsts() -> tuple[str, ...]:
    return tuple(ink_of(scanned(paper(s), USUAL, STRAIGHT, s)) for s in range(FIRST, FIRST + 12))


@pytest.mark.parametrize(
    ("scanner", "placing"),
    [(FINE, STRAIGHT), (USUAL, TURNED), (FINE, TURNED), (BLACK_AND_WHITE, TURNED)],
    ids=["finer", "turned", "finer and turned", "in black and white"],
)
def test_a_paper_scanned_again_is_found_and_no_other_voters(
    scanner: Scanner, placing: Placing
) -> None:
    seconds = [ink_of(scanned(paper(FIRST + n), scanner, placing, 500 + n)) for n in range(3)]
    assert found([*firsts(), *seconds]) == [(12, 0), (13, 1), (14, 2)]


def test_papers_of_one_hand_with_the_same_answers_are_different_papers() -> None:
    hand = meet_voter(1, hard=False)
    form = the_form()
    votes = choose_votes(form, form.pages[0], 3)
    inks = [
        ink_of(scanned(fill_paper(form, form.pages[0], hand, votes, seed), USUAL, STRAIGHT, seed))
        for seed in range(8)
    ]
    assert found(inks) == []


def test_empty_papers_are_never_the_same() -> None:
    form = the_form()
    empty = fill_paper(form, form.pages[0], voter(1), {}, 1)
    inks = [ink_of(scanned(empty, USUAL, STRAIGHT, seed)) for seed in (1, 2)]
    assert inks == ["", ""]
    assert found(inks) == []


def test_filled_boxes_tell_no_paper_from_another() -> None:
    form = the_form()
    votes = choose_votes(form, form.pages[0], 3)
    felt = Voter("solid", 0.0, take_pen("felt", chance(1, "hand")))
    for seed in (1, 2):
        filled = fill_paper(form, form.pages[0], felt, votes, seed)
        reading = scanned(filled, USUAL, STRAIGHT, seed)
        marked = [t for t in reading.targets if t.state is MarkState.MARKED]
        assert len(marked) == len(votes)
        full = sum(target.measures.inside >= FILLED for target in marked)
        assert full >= len(votes) - 1
        assert ink_of(reading).count(":") == len(marked) - full


def test_two_marks_are_too_few() -> None:
    inks = [ink_of(scanned(paper(5, None, 2), USUAL, STRAIGHT, seed)) for seed in (1, 2)]
    assert [ink.count(":") for ink in inks] == [2, 2]
    assert found(inks) == []


# What is compared.


def packed(levels: Sequence[int]) -> str:
    pairs = zip(levels[::2], levels[1::2], strict=True)
    return b64encode(bytes(a << 4 | b for a, b in pairs)).decode()


def random_marks(seed: int, count: int = 8, blur: float = 0.0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    marks = [rng.integers(0, 16, 100) for _ in range(count)]
    return [np.clip(m + np.rint(rng.normal(0, blur, 100)).astype(int), 0, 15) for m in marks]


def ink(marks: dict[int, np.ndarray]) -> str:
    return " ".join(f"{number}:{packed(list(map(int, m)))}" for number, m in marks.items())


def test_marks_are_read_as_they_were_written() -> None:
    marks = dict(enumerate(random_marks(1, 3)))
    for number, picture in read_marks(ink(marks)).items():
        levels = marks[number] - marks[number].mean()
        assert picture == pytest.approx(levels / np.linalg.norm(levels), abs=1e-5)


def test_an_even_picture_is_no_mark() -> None:
    assert read_marks(ink({3: np.full(100, 7)})) == {}


def test_one_spoilt_mark_does_not_hide_the_same_paper() -> None:
    marks = random_marks(1)
    spoilt = [*marks[:-1], random_marks(2)[0]]
    assert found([ink(dict(enumerate(marks))), ink(dict(enumerate(spoilt)))]) == [(1, 0)]


def test_marks_in_other_boxes_are_another_paper() -> None:
    marks = random_marks(1, 4)
    moved = {number + 10: mark for number, mark in enumerate(marks)}
    assert found([ink(dict(enumerate(marks))), ink(moved)]) == []


def test_the_very_same_image_is_told_elsewhere() -> None:
    text = ink(dict(enumerate(random_marks(1))))
    assert find_same_paper([page(0, text, "same"), page(1, text, "same")]) == []


def test_other_forms_and_other_sides_are_not_compared() -> None:
    text = ink(dict(enumerate(random_marks(1))))
    pages = [InkedPage(0, "f", 1, "a", text), InkedPage(1, "f", 2, "b", text)]
    assert find_same_paper([*pages, InkedPage(2, "g", 1, "c", text)]) == []


def test_only_new_pages_are_compared_and_only_with_those_before() -> None:
    text = ink(dict(enumerate(random_marks(1))))
    pages = [page(n, text) for n in range(4)]
    pairs = [(pair.page, pair.other) for pair in find_same_paper(pages, {2})]
    assert pairs == [(2, 0), (2, 1)]


def test_the_first_look_misses_no_pair_that_the_close_one_finds() -> None:
    base = [random_marks(seed) for seed in range(40)]
    again = [[np.clip(m + (i % 2), 0, 15) for i, m in enumerate(marks)] for marks in base[:15]]
    texts = [ink(dict(enumerate(marks))) for marks in [*base, *again]]
    inks = Inks([read_marks(text) for text in texts])
    closely = set()
    for one in range(1, len(texts)):
        scores, common = inks.compare(np.full(one, one), np.arange(one))
        closely |= {(one, int(k)) for k in np.flatnonzero(scores >= limits_for(common))}
    assert closely == {(40 + n, n) for n in range(15)}
    assert set(found(texts)) == closely


def test_likeness_counts_for_one_paper_and_unlikeness_against_it() -> None:
    scores = score_of(np.array([1.0, 0.99, 0.9, 0.8, 0.5, -1.0]))
    assert list(scores) == sorted(scores, reverse=True)
    assert scores[2] > 0 > scores[4]


def test_no_number_of_marks_below_the_fewest_is_enough() -> None:
    best = score_of(np.ones(1))[0]
    limits = limits_for(np.arange(12))
    for marks in range(12):
        assert (marks >= FEWEST_MARKS) == (best * marks >= limits[marks])


# A real count.


def write_scans(folder: Path, seeds: Sequence[int], scanner: Scanner, placing: Placing) -> Path:
    folder.mkdir()
    for seed in seeds:
        data, suffix = scan_paper(the_form().pages[0], paper(seed), scanner, placing, seed)
        (folder / f"{seed:03d}{suffix}").write_bytes(data)
    return folder


def in_doubt(count: Path) -> set[int]:
    with Store(count) as store:
        records = final_records(store, load_kept_forms(store))
        return {record.sheet for record in records if record.status is SheetStatus.IN_DOUBT}


@pytest.fixture
def counted(tmp_path: Path, run: Run) -> tuple[Path, Run]:
    """Eight papers of which the first three were scanned again, finer and turned."""
    count = tmp_path / "count"
    first = write_scans(tmp_path / "first", range(8), USUAL, STRAIGHT)
    again = write_scans(tmp_path / "again", range(3), FINE, TURNED)
    said = []
    for folder in (first, again):
        code, out, err = run("scan", count, folder, "--forms", FORMS, "-f", "tth5_phuong", "-j1")
        assert code == 0, err
        said.append("these sheets of earlier scans wait as well: 0001, 0002, 0003." in out)
    assert said == [False, True]
    return count, run


def test_papers_scanned_again_wait_on_both_sides_until_a_person_decides(
    counted: tuple[Path, Run],
) -> None:
    count, run = counted
    twins = {1, 2, 3, 9, 10, 11}
    assert in_doubt(count) == twins
    _code, out, _err = run("list", count, "--status", "in_doubt")
    assert "The same paper seems to have been scanned twice. Compare it with 0009." in out
    assert "The same paper seems to have been scanned twice. Compare it with 0001." in out
    # The copy is refused: the other sheet counts again by itself.
    run("decide", count, "9", "--refuse", "--by", "Lan", "--why", "a copy of sheet 1")
    assert in_doubt(count) == twins - {1, 9}
    # Another voter's: each of the two sheets has to be accepted.
    run("decide", count, "10", "--accept", "--by", "Lan", "--why", "another voter's")
    assert in_doubt(count) == {2, 3, 11}
    run("decide", count, "2", "--accept", "--by", "Lan", "--why", "another voter's")
    assert in_doubt(count) == {3, 11}
    # A refusal that is taken back brings the doubt back.
    run("decide", count, "9", "--accept", "--by", "Lan", "--why", "looked again")
    assert in_doubt(count) == {1, 3, 11}


def test_the_doubt_is_kept_with_the_pages_whatever_becomes_of_the_sheets(
    counted: tuple[Path, Run],
) -> None:
    count, _run = counted
    with Store(count) as store:
        assert {n: list(o) for n, o in store.same_papers().items()} == {
            1: [9], 2: [10], 3: [11], 9: [1], 10: [2], 11: [3],
        }  # fmt: skip
        flagged = [r.sheet for r in store.sheets() if Reason.SAME_PAPER in r.reasons]
        pages = list(store.inked_pages())
        store.save_same_paper(2, find_same_paper(pages, {p.id for p in pages[8:]}))
        assert flagged == [r.sheet for r in store.sheets() if Reason.SAME_PAPER in r.reasons]
        store.save_same_paper(2, [])
        assert store.same_papers() == {}
    assert in_doubt(count) == set()
