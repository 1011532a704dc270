"""The known world: it draws what it says, where the form says, and the same each time."""

from __future__ import annotations

import ast
from dataclasses import replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from scanner.ballot import MarkState, PageReading
from scanner.forms.catalog import find_form, list_forms
from scanner.forms.template import Contest, Form, Option
from scanner.geometry import Box
from scanner.reading.interpret import Reader
from scanner.reading.pages import close_files, load_page
from tests.world.canvas import Canvas, Picture, chance
from tests.world.geometry import Geometry
from tests.world.habits import LARGE, Voter, fill_in, meet_voter, place_of
from tests.world.paper import BEFORE_WRITING, PAPER, fold_at
from tests.world.pens import PENS, take_pen
from tests.world.people import DEEDS, draw_deed, write_remark
from tests.world.phones import PHONE_EFFECTS, hold_camera, photograph
from tests.world.scanners import FLAWS, PLACING, Scanner, lay_sheet, scan
from tests.world.sheets import (
    SHEETS_A_BATCH,
    WORLDS,
    Batch,
    World,
    draw_sheet,
    plan_batch,
    printed_form,
)

FORMS = Path(__file__).parents[1] / "form_templates"
DPI = 150
SIZE_MM = (210.0, 297.0)


@cache
def the_form() -> Form:
    return find_form(FORMS, "tth5_phuong")


def fresh(dpi: int = DPI) -> Canvas:
    form = the_form()
    print_ = printed_form(form.blank_path(form.pages[0]), form.pages[0].width_mm, dpi)
    return Canvas(print_.copy(), float(dpi))


def target(number: int = 4) -> tuple[Contest, Option]:
    return the_form().targets_on(1)[number]


def difference(one: Picture, other: Picture) -> float:
    return float(cv2.absdiff(one, other).mean())


def batch_of(world: World, number: int = 3) -> Batch:
    return plan_batch(world, [the_form()], number)


def darkness_at(scan_: Picture, geometry: Geometry, points: np.ndarray) -> np.ndarray:
    places = geometry.to_scan(points).astype(np.float32)
    gray = cv2.remap(scan_, places[:, 0], places[:, 1], cv2.INTER_LINEAR)
    return 255.0 - np.asarray(gray, float).ravel()


def outline_of(box: Box, inset_mm: float) -> np.ndarray:
    inner = box.grown(-inset_mm)
    t = np.linspace(0, 1, 9)
    sides = [
        np.stack([inner.x + t * inner.w, np.full(9, inner.y)], axis=1),
        np.stack([inner.x + t * inner.w, np.full(9, inner.bottom)], axis=1),
        np.stack([np.full(9, inner.x), inner.y + t * inner.h], axis=1),
        np.stack([np.full(9, inner.right), inner.y + t * inner.h], axis=1),
    ]
    return np.vstack(sides)


def test_it_knows_nothing_of_the_reading_or_of_the_program_s_own_pens() -> None:
    allowed = {"scanner.geometry", "scanner.forms.template"}
    for path in (Path(__file__).parent / "world").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                assert not name.startswith(("scanner", "benchmarks")) or name in allowed, path


@pytest.mark.parametrize("world", WORLDS)
def test_a_seed_draws_one_sheet_and_another_seed_another(world: World) -> None:
    batch = replace(batch_of(world), long_side_px=1200 if world == "phone" else 0)
    first, again = draw_sheet(batch, 36), draw_sheet(batch, 36)
    other = draw_sheet(batch, 37)
    assert first.data == again.data
    assert first.truths == again.truths
    assert other.data != first.data
    assert [(t.contest, t.option) for t in first.truths] == [
        (contest.id, option.id) for contest, option in the_form().targets_on(1)
    ]


def test_batches_use_every_form_and_one_batch_one_scanner() -> None:
    forms = list_forms(FORMS)
    batches = [plan_batch("hard", forms, number) for number in range(60)]
    assert {batch.form.id for batch in batches} == {form.id for form in forms}
    assert {batch.scanner.mode for batch in batches} == {"bilevel", "grey", "colour"}
    assert plan_batch("hard", forms, 7) == batches[7]
    assert SHEETS_A_BATCH > 1


