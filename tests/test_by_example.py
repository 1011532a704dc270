"""One target is drawn; all that look like it are found, and nothing else."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from scanner.errors import FormError
from scanner.forms.damage import Damage
from scanner.geometry import Box
from scanner.registering.by_example import find_like
from scanner.registering.found import BlankSide, Example, Source
from scanner.registering.sides import load_sides
from scanner.registering.targets import find_targets
from tests.drawn_blanks import (
    PLACES,
    Draw,
    Sheet,
    boxes_at,
    circle,
    damaged,
    draw_matrix,
    draw_questions,
    moved,
    rectangle,
    worst_edge_mm,
)

SCAN = Damage(rotation_deg=0.7, paper=243, black=30, noise=1.2, blur_mm=0.09, specks=6)
TIGHT_MM = 0.3
Gray = np.ndarray


def two_pages(path: Path, draw: Draw) -> list[Box]:
    sheet = Sheet(path)
    boxes = boxes_at(PLACES)
    for _page in range(2):
        sheet.canvas.setLineWidth(0.85)
        draw_questions(sheet, draw, boxes)
        sheet.canvas.showPage()
    sheet.save()
    return boxes


@pytest.mark.parametrize("draw", [rectangle, circle])
@pytest.mark.parametrize(
    "loose", [(0.0, 0.0, 0.0), (1.6, -1.4, 0.9), (-1.9, 1.8, 0.0), (1.0, 1.0, -0.4)]
)
def test_a_loosely_drawn_example_finds_the_rest_on_all_pages(
    tmp_path: Path, draw: Draw, loose: tuple[float, float, float]
) -> None:
    boxes = two_pages(tmp_path / "a.pdf", draw)
    sides = [damaged(side, SCAN) for side in load_sides(tmp_path / "a.pdf")]
    there = moved(boxes, SCAN, sides[0])
    dx, dy, larger = loose
    drawn = there[4].grown(larger)
    example = Example(1, Box(drawn.x + dx, drawn.y + dy, drawn.w, drawn.h))
    targets = find_like(sides, [example])
    for page in (1, 2):
        own = [target for target in targets if target.page == page]
        assert worst_edge_mm(own, there) < TIGHT_MM
    assert {target.source for target in targets} == {Source.EXAMPLE}


def test_each_kind_needs_its_own_example(tmp_path: Path) -> None:
    sheet = Sheet(tmp_path / "a.pdf")
    squares, rounds = boxes_at(PLACES[:6]), boxes_at(PLACES[6:12], 6.5, 6.5)
    for box in squares:
        rectangle(sheet, box)
    for box in rounds:
        circle(sheet, box)
    sheet.save()
    sides = load_sides(tmp_path / "a.pdf")
    one, other = Example(1, squares[0]), Example(1, rounds[0])
    assert worst_edge_mm(find_like(sides, [one]), squares) < TIGHT_MM
    assert worst_edge_mm(find_like(sides, [other]), rounds) < TIGHT_MM
    assert worst_edge_mm(find_like(sides, [one, other]), [*squares, *rounds]) < TIGHT_MM


def test_a_cell_stands_for_all_empty_cells_of_its_width(tmp_path: Path) -> None:
    sheet = Sheet(tmp_path / "a.pdf")
    cells = draw_matrix(sheet)
    sheet.save()
    sides = [damaged(side, SCAN) for side in load_sides(tmp_path / "a.pdf")]
    targets = find_like(sides, [Example(1, moved(cells, SCAN, sides[0])[5].grown(0.5))])
    narrow = [cell for cell in cells if cell.w > 20]
    assert {target.shape for target in targets} == {"cell"}
    assert worst_edge_mm(targets, moved(narrow, SCAN, sides[0])) < 0.5


def broken_arrows(places: list[tuple[float, float]]) -> tuple[BlankSide, list[Box]]:
    """Tail and head of an arrow with a gap between them, which the voter joins by a line."""
    gray = np.full((2200, 1700), 255, np.uint8)
    scale = 200 / 25.4
    for x, y in places:
        left, middle = round(x * scale), round((y + 2) * scale)
        cv2.rectangle(gray, (left, middle - 6), (left + 30, middle + 6), 0, -1)
        tip = np.array([[left + 95, middle], [left + 70, middle - 15], [left + 70, middle + 15]])
        cv2.fillPoly(gray, [tip.astype(np.int32)], 0)
        cv2.rectangle(gray, (left + 55, middle - 6), (left + 72, middle + 6), 0, -1)
        cv2.putText(
            gray, "MEASURE YES", (left - 420, middle + 12), cv2.FONT_HERSHEY_SIMPLEX, 1.1, 0, 3
        )
    boxes = [
        Box(round(x * scale) / scale, (round((y + 2) * scale) - 15) / scale, 96 / scale, 31 / scale)
        for x, y in places
    ]
    return BlankSide(1, gray, 200.0), boxes


def test_a_broken_arrow_is_found_by_example_only() -> None:
    side, boxes = broken_arrows([(60.0 + 75 * (n % 2), 40.0 + 15 * n) for n in range(9)])
    assert find_targets([side])[0] == []
    targets = find_like([side], [Example(1, boxes[3].grown(0.8))])
    assert worst_edge_mm(targets, boxes) < TIGHT_MM


def test_an_example_adds_what_was_not_found_alone() -> None:
    side, arrows = broken_arrows([(60.0, 40.0 + 15 * n) for n in range(6)])
    gray = side.gray.copy()
    scale = side.dpi / 25.4
    squares = boxes_at([(120.0, 40.0 + 15 * n) for n in range(6)])
    for box in squares:
        corner = round(box.x * scale), round(box.y * scale)
        far = round(box.right * scale) - 1, round(box.bottom * scale) - 1
        cv2.rectangle(gray, corner, far, 0, 2)
    side = BlankSide(1, gray, side.dpi)
    alone, _notes = find_targets([side])
    assert worst_edge_mm(alone, squares) < TIGHT_MM
    helped, _notes = find_targets([side], examples=[Example(1, arrows[0])])
    assert worst_edge_mm(helped, [*squares, *arrows]) < TIGHT_MM


def test_an_example_on_white_paper_is_refused(tmp_path: Path) -> None:
    two_pages(tmp_path / "a.pdf", rectangle)
    sides = load_sides(tmp_path / "a.pdf")
    with pytest.raises(FormError, match="Nothing is printed"):
        find_like(sides, [Example(1, Box(100, 250, 4, 4))])


def test_an_example_on_a_page_that_is_not_there_is_refused(tmp_path: Path) -> None:
    two_pages(tmp_path / "a.pdf", rectangle)
    sides = load_sides(tmp_path / "a.pdf")
    with pytest.raises(FormError, match="no page 3"):
        find_like(sides, [Example(3, Box(25, 60, 4, 4))])
