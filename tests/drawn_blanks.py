"""Pages with targets at known places, drawn as offices draw them; no font has to be installed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from scanner.forms.damage import Damage, damage_page, transform_matrix
from scanner.geometry import Box, mm_to_px
from scanner.registering.found import BlankSide, FoundTarget
from scanner.registering.outlines import overlap

A4_MM = (210.0, 297.0)
BOX_MM = 4.5
LINE_MM = 0.3
ROWS_MM = (60.0, 72.0, 84.0, 96.0, 108.0)
COLUMNS_MM = (25.0, 80.0, 135.0)
PLACES = tuple((x, y) for y in ROWS_MM for x in COLUMNS_MM)
"""The top left corners of fifteen targets, in reading order."""
MATRIX_COLUMNS_MM = (20.0, 30.0, 100.0, 125.0, 150.0, 175.0)
MATRIX_ROWS_MM = (140.0, 152.0, 161.0, 170.0, 179.0, 188.0)

Draw = Callable[["Sheet", Box], None]


class Sheet:
    """A reportlab canvas that is drawn on in millimetres from the top left."""

    def __init__(self, path: Path) -> None:
        self.canvas = Canvas(str(path), pagesize=(A4_MM[0] * mm, A4_MM[1] * mm))
        self.canvas.setLineWidth(LINE_MM * mm)

    def text(self, x: float, y: float, text: str, size: float = 11, bold: bool = False) -> None:
        self.canvas.setFont("Helvetica-Bold" if bold else "Helvetica", size)
        self.canvas.drawString(x * mm, (A4_MM[1] - y) * mm, text)

    def line(self, x0: float, y0: float, x1: float, y1: float) -> None:
        top = A4_MM[1]
        self.canvas.line(x0 * mm, (top - y0) * mm, x1 * mm, (top - y1) * mm)

    def frame(self, box: Box) -> tuple[float, float, float, float]:
        """What reportlab wants for a line whose outer edge is the box: x, y, width, height."""
        inner = box.grown(-LINE_MM / 2)
        return inner.x * mm, (A4_MM[1] - inner.bottom) * mm, inner.w * mm, inner.h * mm

    def save(self) -> None:
        self.canvas.save()


def rectangle(sheet: Sheet, box: Box) -> None:
    sheet.canvas.rect(*sheet.frame(box))


def four_lines(sheet: Sheet, box: Box) -> None:
    inner = box.grown(-LINE_MM / 2)
    half = LINE_MM / 2
    sheet.line(box.x, inner.y, box.right, inner.y)
    sheet.line(box.x, inner.bottom, box.right, inner.bottom)
    sheet.line(inner.x, inner.y - half, inner.x, inner.bottom + half)
    sheet.line(inner.right, inner.y - half, inner.right, inner.bottom + half)


def filled_ring(sheet: Sheet, box: Box) -> None:
    """As some programs write an outline: two nested squares, filled between."""
    path = sheet.canvas.beginPath()
    for edge in (box, box.grown(-LINE_MM)):
        path.rect(edge.x * mm, (A4_MM[1] - edge.bottom) * mm, edge.w * mm, edge.h * mm)
    sheet.canvas.drawPath(path, stroke=0, fill=1, fillMode=0)


def circle(sheet: Sheet, box: Box) -> None:
    x, y, w, _h = sheet.frame(box)
    sheet.canvas.circle(x + w / 2, y + w / 2, w / 2)


def oval(sheet: Sheet, box: Box) -> None:
    x, y, w, h = sheet.frame(Box(box.x, box.y, box.w * 1.5, box.h * 0.8))
    sheet.canvas.ellipse(x, y, x + w, y + h)


def boxes_at(
    places: Iterable[tuple[float, float]], w: float = BOX_MM, h: float = BOX_MM
) -> list[Box]:
    return [Box(x, y, w, h) for x, y in places]


def draw_questions(sheet: Sheet, draw: Draw, boxes: Sequence[Box]) -> None:
    """A heading full of letters O, questions, and a label right of each target."""
    sheet.text(50, 25, "QUO DOMINO: OFFICE OF GOOD ROADS", 15, bold=True)
    sheet.text(20, 40, "Do you know who looks after our roads? Only one option counts.", 12)
    for number, y in enumerate(ROWS_MM, start=1):
        sheet.text(20, y - 2.2, f"{number}. Our office: O, D, Q and 0 are letters", 11)
    for box in boxes:
        draw(sheet, box)
        sheet.text(box.x + 9, box.y + 3.8, "Good Option", 11)


def draw_matrix(sheet: Sheet, last_head: str = "Poor") -> list[Box]:
    """A ruled table: number, statement, four columns to mark; gives the cells to be marked."""
    xs, ys = MATRIX_COLUMNS_MM, MATRIX_ROWS_MM
    right = xs[-1] + 20
    for x in (*xs, right):
        sheet.line(x, ys[0], x, ys[-1])
    for y in ys:
        sheet.line(xs[0], y, right, y)
    heads = ("No", "Statement", "Very good", "Good", "Fair", last_head)
    for x, head in zip(xs, heads, strict=True):
        sheet.text(x + 1.5, ys[0] + 7, head, 9)
    for row, y in enumerate(ys[1:-1], start=1):
        sheet.text(xs[0] + 3, y + 6, str(row))
        sheet.text(xs[1] + 2, y + 6, "The office is open on time")
    edges = (*xs, right)
    return [
        Box(x, y, edges[edges.index(x) + 1] - x, ys[ys.index(y) + 1] - y)
        for y in ys[1:-1]
        for x in xs[2:]
    ]


def damaged(side: BlankSide, damage: Damage, seed: int = 1) -> BlankSide:
    """The side as a scanner gives it: a picture, without words."""
    gray = damage_page(side.gray, damage, np.random.default_rng(seed), dpi=side.dpi)
    return replace(side, gray=gray, words=())


def moved(boxes: Iterable[Box], damage: Damage, side: BlankSide) -> list[Box]:
    """Where the boxes lie on the damaged side."""
    matrix = transform_matrix(damage, side.gray.shape, side.dpi)
    scale = mm_to_px(1.0, side.dpi)
    found = []
    for box in boxes:
        x, y = (matrix @ [box.center[0] * scale, box.center[1] * scale, 1.0])[:2] / scale
        w, h = box.w * damage.scale, box.h * damage.scale
        found.append(Box(float(x) - w / 2, float(y) - h / 2, w, h))
    return found


def worst_edge_mm(targets: Sequence[FoundTarget], boxes: Sequence[Box]) -> float:
    """How far any edge lies from the truth; infinite if not exactly the boxes were found."""
    if len(targets) != len(boxes):
        return float("inf")
    worst = 0.0
    for box in boxes:
        nearest = max((target.box for target in targets), key=lambda found: overlap(found, box))
        if overlap(nearest, box) < 0.5:
            return float("inf")
        edges = (nearest.x - box.x, nearest.y - box.y)
        far_edges = (nearest.right - box.right, nearest.bottom - box.bottom)
        worst = max(worst, *(abs(off) for off in (*edges, *far_edges)))
    return worst