@pytest.mark.parametrize("name", DEEDS)
def test_every_deed_leaves_ink_at_its_target_and_nowhere_far_away(name: str) -> None:
    pictures = []
    for strength in (0.1, 0.9):
        canvas, (contest, option) = fresh(), target()
        hand = take_pen("ballpoint", chance(1, "pen"), strength=0.0)
        place = place_of(contest, option)
        draw_deed(canvas, place, name, strength, (hand, chance(1, name)))
        added = cv2.subtract(fresh().picture, canvas.picture) > 25
        near = place.box.grown(2.6 * place.side)
        if place.label is not None and name.startswith(("label", "name", "words")):
            near = Box(near.x, near.y, place.label.right - near.x + 8, near.h)
        left, top, width, height = canvas.window(near)
        assert added.sum() > 3
        assert added[top : top + height, left : left + width].sum() == added.sum()
        pictures.append(canvas.picture)
    assert difference(*pictures) > 0


def inked_mm2(name: str, strength: float, pen: str = "gel") -> float:
    total = 0.0
    for seed in range(5):
        canvas, (contest, option) = fresh(), target()
        hand = take_pen(pen, chance(seed, "pen"), strength=0.0)
        draw_deed(canvas, place_of(contest, option), name, strength, (hand, chance(seed, name)))
        lost = cv2.subtract(fresh().picture, canvas.picture).astype(float) / 255
        total += float(lost.sum()) / canvas.px_per_mm**2
    return total / 5


@pytest.mark.parametrize(
    ("name", "grows"),
    [("tick", True), ("hesitation", True), ("erased", True), ("dot", False), ("hatch", False)],
)
def test_the_strength_of_a_deed_has_its_way(name: str, *, grows: bool) -> None:
    weak, strong = inked_mm2(name, 0.0), inked_mm2(name, 1.0)
    assert (strong > 1.15 * weak) if grows else (weak > 1.15 * strong)


def test_a_lighter_pen_leaves_less() -> None:
    amounts = [inked_mm2("cross", 0.2, pen) for pen in ("hard pencil", "ballpoint", "felt")]
    assert amounts == sorted(amounts)
    assert amounts[0] > 0.1


@pytest.mark.parametrize("name", PENS)
def test_a_hand_that_presses_less_leaves_less(name: str) -> None:
    left = []
    for strength in (0.0, 1.0):
        canvas, (contest, option) = fresh(), target()
        hand = replace(take_pen(name, chance(2, name), strength=strength), width_mm=0.6)
        draw_deed(canvas, place_of(contest, option), "cross", 0.2, (hand, chance(3, "cross")))
        left.append(float(cv2.subtract(fresh().picture, canvas.picture).sum()))
    assert left[0] > left[1] > 0


@pytest.mark.parametrize("name", [*PAPER, *BEFORE_WRITING, "fold through target"])
def test_every_damage_of_paper_changes_the_sheet_by_its_strength(name: str) -> None:
    changes = []
    for strength in (0.1, 1.0):
        canvas = fresh()
        if name == "fold through target":
            fold_at(canvas, 100.0, strength, chance(5, name), down=False)
        else:
            {**PAPER, **BEFORE_WRITING}[name](canvas, strength, chance(5, name))
        changes.append(difference(canvas.picture, fresh().picture))
    assert changes[1] > 1.2 * changes[0] > 0


@pytest.mark.parametrize("name", FLAWS)
def test_every_flaw_of_a_scanner_changes_the_scan_by_its_strength(name: str) -> None:
    sheet, flat = fresh(), lay_sheet(SIZE_MM, DPI, {}, 1)
    # On grey paper, so that neither brighter nor darker is cut off.
    grey = cv2.convertScaleAbs(sheet.picture, alpha=0.7, beta=30).astype(np.uint8)
    plain = scan(grey, sheet.px_per_mm, flat, Scanner("plain", DPI, "grey"), 1)
    changes = [
        difference(
            scan(grey, sheet.px_per_mm, flat, Scanner(name, DPI, "grey", flaws={name: s}), 1), plain
        )
        for s in (0.1, 1.0)
    ]
    assert changes[1] > 1.2 * changes[0] > 0


