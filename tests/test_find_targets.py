"""Targets are found where they are printed, and nothing else is taken for one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pikepdf
import pytest
from reportlab.lib.units import mm

from scanner.forms.damage import Damage, office_damage
from scanner.geometry import Box
from scanner.registering.found import BlankSide, FoundTarget, Source
from scanner.registering.image_targets import find_in_image
from scanner.registering.outlines import overlap
from scanner.registering.pdf_page import Letter
from scanner.registering.pdf_targets import find_box_letters
from scanner.registering.sides import load_sides
from scanner.registering.targets import find_targets, looks_marked
from scanner.registering.view import look_at
from tests.drawn_blanks import (
    A4_MM,
    PLACES,
    Draw,
    Sheet,
    boxes_at,
    circle,
    damaged,
    draw_matrix,
    draw_questions,
    filled_ring,
    four_lines,
    moved,
    oval,
    rectangle,
    worst_edge_mm,
)

BALLOTS = Path(
    os.environ.get("KIEMPHIEU_BALLOTS", Path(__file__).parents[2] / "shared" / "ballots")
)
TIGHT_MM = 0.15
TIGHT_ON_SCAN_MM = 0.3
SCAN = Damage(rotation_deg=0.7, paper=243, black=30, noise=1.2, blur_mm=0.09, specks=6)
SKEWED = Damage(rotation_deg=-2.6, noise=1.0, blur_mm=0.08)
BLACK_AND_WHITE = Damage(rotation_deg=0.3, noise=2.0, blur_mm=0.06, bilevel=True)
SHAPES: dict[Draw, str] = {rectangle: "box", circle: "circle", oval: "oval"}
FAINT = Damage(black=120, noise=2.0, blur_mm=0.12)
DRAWINGS = pytest.mark.parametrize("draw", [rectangle, four_lines, filled_ring, circle])


def questions(path: Path, draw: Draw = rectangle) -> list[Box]:
    sheet = Sheet(path)
    boxes = boxes_at(PLACES)
    draw_questions(sheet, draw, boxes)
    sheet.save()
    return boxes


@DRAWINGS
def test_outlines_of_a_pdf_are_found_however_they_are_drawn(tmp_path: Path, draw: Draw) -> None:
    boxes = questions(tmp_path / "a.pdf", draw)
    targets, notes = find_targets(load_sides(tmp_path / "a.pdf"), tmp_path / "a.pdf")
    assert worst_edge_mm(targets, boxes) < TIGHT_MM
    assert {target.source for target in targets} == {Source.DRAWING}
    assert {target.shape for target in targets} == {"circle" if draw is circle else "box"}
    assert notes == []


def test_targets_come_in_reading_order(tmp_path: Path) -> None:
    boxes = questions(tmp_path / "a.pdf")
    targets, _notes = find_targets(load_sides(tmp_path / "a.pdf"), tmp_path / "a.pdf")
    assert [overlap(t.box, b) > 0.9 for t, b in zip(targets, boxes, strict=True)] == [True] * 15


def test_a_box_inside_a_form_object_is_found(tmp_path: Path) -> None:
    sheet = Sheet(tmp_path / "a.pdf")
    boxes = boxes_at(PLACES)
    sheet.canvas.beginForm("boxes")
    draw_questions(sheet, rectangle, boxes)
    sheet.canvas.endForm()
    sheet.canvas.translate(0, -20 * mm)
    sheet.canvas.doForm("boxes")
    sheet.save()
    targets, _notes = find_targets(load_sides(tmp_path / "a.pdf"), tmp_path / "a.pdf")
    assert worst_edge_mm(targets, boxes_at((x, y + 20) for x, y in PLACES)) < TIGHT_MM


def test_places_count_from_the_top_left_of_the_page_as_it_is_shown(tmp_path: Path) -> None:
    questions(tmp_path / "a.pdf")
    with pikepdf.open(tmp_path / "a.pdf") as pdf:
        crop = (10 * mm, 20 * mm, 200 * mm, 287 * mm)
        pdf.pages[0].cropbox = pikepdf.Array([round(edge, 4) for edge in crop])
        pdf.pages[0].rotate(90, relative=False)
        pdf.save(tmp_path / "b.pdf")
    targets, _notes = find_targets(load_sides(tmp_path / "b.pdf"), tmp_path / "b.pdf")
    # Turned clockwise: what was up lies right, and the crop has taken 20 mm from below.
    cropped_height = A4_MM[1] - 10 - 20
    shown = [(cropped_height - (y - 10) - 4.5, x - 10) for x, y in PLACES]
    assert worst_edge_mm(targets, boxes_at(shown)) < TIGHT_MM


def test_form_fields_are_found_with_their_names(tmp_path: Path) -> None:
    sheet = Sheet(tmp_path / "a.pdf")
    boxes = boxes_at(PLACES[:6], 5.0, 5.0)
    form = sheet.canvas.acroForm
    for number, box in enumerate(boxes):
        place: dict[str, Any] = {"x": box.x * mm, "y": (A4_MM[1] - box.bottom) * mm}
        place["size"] = 5.0 * mm
        if number < 3:
            form.checkbox(name=f"yes{number}", **place)
        else:
            form.radio(name="rating", value=f"v{number}", shape="circle", **place)
    form.textfield(name="who", x=60, y=150, width=180, height=15)
    sheet.save()
    targets, _notes = find_targets(load_sides(tmp_path / "a.pdf"), tmp_path / "a.pdf")
    assert worst_edge_mm(targets[:3], boxes[:3]) < TIGHT_MM
    # A round button is drawn smaller than the place that it is given.
    for target, box in zip(targets[3:], boxes[3:], strict=True):
        x, y = target.box.center
        assert box.x < x < box.right
        assert box.y < y < box.bottom
    assert {target.source for target in targets} == {Source.FIELD}
    names = [target.name for target in targets]
    assert names[:3] == ["yes0", "yes1", "yes2"]
    assert names[3:] == ["rating=v3", "rating=v4", "rating=v5"]
    assert [target.shape for target in targets] == ["box"] * 3 + ["circle"] * 3


def test_a_field_on_a_drawn_box_is_one_target(tmp_path: Path) -> None:
    sheet = Sheet(tmp_path / "a.pdf")
    boxes = boxes_at(PLACES)
    draw_questions(sheet, rectangle, boxes)
    for number, box in enumerate(boxes):
        place: dict[str, Any] = {"x": (box.x - 0.4) * mm, "size": 5.4 * mm}
        place["y"] = (A4_MM[1] - box.bottom - 0.5) * mm
        sheet.canvas.acroForm.checkbox(name=f"f{number}", borderWidth=0, fillColor=None, **place)
    sheet.save()
    targets, _notes = find_targets(load_sides(tmp_path / "a.pdf"), tmp_path / "a.pdf")
    assert len(targets) == len(boxes)
    assert {target.source for target in targets} == {Source.FIELD}
    assert all(max(overlap(t.box, box) for box in boxes) > 0.6 for t in targets)


def test_letters_that_look_like_boxes_are_targets_tight_on_their_ink(tmp_path: Path) -> None:
    sheet = Sheet(tmp_path / "a.pdf")
    for x, y in PLACES:
        sheet.canvas.setFont("ZapfDingbats", 14)
        sheet.canvas.drawString(x * mm, (A4_MM[1] - y) * mm, "\u274f")
        sheet.text(x + 8, y, "o Option")
    sheet.save()
    (side,) = load_sides(tmp_path / "a.pdf")
    targets, _notes = find_targets([side], tmp_path / "a.pdf")
    assert len(targets) == len(PLACES)
    assert {target.source for target in targets} == {Source.GLYPH}
    for target, (x, y) in zip(targets, PLACES, strict=True):
        assert x - 0.2 < target.box.x < x + 1
        assert y - 5 < target.box.y < target.box.bottom < y + 1
        scale = side.dpi / 25.4
        beyond = target.box.grown(0.5).scaled(scale, scale)
        rows = slice(round(beyond.y), round(beyond.bottom))
        piece = side.gray[rows, round(beyond.x) : round(beyond.right)]
        edges = (piece[0], piece[-1], piece[:, 0], piece[:, -1])
        assert all(edge.min() > 200 for edge in edges), "ink sticks out of the box"


@pytest.mark.parametrize(
    ("char", "font", "is_target"),
    [
        ("☐", "SegoeUISymbol", True),
        ("○", "MS Gothic", True),
        ("o", "ABCDEF+Wingdings-Regular", True),
        ("\uf0a8", "Wingdings", True),
        ("O", "TimesNewRoman", False),
        ("o", "CourierNew", False),
    ],
)
def test_the_letter_and_its_font_say_whether_it_is_a_box(
    char: str, font: str, is_target: bool
) -> None:
    gray = np.full((600, 800), 255, np.uint8)
    cv2.rectangle(gray, (100, 100), (128, 128), 0, 2)
    # Fonts state the box of a sign with more or less room around it.
    letter = Letter(char, Box(12.4, 12.2, 4.5, 5.0), font)
    found = list(find_box_letters(look_at(BlankSide(1, gray, 200.0)), [letter]))
    truth = [Box(99, 99, 31, 31).scaled(0.127, 0.127)] if is_target else []
    assert worst_edge_mm(found, truth) < 0.2


def test_a_sign_that_shows_no_outline_is_no_target() -> None:
    gray = np.full((600, 800), 255, np.uint8)
    cv2.rectangle(gray, (100, 100), (128, 128), 0, -1)
    letter = Letter("☐", Box(12.4, 12.2, 4.5, 5.0), "Symbol")
    assert list(find_box_letters(look_at(BlankSide(1, gray, 200.0)), [letter])) == []


def test_empty_cells_of_a_ruled_table_are_targets(tmp_path: Path) -> None:
    sheet = Sheet(tmp_path / "a.pdf")
    cells = draw_matrix(sheet)
    sheet.save()
    sides = load_sides(tmp_path / "a.pdf")
    targets, notes = find_targets(sides, tmp_path / "a.pdf")
    assert worst_edge_mm(targets, cells) < 0.3
    assert {target.shape for target in targets} == {"cell"}
    assert any("16" in note for note in notes), "the clerk is told that cells were taken"
    on_scan = [damaged(side, SCAN) for side in sides]
    targets, _notes = find_targets(on_scan)
    assert worst_edge_mm(targets, moved(cells, SCAN, sides[0])) < 0.5


def test_a_column_for_notes_is_not_marked(tmp_path: Path) -> None:
    sheet = Sheet(tmp_path / "a.pdf")
    cells = draw_matrix(sheet, last_head="Notes")
    sheet.save()
    targets, _notes = find_targets(load_sides(tmp_path / "a.pdf"), tmp_path / "a.pdf")
    assert worst_edge_mm(targets, [cell for cell in cells if cell.x < 170]) < 0.3


def test_a_table_that_holds_boxes_has_no_other_targets(tmp_path: Path) -> None:
    sheet = Sheet(tmp_path / "a.pdf")
    cells = draw_matrix(sheet)
    boxes = [Box(cell.center[0] - 2, cell.center[1] - 2, 4, 4) for cell in cells if cell.x < 170]
    for box in boxes:
        rectangle(sheet, box)
    sheet.save()
    sides = load_sides(tmp_path / "a.pdf")
    for targets in (find_targets(sides, tmp_path / "a.pdf")[0], find_in_image(sides[0])):
        assert worst_edge_mm(targets, boxes) < TIGHT_MM


@pytest.mark.parametrize("draw", [rectangle, circle, oval])
@pytest.mark.parametrize("damage", [SCAN, SKEWED, BLACK_AND_WHITE], ids=["grey", "skew", "1-bit"])
def test_a_scan_of_a_blank_gives_the_same_targets(
    tmp_path: Path, draw: Draw, damage: Damage
) -> None:
    boxes = questions(tmp_path / "a.pdf", draw)
    if draw is oval:
        boxes = [Box(box.x, box.y, box.w * 1.5, box.h * 0.8) for box in boxes]
    (side,) = load_sides(tmp_path / "a.pdf")
    targets, notes = find_targets([damaged(side, damage)])
    assert worst_edge_mm(targets, moved(boxes, damage, side)) < TIGHT_ON_SCAN_MM
    assert {target.shape for target in targets} == {SHAPES[draw]}
    assert notes == []


def test_a_faint_scan_is_looked_at_harder(tmp_path: Path) -> None:
    boxes = questions(tmp_path / "a.pdf")
    (side,) = load_sides(tmp_path / "a.pdf")
    targets = find_in_image(damaged(side, FAINT))
    assert worst_edge_mm(targets, boxes) < 0.5


def test_every_office_scan_of_five_gives_all_targets(tmp_path: Path) -> None:
    boxes = questions(tmp_path / "a.pdf")
    (side,) = load_sides(tmp_path / "a.pdf")
    for seed in range(5):
        damage = office_damage(np.random.default_rng(seed))
        targets = find_in_image(damaged(side, damage, seed))
        # The feed stretches the page by up to half a millimetre.
        assert worst_edge_mm(targets, moved(boxes, damage, side)) < 0.8, seed


def test_an_outline_with_a_gap_is_found_by_its_family(tmp_path: Path) -> None:
    boxes = questions(tmp_path / "a.pdf")
    (side,) = load_sides(tmp_path / "a.pdf")
    scale = side.dpi / 25.4
    gray = side.gray.copy()
    gap = Box(boxes[7].right - 1, boxes[7].y + 1.9, 2, 0.8).scaled(scale, scale)
    gray[round(gap.y) : round(gap.bottom), round(gap.x) : round(gap.right)] = 255
    targets = find_in_image(BlankSide(1, gray, side.dpi))
    assert worst_edge_mm(targets, boxes) < TIGHT_ON_SCAN_MM


def test_letters_are_never_targets(tmp_path: Path) -> None:
    sheet = Sheet(tmp_path / "a.pdf")
    for row in range(18):
        size = 10 + row
        sheet.text(15, 20 + row * 14, "OO DO NOT GO 0 80 QUOD ODO OLD OO", size, bold=row % 2 == 1)
    sheet.save()
    sides = load_sides(tmp_path / "a.pdf")
    assert find_targets(sides, tmp_path / "a.pdf")[0] == []
    assert find_targets([damaged(sides[0], SCAN)])[0] == []


def test_a_photograph_has_no_targets_and_the_clerk_is_told() -> None:
    rng = np.random.default_rng(4)
    coarse = rng.integers(0, 255, (24, 18)).astype(np.float32)
    photo = cv2.resize(coarse, (1654, 2339), interpolation=cv2.INTER_CUBIC).astype(np.float64)
    photo = photo + rng.normal(0, 6, photo.shape)
    gray = np.clip(photo, 0, 255).astype(np.uint8)
    targets, notes = find_targets([BlankSide(1, gray, 200.0)])
    assert targets == []
    assert len(notes) == 1


def test_a_page_code_of_joined_squares_is_no_row_of_targets(tmp_path: Path) -> None:
    sheet = Sheet(tmp_path / "a.pdf")
    boxes = boxes_at(PLACES)
    draw_questions(sheet, rectangle, boxes)
    for place in range(12):
        sheet.canvas.rect(
            (120 + 4.4 * place) * mm, 270 * mm, 4.4 * mm, 4.4 * mm, fill=place % 3 == 1
        )
    sheet.save()
    (side,) = load_sides(tmp_path / "a.pdf")
    assert worst_edge_mm(find_in_image(side), boxes) < TIGHT_MM
    assert worst_edge_mm(find_targets([side], tmp_path / "a.pdf")[0], boxes) < TIGHT_MM


def test_a_blank_that_was_filled_in_keeps_its_targets_and_they_look_marked(tmp_path: Path) -> None:
    boxes = questions(tmp_path / "a.pdf")
    (side,) = load_sides(tmp_path / "a.pdf")
    clean, _notes = find_targets([side], tmp_path / "a.pdf")
    assert looks_marked([side], clean) == []
    gray = side.gray.copy()
    scale = side.dpi / 25.4
    crossed, filled = boxes[4].scaled(scale, scale), boxes[9].scaled(scale, scale)
    for x0, x1 in ((crossed.x, crossed.right), (crossed.right, crossed.x)):
        ends = (round(x0), round(crossed.y)), (round(x1), round(crossed.bottom))
        cv2.line(gray, *ends, 40, 4, cv2.LINE_AA)
    inside = filled.grown(-2)
    cv2.ellipse(
        gray, tuple(round(v) for v in inside.center), (15, 15), 0, 0, 360, 60, -1, cv2.LINE_AA
    )
    marked = BlankSide(1, gray, side.dpi)
    targets, _notes = find_targets([marked])
    assert worst_edge_mm(targets, boxes) < TIGHT_ON_SCAN_MM
    found = looks_marked([marked], targets)
    assert worst_edge_mm(found, [boxes[4], boxes[9]]) < TIGHT_ON_SCAN_MM


def test_a_printed_number_in_each_box_is_no_mark(tmp_path: Path) -> None:
    sheet = Sheet(tmp_path / "a.pdf")
    boxes = boxes_at(((30 + 9 * n, 60 + 9 * row) for row in range(4) for n in range(10)), 5.5, 5.5)
    for number, box in enumerate(boxes):
        rectangle(sheet, box)
        sheet.text(box.x + 1.7, box.y + 4.2, str(number % 10))
    sheet.save()
    (side,) = load_sides(tmp_path / "a.pdf")
    targets = find_in_image(side)
    assert worst_edge_mm(targets, boxes) < TIGHT_MM
    assert looks_marked([side], targets) == []
    assert worst_edge_mm(find_targets([side], tmp_path / "a.pdf")[0], boxes) < TIGHT_MM


def test_one_lone_box_of_a_pdf_counts_only_with_words_beside_it(tmp_path: Path) -> None:
    sheet = Sheet(tmp_path / "a.pdf")
    agreed, lone = boxes_at([(30, 100), (60, 200)])
    rectangle(sheet, agreed)
    sheet.text(37, 103.8, "I agree")
    rectangle(sheet, Box(lone.x, lone.y, 7.0, 7.0))
    sheet.save()
    targets, _notes = find_targets(load_sides(tmp_path / "a.pdf"), tmp_path / "a.pdf")
    assert worst_edge_mm(targets, [agreed]) < TIGHT_MM
    assert targets[0].sure < 0.8


@pytest.mark.skipif(
    not BALLOTS.is_dir(), reason="no real ballots here: set KIEMPHIEU_BALLOTS to their folder"
)
@pytest.mark.parametrize(
    "name", ["amc-stats", "opencount-cedar3", "opencount-nist", "vw-choctaw-2019"]
)
def test_real_blanks_give_their_targets_without_help(name: str) -> None:
    case = json.loads((BALLOTS / name / "case.json").read_text(encoding="utf-8"))
    template = case["templates"][0]
    page = template["pages"][0]
    encoded = np.frombuffer((BALLOTS / name / page["blank"]).read_bytes(), np.uint8)
    gray = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)
    assert gray is not None
    dpi = float(template.get("blank_dpi") or case["dpi"])
    targets: list[FoundTarget] = find_in_image(BlankSide(1, gray.astype(np.uint8), dpi))
    boxes = [Box(*(t[side] * 25.4 / dpi for side in "xywh")) for t in page["targets"]]
    assert worst_edge_mm(targets, boxes) < TIGHT_ON_SCAN_MM
