"""Names struck out, labels circled and underlined, as the reader finds them on a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from scanner.ballot import ContestState, MarkState, PageReading, Reason, TargetReading
from scanner.forms.catalog import DEFAULT_FOLDER, find_form
from scanner.forms.layout import lay_out_form
from scanner.forms.picture import load_blank
from scanner.forms.template import Form, Rule, read_form
from scanner.geometry import Box
from scanner.reading.blank import BlankPage
from scanner.reading.decide import decide_contest
from scanner.reading.interpret import Reader
from tests.struck_forms import NAMES, describe_ballot, draw_ballot
from tests.synthetic import OFFICE, Gray, as_page, blank_of, read_targets, scan_like
from tests.world.canvas import Canvas, chance
from tests.world.habits import place_of
from tests.world.pens import take_pen
from tests.world.people import RINGS, STRIKES, draw_deed

SCANS = {"office": OFFICE, "bilevel": replace(OFFICE, bilevel=True)}


@pytest.fixture(scope="module")
def ballot(tmp_path_factory: pytest.TempPathFactory) -> BlankPage:
    return blank_of(draw_ballot(tmp_path_factory.mktemp("forms")))


def paper(form: Form) -> Canvas:
    page = form.pages[0]
    gray = load_blank(form, page)
    return Canvas(gray.copy(), gray.shape[1] / page.width_mm * 25.4)


def marked(
    form: Form,
    deeds: dict[str, str],
    strength: float = 0.3,
    seed: int = 1,
    pen: str = "ballpoint",
) -> Gray:
    """The page of a voter who does what is named at each target."""
    canvas = paper(form)
    hand = take_pen(pen, chance(seed, "pen"), strength=0.1)
    for contest, option in form.targets():
        name = deeds.get(f"{contest.id}/{option.id}")
        if name:
            rng = chance(seed, contest.id, option.id)
            draw_deed(canvas, place_of(contest, option), name, strength, (hand, rng))
    return canvas.picture


def of_kind(form: Form, shape: str) -> list[str]:
    return [f"{c.id}/{o.id}" for c, o in form.targets() if o.shape == shape]


def box_of(form: Form, target: str) -> Box:
    return next(o.box for c, o in form.targets() if f"{c.id}/{o.id}" == target)


def states(read: dict[str, TargetReading]) -> dict[str, MarkState]:
    return {name: reading.state for name, reading in read.items()}


def assert_read(read: dict[str, TargetReading], deeds: dict[str, str]) -> int:
    """What is done is never overlooked, and nothing else is a mark; the number of doubts."""
    for name, reading in read.items():
        wrong = MarkState.UNMARKED if name in deeds else MarkState.MARKED
        assert reading.state is not wrong, (name, deeds.get(name), reading)
    return Counter(states(read).values())[MarkState.DOUBTFUL]


@pytest.mark.parametrize("scan", SCANS)
@pytest.mark.parametrize("strength", [0.1, 0.8])
@pytest.mark.parametrize("way", range(3))
def test_every_way_to_strike_out_or_to_circle_is_seen(
    ballot: BlankPage, way: int, strength: float, scan: str
) -> None:
    form = ballot.form
    struck, rings = of_kind(form, "strike")[way % 2 :: 2], of_kind(form, "label")[way % 2 :: 2]
    deeds = {name: STRIKES[(n + 2 * way) % len(STRIKES)] for n, name in enumerate(struck)}
    deeds |= {name: RINGS[(n + way) % len(RINGS)] for n, name in enumerate(rings)}
    pen = ("ballpoint", "gel", "fountain")[way]
    page = marked(form, deeds, strength, seed=way, pen=pen)
    read = read_targets(ballot, scan_like(page, SCANS[scan], seed=way))
    assert assert_read(read, deeds) <= (0 if strength < 0.5 else 2)


def test_a_blank_ballot_has_nothing_struck_and_nothing_circled(ballot: BlankPage) -> None:
    read = read_targets(ballot, scan_like(paper(ballot.form).picture))
    assert set(states(read).values()) == {MarkState.UNMARKED}


def test_print_that_has_swollen_is_no_stroke(ballot: BlankPage) -> None:
    """A copy of a copy: letters run into each other."""
    page = cv2.erode(paper(ballot.form).picture, np.ones((3, 3), np.uint8)).astype(np.uint8)
    read = read_targets(ballot, scan_like(page))
    assert MarkState.MARKED not in states(read).values()


def test_a_name_between_whose_letters_no_paper_shows_is_asked_about(tmp_path: Path) -> None:
    form = draw_ballot(tmp_path)
    canvas = paper(form)
    left, top, width, height = canvas.window(box_of(form, "ban/o1"))
    words = canvas.picture[top : top + height, left : left + width]
    words[:] = cv2.erode(words, np.ones((9, 9), np.uint8))
    form.blank_path(form.pages[0]).write_bytes(cv2.imencode(".png", canvas.picture)[1].tobytes())
    read = read_targets(blank_of(read_form(tmp_path)), scan_like(canvas.picture))
    assert read["ban/o1"].state is MarkState.DOUBTFUL
    assert read["ban/o2"].state is MarkState.UNMARKED


@pytest.mark.parametrize("seed", range(3))
def test_a_part_of_a_name_struck_out_is_never_settled_silently(
    ballot: BlankPage, seed: int
) -> None:
    names = of_kind(ballot.form, "strike")
    page = marked(ballot.form, dict.fromkeys(names, "name half"), 0.2, seed)
    read = read_targets(ballot, scan_like(page, seed=seed))
    assert {read[name].state for name in names} == {MarkState.DOUBTFUL}


@pytest.mark.parametrize("way", ["words line below", "words ring"])
def test_a_line_under_a_name_or_a_ring_around_it_strikes_nobody_out_and_is_asked_about(
    ballot: BlankPage, way: str
) -> None:
    names = of_kind(ballot.form, "strike")
    read = read_targets(ballot, scan_like(marked(ballot.form, dict.fromkeys(names, way), 0.1)))
    assert {read[name].state for name in names} == {MarkState.DOUBTFUL}
    assert any(Reason.INK_WITHOUT_MARK in read[name].reasons for name in names)


def test_a_label_struck_out_is_not_circled_and_is_asked_about(ballot: BlankPage) -> None:
    labels = of_kind(ballot.form, "label")
    page = marked(ballot.form, dict.fromkeys(labels, "name line"), 0.1)
    read = read_targets(ballot, scan_like(page))
    assert {read[name].state for name in labels} == {MarkState.DOUBTFUL}


Line = Callable[[Gray, Box, float], None]


def across(page: Gray, box: Box, scale: float) -> None:
    y = round((box.y + 0.6 * box.h) * scale)
    cv2.line(page, (0, y), (page.shape[1], y + 4), 90, 3, cv2.LINE_AA)


def down(page: Gray, box: Box, scale: float) -> None:
    x = round((box.x + 0.4 * box.w) * scale)
    cv2.line(page, (x, 0), (x, page.shape[0]), 90, 3, cv2.LINE_AA)


def beside(page: Gray, box: Box, scale: float) -> None:
    """In the gap between two rows."""
    y = round((box.bottom + 2.6) * scale)
    start = round((box.x - 3) * scale), y
    cv2.line(page, start, (round((box.right + 3) * scale), y), 60, 3, cv2.LINE_AA)


@pytest.mark.parametrize("line", [across, down, beside])
def test_a_line_across_the_page_or_between_two_names_strikes_nobody_out(
    ballot: BlankPage, line: Line
) -> None:
    canvas = paper(ballot.form)
    line(canvas.picture, box_of(ballot.form, "ban/o2"), canvas.px_per_mm)
    read = read_targets(ballot, scan_like(canvas.picture))
    assert MarkState.MARKED not in states(read).values()
    if line is across:
        assert read["ban/o2"].measures.through == 1
        assert read["ban/o2"].state is MarkState.DOUBTFUL


def test_another_name_in_the_same_place_is_never_read(ballot: BlankPage, tmp_path: Path) -> None:
    other = draw_ballot(tmp_path, (*NAMES[:3], "HỒ TUYẾT KIỀU"))
    for deeds in ({}, {"ban/o4": "name line"}):
        read = read_targets(ballot, scan_like(marked(other, deeds)))
        assert Reason.PRINT_MISMATCH in read["ban/o4"].reasons
        assert Reason.PRINT_MISMATCH not in read["ban/o1"].reasons


def test_two_ballots_that_differ_in_one_name_are_told_apart(
    ballot: BlankPage, tmp_path: Path
) -> None:
    """Also where that name is struck out."""
    other = lay_out_form(
        describe_ballot((*NAMES[:3], "HỒ TUYẾT KIỀU")).model_copy(update={"id": "other"}), tmp_path
    )
    reader = Reader([ballot.form, other])
    for form in (ballot.form, other):
        deeds = {"ban/o4": "name line", "truong/o1": "name scribble"}
        read = reader.read(as_page(scan_like(marked(form, deeds))))
        assert isinstance(read, PageReading)
        assert (read.form, read.reasons) == (form.id, ())
        assert {one.target for one in read.targets if one.state is MarkState.MARKED} == set(deeds)


def test_the_measures_of_words_are_shares_of_them(ballot: BlankPage) -> None:
    page = marked(ballot.form, {"ban/o2": "name line", "hop/o1": "words ring"}, 0.0)
    read = read_targets(ballot, scan_like(page))
    name, ring, free = (read[one].measures for one in ("ban/o2", "hop/o1", "ban/o1"))
    assert name.inside > 0.95
    assert name.extent_mm == pytest.approx(box_of(ballot.form, "ban/o2").w, abs=1.0)
    assert ring.inside > 0.9
    assert ring.outside > 0.05 > free.outside
    assert (free.inside, free.weight, free.outline, free.through) == (0, 0, 0, 0)


def test_the_names_that_are_left_are_the_vote(ballot: BlankPage) -> None:
    deeds = {"ban/o1": "name line", "ban/o4": "name slant", "truong/o2": "name wave"}
    read = read_targets(ballot, scan_like(marked(ballot.form, deeds)))
    found = {
        contest.id: decide_contest(
            contest, [one for one in read.values() if one.contest == contest.id], Rule()
        )
        for contest in ballot.form.contests
    }
    assert (found["ban"].state, found["ban"].marked) == (ContestState.VOTED, ("o2", "o3"))
    assert found["truong"].state is ContestState.OVERVOTE


# The label of a box.


def test_a_marked_box_whose_label_is_struck_out_goes_before_a_person() -> None:
    form = find_form(DEFAULT_FOLDER, "tth5_phuong")
    blank = blank_of(form)
    names = [f"{c.id}/{o.id}" for c, o in form.targets_on(1)]
    struck, ticked, crossed = names[0:9:3], names[1:9:3], names[2:9:3]
    deeds = dict.fromkeys([*struck, *crossed], "cross") | dict.fromkeys(ticked, "tick")
    canvas = Canvas(marked(form, deeds, 0.9), 200.0)
    hand = take_pen("ballpoint", chance(5, "pen"), strength=0.1)
    for contest, option in form.targets_on(1):
        label = place_of(contest, option).label
        if f"{contest.id}/{option.id}" in struck and label is not None:
            place = replace(place_of(contest, option), box=label)
            draw_deed(canvas, place, "name line", 0.1, (hand, chance(5, option.id)))
    read = read_targets(blank, scan_like(canvas.picture))
    assert min(read[name].measures.label_struck for name in struck) > 0.7
    assert max(read[name].measures.label_struck for name in [*ticked, *crossed]) < 0.3
    for contest in form.contests[:3]:
        mine = [one for one in read.values() if one.contest == contest.id]
        assert Reason.POSSIBLE_CORRECTION in decide_contest(contest, mine, Rule()).reasons