@pytest.mark.parametrize("name", [name for name in PLACING if name != "upside down"])
def test_every_way_to_lie_moves_the_sheet_by_its_strength(name: str) -> None:
    corners = np.array([[10.0, 10.0], [200, 10], [200, 280], [10, 280], [60, 120]])
    plain = lay_sheet(SIZE_MM, DPI, {}, 4).to_scan(corners)
    moved = [
        np.abs(lay_sheet(SIZE_MM, DPI, {name: s}, 4).to_scan(corners) - plain).max()
        for s in (0.1, 1.0)
    ]
    assert moved[1] > moved[0] > 0.1


def test_a_sheet_upside_down_is_that() -> None:
    geometry = lay_sheet(SIZE_MM, DPI, {"upside down": 1.0}, 4)
    assert np.allclose(geometry.to_sheet(np.array([[-0.5, -0.5]])), [SIZE_MM], atol=0.2)


@pytest.mark.parametrize("name", PHONE_EFFECTS)
def test_everything_that_befalls_a_photograph_changes_it_by_its_strength(name: str) -> None:
    sheet = fresh()
    pictures = []
    for strengths in ({}, {name: 0.15}, {name: 1.0}):
        geometry = hold_camera(SIZE_MM, 1100, strengths, 4)
        pictures.append(photograph(sheet.picture, sheet.px_per_mm, geometry, strengths, 4))
    weak, strong = difference(pictures[1], pictures[0]), difference(pictures[2], pictures[0])
    assert strong > weak > 0


@pytest.mark.parametrize(
    "placing",
    [
        {"skew": 1.0, "size": 0.8, "shift": 0.4},
        {"stretch": 1.0, "curl": 1.0},
        {"small on large": 0.5, "upside down": 1.0},
    ],
    ids=lambda placing: " and ".join(placing),
)
def test_a_scan_shows_the_boxes_where_it_says(placing: dict[str, float]) -> None:
    sheet, geometry = fresh(200), lay_sheet(SIZE_MM, 200, placing, 2)
    seen = scan(sheet.picture, sheet.px_per_mm, geometry, Scanner("plain", 200, "grey"), 2)
    assert_boxes_are_seen(seen, geometry)


def test_a_photograph_shows_the_boxes_where_it_says() -> None:
    sheet = fresh(200)
    strengths = {"tilt": 0.9, "turn": 0.7, "bulge": 1.0}
    geometry = hold_camera(SIZE_MM, 2400, strengths, 2)
    seen = photograph(sheet.picture, sheet.px_per_mm, geometry, strengths, 2)
    assert_boxes_are_seen(seen, geometry)


def assert_boxes_are_seen(seen: Picture, geometry: Geometry) -> None:
    for _, option in the_form().targets_on(1):
        printed = darkness_at(seen, geometry, outline_of(option.box, 0.17))
        empty = darkness_at(seen, geometry, outline_of(option.box, 1.5))
        # The paper may be dim; the print is much darker still.
        assert np.median(printed) > np.median(empty) + 50


def test_pixels_and_places_on_the_sheet_are_turned_into_each_other() -> None:
    points = np.random.default_rng(1).uniform((5, 5), (205, 290), (200, 2))
    placing = {"skew": 0.7, "stretch": 1.0, "curl": 1.0, "size": 0.5}
    for geometry in (
        lay_sheet(SIZE_MM, 300, placing, 3),
        hold_camera(SIZE_MM, 3000, {"tilt": 1.0, "bulge": 1.0}, 3),
    ):
        assert np.abs(geometry.to_sheet(geometry.to_scan(points)) - points).max() < 0.002


def test_what_nobody_could_be_sure_of_is_never_clear() -> None:
    for slip, deed in (
        ("hesitation", "hesitation"),
        ("erased", "erased"),
        ("blackened", "blackened"),
        ("label struck", "label struck"),
        ("remark", "remark"),
    ):
        hand = take_pen("ballpoint", chance(1, "pen"))
        filling = fill_in(fresh(), the_form(), 1, Voter("cross", 0.2, hand, (slip,)), 11)
        slips = [truth for truth in filling.truths.values() if truth.deed == deed]
        assert slips, slip
        assert not any(truth.clear or truth.marked for truth in slips)


