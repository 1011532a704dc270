"""What is wrong with a batch of scans is said where it is so, and not where it is not."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from scanner.ballot import PageReading, Reason
from scanner.counting.scan_health import (
    SCAN_AGAIN,
    Edge,
    Finding,
    Flaw,
    ScannedPage,
    examine_batch,
)
from scanner.forms.catalog import find_form
from scanner.forms.template import Form
from scanner.messages import LANGUAGES, set_language
from scanner.publishing.health_screen import (
    in_short,
    name_of_edge,
    remedy_of,
    sentence_of,
    show_health,
    tell,
)
from scanner.reading.evidence import Evidence
from scanner.reading.interpret import Reader
from tests.conftest import Run
from tests.synthetic import as_page
from tests.world.canvas import Canvas, Picture, chance
from tests.world.habits import Voter
from tests.world.pens import take_pen
from tests.world.rescans import choose_votes, fill_paper, scan_paper
from tests.world.scanners import Placing, Scanner

FORMS = Path(__file__).parents[1] / "form_templates"
OFFICE = Scanner("office", 150, "grey", flaws={"noise": 0.1, "washed": 0.08})
COUNTS = {"one": 1, "two": 2}
PER_MM = 200 / 25.4


def page(position: int, **changes: object) -> ScannedPage:
    """A page without a flaw, as any page differs a little from the next."""
    rng = np.random.default_rng(position)
    scale, angle = PER_MM * (1 + rng.normal(0, 5e-4)), math.radians(rng.normal(0, 0.2))
    across, down = math.cos(angle) / scale, math.sin(angle) / scale
    evidence: dict[Evidence, float | str] = {
        Evidence.IMAGE_WIDTH_MM: 210 + rng.normal(0, 0.1),
        Evidence.IMAGE_HEIGHT_MM: 297 + rng.normal(0, 0.1),
        **{name: float(abs(rng.normal(0, 0.8))) for name in EDGES.values()},
        Evidence.PRINT_OUTSIDE: 0.0,
        Evidence.PRINT_FOUND: 0.95 + rng.normal(0, 0.01),
        Evidence.PAPER_LEVEL: 242 + rng.normal(0, 2),
        Evidence.PAPER_DARKEST: 232 + rng.normal(0, 2),
        Evidence.PRINT_LEVEL: 50 + rng.normal(0, 3),
        Evidence.PATCHES_FOUND: 60.0,
        Evidence.PATCHES_TRIED: 64.0,
        Evidence.SPREAD_MM: 0.05 + abs(rng.normal(0, 0.01)),
        Evidence.STREAKS_DOWN_MM: "",
        Evidence.STREAKS_ACROSS_MM: "",
    }
    values: dict[str, object] = {
        "position": position,
        "sheet": position + 1,
        "file": "pile.pdf",
        "number": position + 1,
        "form": "one",
        "page": 1,
        "homography": (across, -down, 0.0, down, across, 0.0, 0.0, 0.0, 1.0),
        "evidence": evidence,
    }
    return ScannedPage(**{**values, **changes})  # type: ignore[arg-type]


EDGES = {
    Edge.LEFT: Evidence.BEYOND_LEFT_MM,
    Edge.TOP: Evidence.BEYOND_TOP_MM,
    Edge.RIGHT: Evidence.BEYOND_RIGHT_MM,
    Edge.BOTTOM: Evidence.BEYOND_BOTTOM_MM,
}


def batch(count: int = 40) -> list[ScannedPage]:
    return [page(position) for position in range(count)]


def measured(one: ScannedPage, **evidence: float | str) -> ScannedPage:
    changes = {Evidence[name.upper()].value: value for name, value in evidence.items()}
    return replace(one, evidence={**one.evidence, **changes})


def scaled(one: ScannedPage, across: float, down: float) -> ScannedPage:
    """The page as it is when the scanner makes it larger."""
    a, b, c, d, e, f, *rest = one.homography
    return replace(one, homography=(a / across, b / across, c, d / down, e / down, f, *rest))


def turned(one: ScannedPage, degrees: float) -> ScannedPage:
    along, over = (math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))
    a, b, c, d, e, f, *rest = one.homography
    rows = (
        a * along + b * over,
        b * along - a * over,
        c,
        d * along + e * over,
        e * along - d * over,
    )
    return replace(one, homography=(*rows, f, *rest))


def refused(position: int, reason: Reason) -> ScannedPage:
    return replace(page(position), form=None, page=0, refusal=reason, homography=(), evidence={})


def flaws_of(pages: Sequence[ScannedPage]) -> dict[Finding, Flaw]:
    return {flaw.finding: flaw for flaw in examine_batch(pages, COUNTS).flaws}


Spoil = Callable[[ScannedPage], ScannedPage]
SPOILT: dict[Finding, Spoil] = {
    Finding.OTHER_RESOLUTION: lambda one: scaled(one, 1.5, 1.5),
    Finding.SCALE_DIFFERS: lambda one: measured(
        scaled(one, 1.03, 1.03), image_width_mm=210 / 1.03, image_height_mm=297 / 1.03
    ),
    Finding.STRETCHED: lambda one: scaled(one, 1.0, 1.015),
    Finding.SKEWED: lambda one: turned(one, 3.0),
    Finding.CLIPPED: lambda one: measured(one, beyond_top_mm=12.0),
    Finding.DARK: lambda one: measured(one, paper_level=190.0, paper_darkest=180.0),
    Finding.PALE: lambda one: measured(one, print_level=190.0),
    Finding.UNEVEN_LIGHT: lambda one: measured(one, paper_darkest=180.0),
    Finding.PRINT_BROKEN: lambda one: measured(one, print_found=0.5),
    Finding.LIES_BADLY: lambda one: measured(one, patches_found=30.0),
    Finding.LONGER: lambda one: measured(one, image_height_mm=320.0),
    Finding.PAGE_GAP: lambda one: replace(one, doubts=(Reason.PAGE_MISSING,)),
    Finding.BLANK_BACKS: lambda one: refused(one.position, Reason.BLANK_PAGE),
    Finding.NOT_READ: lambda one: refused(one.position, Reason.UNKNOWN_FORM),
}
SAME_FOR_ALL = {
    Finding.STREAK_DOWN,
    Finding.STREAK_ACROSS,
    Finding.LAMP_DRIFT,
    Finding.BLANK_PAGE,
}


def test_a_good_batch_has_nothing_wrong() -> None:
    health = examine_batch(batch(), COUNTS)
    assert health.flaws == ()
    assert (health.pages, health.read) == (40, 40)
    assert health.dpi == pytest.approx(200, abs=0.5)
    assert health.paper_level == pytest.approx(242, abs=2)
    assert health.scan_again() == {}


def test_every_finding_is_tried() -> None:
    assert {*SPOILT} | SAME_FOR_ALL == {*Finding}


@pytest.mark.parametrize("finding", SPOILT, ids=str)
def test_a_spoilt_page_is_named_and_no_other(finding: Finding) -> None:
    pages = batch()
    pages[17] = SPOILT[finding](pages[17])
    found = flaws_of(pages)
    assert list(found) == [finding]
    assert [one.position for one in found[finding].pages] == [17]
    again = examine_batch(pages, COUNTS).scan_again()
    assert list(again) == ([18] if finding in SCAN_AGAIN else [])


@pytest.mark.parametrize("finding", [Finding.SCALE_DIFFERS, Finding.STRETCHED], ids=str)
def test_what_all_pages_of_a_scanner_share_is_no_outlier(finding: Finding) -> None:
    assert finding not in flaws_of([SPOILT[finding](one) for one in batch()])


def test_a_line_of_dust_is_told_with_its_place_and_its_pages() -> None:
    pages = batch()
    for number in (3, 4, 5, 9):
        at = 34.0 + 0.1 * number
        pages[number] = measured(pages[number], streaks_down_mm=f"{at:.1f} {90 + 7 * number}")
    flaw = flaws_of(pages)[Finding.STREAK_DOWN]
    assert [one.position for one in flaw.pages] == [3, 4, 5, 9]
    assert flaw.at_mm == pytest.approx(34.5, abs=0.2)
    said = tell(flaw, examine_batch(pages, COUNTS))
    assert said == "A line runs down the scans 34 mm from their left edge, on 4 of 40 pages."


def test_lines_at_different_places_are_no_dust() -> None:
    pages = [measured(one, streaks_across_mm=f"{5 * one.position}") for one in batch()]
    assert flaws_of(pages) == {}


def test_a_lamp_that_fades_is_noticed() -> None:
    pages = [
        measured(one, paper_level=240.0 - 0.6 * n, paper_darkest=232.0 - 0.6 * n)
        for n, one in enumerate(batch())
    ]
    assert flaws_of(pages)[Finding.LAMP_DRIFT].amount == pytest.approx(-16, abs=3)


def test_blank_backs_of_a_one_sided_form_are_no_loss_and_others_are() -> None:
    one_sided = [page(0), refused(1, Reason.BLANK_PAGE), page(2), refused(3, Reason.BLANK_PAGE)]
    assert list(flaws_of(one_sided)) == [Finding.BLANK_BACKS]
    two_sided = [page(0, form="two"), refused(1, Reason.BLANK_PAGE)]
    assert list(flaws_of(two_sided)) == [Finding.BLANK_PAGE]


def test_a_page_turned_on_its_side_is_not_crooked() -> None:
    pages = batch()
    pages[4] = turned(pages[4], 90.0)
    pages[5] = turned(pages[5], 180.0)
    assert flaws_of(pages) == {}


def test_pages_without_measures_have_no_flaw() -> None:
    assert flaws_of([replace(one, evidence={}) for one in batch()]) == {}


def test_a_batch_that_could_not_be_read_at_all_is_told() -> None:
    health = examine_batch([refused(0, Reason.UNREADABLE_FILE)], COUNTS)
    assert [flaw.finding for flaw in health.flaws] == [Finding.NOT_READ]
    assert list(show_health(1, health))


# In words.


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_finding_has_a_sentence_and_a_remedy(language: str) -> None:
    set_language(language)
    sentences = {sentence_of(finding) for finding in Finding}
    assert len(sentences) == len(Finding)
    assert all(remedy_of(finding) for finding in Finding)
    assert all(in_short(finding) for finding in SCAN_AGAIN)
    assert len({name_of_edge(edge) for edge in Edge}) == len(Edge)


def test_no_sentence_leaves_a_place_open() -> None:
    health = examine_batch(batch(), COUNTS)
    for finding in Finding:
        said = tell(Flaw(finding, (page(0),), 1.5, 2.0, Edge.LEFT), health)
        assert "{" not in said
        assert "None" not in said


# On real pages.


@cache
def form() -> Form:
    return find_form(FORMS, "tth5_phuong")


@cache
def reader() -> Reader:
    return Reader([form()])


@cache
def canvas() -> Canvas:
    voter = Voter("cross", 0.2, take_pen("ballpoint", chance(1, "hand")))
    return fill_paper(form(), form().pages[0], voter, choose_votes(form(), form().pages[0], 1), 1)


def decoded(data: bytes) -> Picture:
    gray = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert gray is not None
    return gray.astype(np.uint8)


def evidence_of(scanner: Scanner, placing: Placing, spoil: object = None) -> dict[str, float | str]:
    data, _suffix = scan_paper(form().pages[0], canvas(), scanner, placing, 3)
    reading = reader().read(as_page(spoil(decoded(data)) if callable(spoil) else decoded(data)))
    assert isinstance(reading, PageReading), reading
    return reading.evidence


def number(evidence: dict[str, float | str], name: Evidence) -> float:
    value = evidence[name]
    assert isinstance(value, float)
    return value


@cache
def good() -> dict[str, float | str]:
    return evidence_of(OFFICE, {"skew": 0.1})


def test_a_good_scan_is_measured_as_one() -> None:
    one = good()
    assert number(one, Evidence.IMAGE_WIDTH_MM) == pytest.approx(210, abs=0.6)
    assert number(one, Evidence.IMAGE_HEIGHT_MM) == pytest.approx(297, abs=0.6)
    assert all(number(one, name) < 2 for name in EDGES.values())
    assert number(one, Evidence.PRINT_OUTSIDE) == 0
    assert number(one, Evidence.PRINT_FOUND) > 0.8
    assert number(one, Evidence.PAPER_LEVEL) - number(one, Evidence.PRINT_LEVEL) > 150
    assert one[Evidence.STREAKS_DOWN_MM] == one[Evidence.STREAKS_ACROSS_MM] == ""


def test_all_that_is_kept_of_a_page_has_a_documented_name() -> None:
    assert {*good()} == {*Evidence}


def line_at(mm: float, *, down: bool) -> Callable[[Picture], Picture]:
    def spoil(gray: Picture) -> Picture:
        streaked = gray.copy()
        at = round(mm * OFFICE.dpi / 25.4)
        where = np.s_[:, at : at + 2] if down else np.s_[at : at + 2, :]
        streaked[where] = np.minimum(streaked[where], 120)
        return streaked

    return spoil


@pytest.mark.parametrize("placing", [{}, {"upside down": 1.0}], ids=["upright", "upside down"])
def test_a_line_lies_where_the_glass_is_dirty_whichever_way_up_the_paper_lies(
    placing: Placing,
) -> None:
    one = evidence_of(OFFICE, placing, line_at(34.0, down=True))
    assert float(str(one[Evidence.STREAKS_DOWN_MM])) == pytest.approx(34, abs=0.7)
    assert one[Evidence.STREAKS_ACROSS_MM] == ""
    other = evidence_of(OFFICE, placing, line_at(80.0, down=False))
    assert float(str(other[Evidence.STREAKS_ACROSS_MM])) == pytest.approx(80, abs=0.7)
    assert other[Evidence.STREAKS_DOWN_MM] == ""


@pytest.mark.parametrize("upside_down", [False, True])
def test_the_edge_that_is_cut_off_is_the_edge_of_the_form(*, upside_down: bool) -> None:
    cut = round(14 * OFFICE.dpi / 25.4)
    placing: Placing = {"upside down": 1.0} if upside_down else {}
    one = evidence_of(OFFICE, placing, lambda gray: np.ascontiguousarray(gray[cut:]))
    edges = {edge: number(one, name) for edge, name in EDGES.items()}
    lost = Edge.BOTTOM if upside_down else Edge.TOP
    assert edges.pop(lost) == pytest.approx(14, abs=0.8)
    assert max(edges.values()) < 2
    assert number(one, Evidence.IMAGE_HEIGHT_MM) == pytest.approx(283, abs=1)


def test_print_beyond_the_scan_is_missed() -> None:
    cut = round(40 * OFFICE.dpi / 25.4)
    one = evidence_of(OFFICE, {}, lambda gray: np.ascontiguousarray(gray[cut:]))
    assert 0.02 < number(one, Evidence.PRINT_OUTSIDE) < 0.5


def test_light_that_falls_off_shows_as_drift_that_way() -> None:
    def darken(gray: Picture) -> Picture:
        shade = np.linspace(1.0, 0.75, gray.shape[0])[:, None]
        return np.asarray(gray * shade, np.uint8)

    one = evidence_of(OFFICE, {}, darken)
    assert number(one, Evidence.DRIFT_DOWN) > 35
    assert number(one, Evidence.DRIFT_ACROSS) < 10
    assert number(one, Evidence.PAPER_DARKEST) < number(one, Evidence.PAPER_LEVEL) - 15
    assert number(good(), Evidence.DRIFT_DOWN) < 10


def test_pale_print_and_dark_paper_are_measured() -> None:
    pale = evidence_of(OFFICE, {}, lambda gray: (160 + gray.astype(int) // 3).astype(np.uint8))
    assert number(pale, Evidence.PRINT_LEVEL) > 150
    dark = evidence_of(OFFICE, {}, lambda gray: (gray.astype(int) * 5 // 10).astype(np.uint8))
    assert number(dark, Evidence.PAPER_LEVEL) < 140


def test_a_count_tells_how_it_was_scanned(tmp_path: Path, run: Run) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for seed in range(4):
        data, suffix = scan_paper(form().pages[0], canvas(), OFFICE, {"shift": 0.1}, seed)
        gray = line_at(34.0, down=True)(decoded(data))
        if seed == 2:
            gray = np.ascontiguousarray(gray[round(14 * OFFICE.dpi / 25.4) :])
        cv2.imwrite(str(folder / f"{seed}{suffix}"), gray)
    run("scan", "count", folder, "--forms", FORMS, "-f", "tth5_phuong", "-j1")
    code, out, err = run("health", "count")
    assert code == 0, err
    assert "A line runs down the scans 34 mm from their left edge, on 4 of 4 pages." in out
    assert "Wipe the glass of the scanner." in out
    assert "On 1 of 4 pages the upper edge of the paper lies outside of the scan" in out
    assert re.search("0003 +│ cut off", out)
    assert "150 dpi" in out
