"""Identical marks get identical verdicts: on any day, in any order, anywhere on the page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from scanner.ballot import MarkState, PageReading, TargetReading
from scanner.forms.catalog import find_form
from scanner.forms.template import Form, Option
from scanner.reading.interpret import Reader
from tests.synthetic import as_page
from tests.world.canvas import BLACK_INK, Canvas, Picture, chance
from tests.world.habits import place_of
from tests.world.pens import take_pen
from tests.world.people import draw_deed
from tests.world.scanners import Scanner, lay_sheet, scan
from tests.world.sheets import draw_sheet, plan_batch, printed_form

FORMS = Path(__file__).parents[1] / "form_templates"
NAMES = ("tth5_phuong", "bao_lam_xa")
"""One with boxes in columns, one with a table of cells and a few boxes."""
DPI = 200
SIDES_MM = tuple(round(0.3 + 0.1 * step, 2) for step in range(13))
"""Of the squares of ink that go from nothing to speak of to a clear mark."""
PRESSURES = tuple(round(0.12 + 0.04 * step, 2) for step in range(8))
"""Of a hand that goes from hardly touching the paper to a light one."""
TOLERANCE = {"dab": 0.2, "cross": 0.08}
"""How far apart, in mm and as a pressure, the limit may lie at two targets of a page: the grid of
pixels falls otherwise on each, and the noise. Measured in steps of half the size: 0.15 and 0.04."""
LOGITS = 0.3
"""4 % more or less ink changes as much."""

Draw = Callable[[str, float, int], Picture]
Targets = list[TargetReading]


def form_of(name: str) -> Form:
    return find_form(FORMS, name)


@cache
def reader_of(name: str) -> Reader:
    return Reader([form_of(name)])


def read(name: str, gray: Picture) -> Targets:
    reading = reader_of(name).read(as_page(gray))
    assert isinstance(reading, PageReading)
    assert not reading.reasons
    return list(reading.targets)


def fresh(name: str) -> Canvas:
    form = form_of(name)
    print_ = printed_form(form.blank_path(form.pages[0]), form.pages[0].width_mm, DPI)
    return Canvas(print_.copy(), float(DPI))


def through_scanner(name: str, canvas: Canvas, seed: int) -> Picture:
    """An ordinary office scan: a little crooked, washed out, with noise."""
    page = form_of(name).pages[0]
    laid = {"skew": 0.1, "shift": 0.2, "size": 0.1, "stretch": 0.1}
    geometry = lay_sheet((page.width_mm, page.height_mm), DPI, laid, seed)
    scanner = Scanner("grey", DPI, "grey", flaws={"washed": 0.1, "noise": 0.1})
    return scan(canvas.picture, canvas.px_per_mm, geometry, scanner, seed)


def dab(canvas: Canvas, option: Option, side_mm: float) -> None:
    """A square of ink in the middle of a target, to a fraction of a pixel as large as is said."""
    half = side_mm / 2 * canvas.px_per_mm
    middle = np.array(option.box.center) * canvas.px_per_mm
    left, top = (middle - half).astype(int) - 1
    inner = np.arange(int(2 * half) + 4)
    across, down = (
        np.clip(np.minimum(pixels + 1, at + half) - np.maximum(pixels, at - half), 0, 1)
        for at, pixels in ((middle[0], left + inner), (middle[1], top + inner))
    )
    canvas.lay(np.asarray(np.outer(down, across), np.float32), int(left), int(top))


def dabbed(name: str, side_mm: float, seed: int) -> Picture:
    canvas = fresh(name)
    for _, option in form_of(name).targets_on(1):
        dab(canvas, option, side_mm)
    return through_scanner(name, canvas, seed)


def crossed(name: str, pressure: float, seed: int) -> Picture:
    """The very same cross, by the same hand, in every target."""
    canvas = fresh(name)
    hand = take_pen("ballpoint", chance(seed, "pen"), strength=0.0)
    hand = replace(hand, colour=BLACK_INK, width_mm=0.4, pressure=pressure, tremor=0.0)
    for contest, option in form_of(name).targets_on(1):
        rng = chance(seed, "cross")
        draw_deed(canvas, place_of(contest, option), "cross", 0.2, (hand, rng))
    return through_scanner(name, canvas, seed)


DRAW: dict[str, tuple[Sequence[float], Draw]] = {
    "dab": (SIDES_MM, dabbed),
    "cross": (PRESSURES, crossed),
}


@cache
def read_all(name: str, what: str) -> list[Targets]:
    """The targets of a page for every strength of the mark that all of them bear."""
    strengths, draw = DRAW[what]
    return [read(name, draw(name, strength, 1)) for strength in strengths]


def alike(name: str) -> dict[tuple[str, float, float], list[int]]:
    """The numbers of the targets of a page, by shape and size."""
    groups: dict[tuple[str, float, float], list[int]] = defaultdict(list)
    for number, (_, option) in enumerate(form_of(name).targets_on(1)):
        groups[option.shape, round(option.w, 1), round(option.h, 1)].append(number)
    return groups


@cache
def conforming(name: str, number: int) -> Picture:
    batch = plan_batch("conforming", [form_of(name)], 1)
    batch = replace(batch, scanner=Scanner("grey", DPI, "grey", 80, flaws={"noise": 0.1}))
    data = draw_sheet(replace(batch, photocopy=0.0), number).data
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    return np.asarray(decoded, np.uint8)


def sheets() -> list[tuple[str, Picture]]:
    return [(name, conforming(name, number)) for number in (5, 6) for name in NAMES]


def test_an_image_is_read_the_same_however_often_in_any_order_and_by_any_reader() -> None:
    pile = sheets()
    forms = [form_of(name) for name in NAMES]
    reader = Reader(forms)
    first = [reader.read(as_page(gray)) for _, gray in pile]
    assert all(isinstance(reading, PageReading) for reading in first)
    assert [reader.read(as_page(gray)) for _, gray in pile] == first
    assert [reader.read(as_page(gray)) for _, gray in reversed(pile)][::-1] == first
    other = Reader(forms[::-1])
    assert [other.read(as_page(gray)) for _, gray in reversed(pile)][::-1] == first


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("what", DRAW)
def test_the_limit_of_a_mark_is_the_same_at_every_target_of_a_page(name: str, what: str) -> None:
    strengths = DRAW[what][0]
    pages = read_all(name, what)
    assert {target.state for target in pages[0]} != {MarkState.MARKED}
    assert {target.state for target in pages[-1]} == {MarkState.MARKED}
    for numbers in alike(name).values():
        unmarked, not_marked = [], []
        for number in numbers:
            states = [page[number].state for page in pages]
            empty = [state is MarkState.UNMARKED for state in states]
            unmarked.append(
                max((s for s, is_ in zip(strengths, empty, strict=True) if is_), default=0.0)
            )
            unsure = [state is not MarkState.MARKED for state in states]
            not_marked.append(max(s for s, is_ in zip(strengths, unsure, strict=True) if is_))
        assert np.ptp(unmarked) <= TOLERANCE[what] + 1e-9
        assert np.ptp(not_marked) <= TOLERANCE[what] + 1e-9


@pytest.mark.parametrize("name", NAMES)
def test_more_ink_never_makes_less_of_a_mark(name: str) -> None:
    order = [MarkState.UNMARKED, MarkState.DOUBTFUL, MarkState.MARKED]
    for what in DRAW:
        for states in zip(*read_all(name, what), strict=True):
            steps = [order.index(target.state) for target in states]
            # Two strengths apart: between neighbours noise may decide.
            assert all(later >= earlier for earlier, later in zip(steps, steps[2:], strict=False))


@pytest.mark.parametrize("name", NAMES)
def test_no_half_of_a_page_is_favoured(name: str) -> None:
    pages = [read(name, dabbed(name, 0.65, seed)) for seed in range(2, 6)]
    pages += [read(name, crossed(name, 0.2, seed)) for seed in range(2, 6)]
    centres = np.array([option.box.center for _, option in form_of(name).targets_on(1)])
    for numbers in alike(name).values():
        odds = np.array([[logit(page[i].probability) for i in numbers] for page in pages])
        each = (odds - odds.mean(axis=1, keepdims=True)).mean(axis=0)
        for axis in (0, 1):
            first = centres[numbers, axis] < np.median(centres[numbers, axis])
            if 5 <= first.sum() <= len(numbers) - 5:
                assert abs(each[first].mean() - each[~first].mean()) < LOGITS


def logit(probability: float) -> float:
    inner = float(np.clip(probability, 1e-4, 1 - 1e-4))
    return float(np.log(inner / (1 - inner)))


@pytest.mark.parametrize("name", NAMES)
def test_a_page_turned_or_shifted_gets_the_same_states(name: str) -> None:
    gray = conforming(name, 5)
    shift = round(3 * DPI / 25.4)
    moved = np.full_like(gray, 250)
    moved[shift:, shift:] = gray[:-shift, :-shift]
    states = [target.state for target in read(name, gray)]
    assert MarkState.MARKED in states
    assert MarkState.UNMARKED in states
    assert [target.state for target in read(name, np.ascontiguousarray(gray[::-1, ::-1]))] == states
    assert [target.state for target in read(name, moved)] == states
