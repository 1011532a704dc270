"""Placed pieces -> a PDF, the pictures of its pages, and numbered copies."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pypdfium2 as pdfium
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from scanner.forms.codes import PageCode, draw_code, format_serial
from scanner.forms.drawing.design import OUTLINE_MM, Design
from scanner.forms.drawing.paging import Placed
from scanner.forms.drawing.pieces import Code, Item, Private, Run, Stroke, Target, Writing
from scanner.forms.drawing.typography import centered
from scanner.forms.fonts import Face
from scanner.forms.questions import Questions

BLANK_DPI = 200

Progress = Callable[[int, int], None]
"""Told how many copies are drawn, and of how many."""

_FOOT_MM = 9.0
_FOOT_PT = 9.5
_CORNER_MM, _CORNER_LONG_MM, _CORNER_THICK_MM = 5.5, 5.0, 0.8
_OVERLAP = 1.04
"""Squares of a code overlap a little: no hair of paper shows between two of them."""


def print_blank(questions: Questions, design: Design, placed: Sequence[Placed]) -> bytes:
    """The form without a serial number, as a PDF. The same form gives the same bytes."""
    buffer = io.BytesIO()
    canvas = _open_canvas(buffer, questions, design, last=placed[-1].page)
    for page in range(1, placed[-1].page + 1):
        _draw_page(canvas, design, placed, page)
        if questions.code:
            _draw(canvas, _code(design, PageCode(questions.id, page)), design, (0.0, 0.0))
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def print_copies(
    questions: Questions,
    design: Design,
    placed: Sequence[Placed],
    serials: Sequence[int],
    output: Path,
    progress: Progress | None = None,
) -> None:
    """Write one PDF with a copy of the form for each serial number.

    The number stands at the foot of each page, and in its code if it has one. Printed on both
    sides, each copy starts on a new piece of paper.

    Raises:
        OSError: The file cannot be written.
    """
    last = placed[-1].page
    canvas = _open_canvas(output, questions, design, last=last)
    for page in range(1, last + 1):
        canvas.beginForm(f"page{page}")
        _draw_page(canvas, design, placed, page)
        canvas.endForm()
    for done, number in enumerate(serials, start=1):
        serial = format_serial(number)
        for page in range(1, last + 1):
            canvas.doForm(f"page{page}")
            if questions.code:
                code = _code(design, PageCode(questions.id, page, serial))
                _draw(canvas, code, design, (0.0, 0.0))
            text = design.words.serial.format(serial=serial)
            foot = Run(0, 0, text, Face.PLAIN, _FOOT_PT)
            _draw(canvas, foot, design, (design.left_mm, design.height_mm - _FOOT_MM))
            canvas.showPage()
        if questions.sides == 2 and last > 1 and last % 2:
            canvas.showPage()
        if progress is not None:
            progress(done, len(serials))
    canvas.save()


def draw_blanks(pdf: bytes) -> Iterator[bytes]:
    """Each page of a PDF as a grey PNG of 200 dpi."""
    document = pdfium.PdfDocument(pdf)
    try:
        for page in document:
            bitmap = page.render(scale=BLANK_DPI / 72, grayscale=True)
            gray = np.ascontiguousarray(bitmap.to_numpy().squeeze())
            options = [cv2.IMWRITE_PNG_COMPRESSION, 9]
            _done, encoded = cv2.imencode(".png", gray, options)
            yield encoded.tobytes()
    finally:
        document.close()


def _open_canvas(
    output: io.BytesIO | Path, questions: Questions, design: Design, *, last: int
) -> Canvas:
    canvas = Canvas(
        str(output) if isinstance(output, Path) else output,
        pagesize=(design.width_mm * mm, design.height_mm * mm),
        invariant=True,
    )
    canvas.setTitle(questions.title)
    if questions.organisation:
        canvas.setAuthor(questions.organisation[-1])
    # A form that the printer makes smaller is read too, but its boxes are harder to hit.
    canvas.setViewerPreference("PrintScaling", "None")
    if last > 1:
        both = questions.sides == 2
        canvas.setViewerPreference("Duplex", "DuplexFlipLongEdge" if both else "Simplex")
    return canvas


def _draw_page(canvas: Canvas, design: Design, placed: Sequence[Placed], page: int) -> None:
    for part in placed:
        if part.page == page:
            for item in part.piece.items:
                _draw(canvas, item, design, (design.left_mm, design.top_mm + part.top))
    last = placed[-1].page
    if last > 1:
        text = design.words.page.format(page=page, last=last)
        number = centered(design.column_mm / 2, 0, text, Face.PLAIN, _FOOT_PT)
        _draw(canvas, number, design, (design.left_mm, design.height_mm - _FOOT_MM))
    if design.corner_marks:
        for stroke in _corners(design):
            _draw(canvas, stroke, design, (0.0, 0.0))


def _corners(design: Design) -> Iterator[Stroke]:
    """An angle in each corner, 5 mm and more from the edge, as printers leave out less."""
    inset, long, thick = _CORNER_MM, _CORNER_LONG_MM, _CORNER_THICK_MM
    for x, right in ((inset, 1.0), (design.width_mm - inset, -1.0)):
        for y, down in ((inset, 1.0), (design.height_mm - inset, -1.0)):
            yield Stroke(x - right * thick / 2, y, right * (long + thick / 2), 0.0, thick)
            yield Stroke(x, y - down * thick / 2, 0.0, down * (long + thick / 2), thick)


def _code(design: Design, code: PageCode) -> Code:
    x, y = design.code_place_mm
    return Code(x, y, design.code_mm or 0.0, code)


def _draw(canvas: Canvas, item: Item, design: Design, origin: tuple[float, float]) -> None:
    """Draw one thing; reportlab measures in points from the lower left corner."""
    left, top = origin
    match item:
        case Run():
            canvas.setFont(item.face.value, item.size_pt)
            y = (design.height_mm - (top + item.y)) * mm
            canvas.drawString((left + item.x) * mm, y, item.text)
        case Stroke():
            canvas.setLineWidth(item.thick * mm)
            x, y = left + item.x, design.height_mm - (top + item.y)
            canvas.line(x * mm, y * mm, (x + item.w) * mm, (y - item.h) * mm)
        case Target(shape="box"):
            canvas.setLineWidth(OUTLINE_MM * mm)
            side = item.w - OUTLINE_MM
            x = left + item.x + OUTLINE_MM / 2
            y = design.height_mm - (top + item.y + OUTLINE_MM / 2 + side)
            canvas.rect(x * mm, y * mm, side * mm, side * mm, stroke=1, fill=0)
        case Code():
            _draw_code(canvas, item, design)
        case Target() | Private() | Writing():
            pass


def _draw_code(canvas: Canvas, item: Code, design: Design) -> None:
    squares = draw_code(item.code)
    module = item.side / len(squares)
    outline = canvas.beginPath()
    for row, line in enumerate(squares):
        y = design.height_mm - (item.y + (row + 1) * module)
        for start, length in _runs(line):
            x, width = item.x + start * module, (length - 1 + _OVERLAP) * module
            outline.rect(x * mm, y * mm, width * mm, module * _OVERLAP * mm)
    canvas.setFillGray(0)
    canvas.drawPath(outline, stroke=0, fill=1, fillMode=1)


def _runs(line: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Start and length of each run of black squares."""
    start = None
    for at, black in enumerate((*line, False)):
        if black and start is None:
            start = at
        elif not black and start is not None:
            yield start, at - start
            start = None