def test_a_circle_around_a_label_is_an_answer_that_needs_a_person() -> None:
    hand = take_pen("gel", chance(1, "pen"))
    filling = fill_in(fresh(), the_form(), 1, Voter("label ring", 0.2, hand), 11)
    meant = [truth for truth in filling.truths.values() if truth.marked]
    assert meant
    assert not any(truth.clear for truth in meant)


def test_a_mark_far_beside_its_box_is_not_clear_and_a_near_one_is() -> None:
    hand = take_pen("gel", chance(1, "pen"), strength=0.0)
    for untidiness, clear in ((0.0, True), (1.0, False)):
        filling = fill_in(fresh(), the_form(), 1, Voter("beside", untidiness, hand), 12)
        meant = [truth for truth in filling.truths.values() if truth.marked]
        sure = sum(truth.clear for truth in meant)
        assert 2 * sure > len(meant) if clear else 2 * sure < len(meant)


@pytest.mark.parametrize(("hard", "most"), [(False, 1.2), (True, 1.6)])
def test_some_voters_fill_the_cells_of_a_table_and_on_hard_sheets_write_beyond(
    *, hard: bool, most: float
) -> None:
    form = find_form(FORMS, "bao_lam_xa")
    heights = []
    for seed in range(400):
        voter = meet_voter(seed, hard=hard)
        if not voter.large or voter.habit not in LARGE:
            continue
        canvas = Canvas(np.full((1000, 720), 255, np.uint8), 86.0)
        for key, strokes in fill_in(
            canvas, form, 1, replace(voter, slips=()), seed
        ).strokes.items():
            contest = form.contest(key[0])
            box = next(one.box for one in contest.options if one.id == key[1]) if contest else None
            if box is not None and box.w > 10:
                heights.append(np.ptp(np.vstack(strokes)[:, 1]) / box.h)
    assert len(heights) > 50
    assert min(heights) > 0.6
    assert max(heights) <= most
    assert (max(heights) > 1.25) == hard


def test_pencil_that_a_bilevel_scan_loses_is_not_clear() -> None:
    scanner = Scanner("bilevel 200", 200, "bilevel", threshold=0.35, flaws={})
    batch = replace(batch_of("hard"), scanner=scanner, photocopy=0.0)
    voters = {seed: meet_voter(seed, hard=True) for seed in range(900)}
    light = [
        seed
        for seed, voter in voters.items()
        if voter.hand.name == "hard pencil" and voter.habit == "cross" and voter.hand.pressure < 0.9
    ]
    marked = [truth for truth in draw_sheet(batch, light[0]).truths if truth.marked]
    assert marked
    assert not any(truth.clear for truth in marked)


def test_a_remark_is_as_long_as_its_line_at_most() -> None:
    canvas = Canvas(np.full((1000, 1200), 255, np.uint8), 150.0)
    line = Box(20, 60, 80, 6)
    write_remark(canvas, line, 0.5, take_pen("gel", chance(1, "pen")), chance(1, "remark"))
    rows, columns = np.nonzero(canvas.picture < 128)
    scale = canvas.px_per_mm
    assert columns.size > 200
    assert columns.min() / scale > 15
    assert columns.max() / scale < line.right + 8
    assert line.y - 8 < rows.min() / scale < rows.max() / scale < line.bottom + 5


def test_a_clean_sheet_is_read_as_it_was_meant(tmp_path: Path) -> None:
    form = the_form()
    scanner = Scanner("grey 200", 200, "grey", 85, flaws={"noise": 0.1, "washed": 0.1})
    batch = replace(batch_of("conforming"), scanner=scanner, photocopy=0.0)
    reader = Reader([form])
    marked = 0
    for seed in range(3):
        sheet = draw_sheet(batch, seed)
        path = tmp_path / f"{seed}{sheet.suffix}"
        path.write_bytes(sheet.data)
        reading = reader.read(load_page(path, 1, min_long_side_px=reader.min_long_side_px))
        assert isinstance(reading, PageReading)
        for truth, read in zip(sheet.truths, reading.targets, strict=True):
            if read.state is not MarkState.DOUBTFUL:
                assert (read.state is MarkState.MARKED) == truth.marked
            marked += truth.marked
    close_files()
    assert marked > 5
