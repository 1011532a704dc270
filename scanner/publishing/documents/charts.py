"""Charts as rectangles and words in millimetres: drawn once, then put on PDF, picture or web page.

A reader who prints in black and white still reads them: every piece has its figure and its label
beside its colour.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pypdfium2 as pdfium
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from scanner.forms.drawing.typography import width_mm, wrap
from scanner.forms.fonts import Face, load_faces
from scanner.publishing.documents.blocks import Bar, BarPart

SIZE_PT = 10.0
SMALL_PT = 9.0
LINE_MM = 4.6
BAR_MM = 6.0
GAP_MM = 4.0
"""Below each bar."""
SWATCH_MM = 2.8
LABEL_SHARE = 0.36
"""Of the width, for the label left of a bar with one piece."""
TEXT_MM = 39.0
"""For the figure right of it: 100,00 % (1.348/1.348)."""

COLOURS = ("#1f4e79", "#a9cfe8", "#d98c2b", "#b5542f", "#3d2b56", "#c7d9a8", "#7a9e6a", "#6b5b4a")
"""Neighbours, and any two of the first four, differ as greys too."""
RESTS = ("#ffffff", "#111111")
"""No answer, and too many answers."""
LIGHTEST_UNDER_WHITE = 130
"""On lighter colours words are dark; as a grey from 0 to 255."""
BACKGROUND = "#f1f1f1"
INK = "#202020"
EDGE_PT = 0.5
"""Around the pieces of a bar: without colours they are parted all the same."""


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A filled rectangle, in millimetres from the top left."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    has_edge: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """A text on one line; ``y`` is its base line."""

    x: float
    y: float
    text: str
    size_pt: float = SIZE_PT
    fill: str = INK


Shape = Rectangle | Words


@dataclass(frozen=True, slots=True)
class Drawing:
    """A piece of a chart that is not parted by the end of a page."""

    width: float
    height: float
    shapes: tuple[Shape, ...]
    said: str
    """The same in words, for those who cannot see it."""


def grey_of(colour: str) -> int:
    """How light a colour is without colours, from 0 to 255 (ITU-R BT.601)."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return (299 * red + 587 * green + 114 * blue) // 1000


def draw_bar(bar: Bar, width: float) -> Drawing:
    """One bar with its labels.

    Args:
        bar: Its pieces are as long as their counts.
        width: In millimetres.
    """
    load_faces()
    if len(bar.parts) == 1 and not (bar.title and bar.parts[0].figure == bar.whole):
        return _draw_single(bar, width)
    shapes: list[Shape] = []
    y = 0.0
    for line in wrap(bar.title, Face.PLAIN, SIZE_PT, width) if bar.title else ():
        y += LINE_MM
        shapes.append(Words(0, y - 1.2, line))
    shapes.append(Rectangle(0, y, width, BAR_MM, BACKGROUND, has_edge=True))
    coloured = _coloured(bar.parts)
    x = 0.0
    for part, fill in coloured:
        length = _length(part.figure, bar.whole, width)
        shapes.append(Rectangle(x, y, length, BAR_MM, fill, has_edge=True))
        if width_mm(part.text, Face.PLAIN, SMALL_PT) < length - 1.5:
            ink = INK if grey_of(fill) > LIGHTEST_UNDER_WHITE else "#ffffff"
            shapes.append(Words(x + 1, y + BAR_MM - 1.9, part.text, SMALL_PT, ink))
        x += length
    legend, height = _legend(coloured, y + BAR_MM + 1, width)
    return Drawing(width, height + GAP_MM, (*shapes, *legend), _said(bar))


def stack(drawings: Sequence[Drawing]) -> Drawing:
    """Drawings of one width, one below the other."""
    shapes: list[Shape] = []
    y = 0.0
    for drawing in drawings:
        shapes += [replace(shape, y=shape.y + y) for shape in drawing.shapes]
        y += drawing.height
    return Drawing(drawings[0].width, y, tuple(shapes), " ".join(one.said for one in drawings))


def paint(canvas: Canvas, drawing: Drawing) -> None:
    """Paint a drawing with its lower left corner at the canvas's origin."""
    for shape in drawing.shapes:
        canvas.setFillColor(shape.fill)
        match shape:
            case Rectangle():
                y = drawing.height - shape.y - shape.height
                canvas.setStrokeColor(INK)
                canvas.setLineWidth(EDGE_PT)
                canvas.rect(
                    shape.x * mm, y * mm, shape.width * mm, shape.height * mm,
                    stroke=int(shape.has_edge), fill=1,
                )  # fmt: skip
            case Words():
                canvas.setFont(Face.PLAIN.value, shape.size_pt)
                canvas.drawString(shape.x * mm, (drawing.height - shape.y) * mm, shape.text)


def picture(drawing: Drawing, *, dpi: int = 220) -> bytes:
    """A drawing as PNG, for files that hold no vector pictures."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(drawing.width * mm, drawing.height * mm), invariant=True)
    paint(canvas, drawing)
    canvas.save()
    document = pdfium.PdfDocument(buffer.getvalue())
    try:
        page = document[0]
        image = page.render(scale=dpi / 72).to_pil()
        page.close()
    finally:
        document.close()
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True, dpi=(dpi, dpi))
    return out.getvalue()


def _draw_single(bar: Bar, width: float) -> Drawing:
    """A bar of one piece: label left, figure right."""
    (part,) = bar.parts
    shapes: list[Shape] = []
    y = 0.0
    for line in wrap(bar.title, Face.PLAIN, SIZE_PT, width) if bar.title else ():
        y += LINE_MM
        shapes.append(Words(0, y - 1.2, line))
    left, room = width * LABEL_SHARE, width * (1 - LABEL_SHARE) - TEXT_MM
    lines = wrap(part.label, Face.PLAIN, SIZE_PT, left - 2)
    for place, line in enumerate(lines):
        shapes.append(Words(0, y + 4.2 + place * LINE_MM, line))
    fill = RESTS[0] if part.is_rest else COLOURS[0]
    length = _length(part.figure, bar.whole, room)
    shapes.append(Rectangle(left, y, room, BAR_MM, BACKGROUND, has_edge=True))
    shapes.append(Rectangle(left, y, length, BAR_MM, fill, has_edge=True))
    shapes.append(Words(left + room + 2, y + 4.2, part.text))
    height = y + max(BAR_MM, len(lines) * LINE_MM) + GAP_MM / 2
    return Drawing(width, height, tuple(shapes), _said(bar))


def _coloured(parts: Sequence[BarPart]) -> list[tuple[BarPart, str]]:
    colours = iter(COLOURS * (1 + len(parts) // len(COLOURS)))
    rests = iter(RESTS * len(parts))
    return [(part, next(rests) if part.is_rest else next(colours)) for part in parts]


def _legend(
    coloured: Sequence[tuple[BarPart, str]], top: float, width: float
) -> tuple[list[Shape], float]:
    """A swatch, the label and the figure of each piece, in as many lines as it takes."""
    shapes: list[Shape] = []
    x, y = 0.0, top + LINE_MM
    for part, fill in coloured:
        lines = wrap(f"{part.label}: {part.text}", Face.PLAIN, SMALL_PT, width - SWATCH_MM - 6)
        needed = SWATCH_MM + 6 + max(width_mm(line, Face.PLAIN, SMALL_PT) for line in lines)
        if x and (x + needed > width or len(lines) > 1):
            x, y = 0.0, y + LINE_MM
        shapes.append(Rectangle(x, y - SWATCH_MM, SWATCH_MM, SWATCH_MM, fill, has_edge=True))
        for place, line in enumerate(lines):
            shapes.append(Words(x + SWATCH_MM + 1.2, y + place * LINE_MM - 0.2, line, SMALL_PT))
        y += (len(lines) - 1) * LINE_MM
        x += needed
    return shapes, y + 1


def _length(figure: int, whole: int, room: float) -> float:
    return room * figure / whole if whole else 0.0


def _said(bar: Bar) -> str:
    pieces = "; ".join(_labels(bar.parts))
    return f"{bar.title}: {pieces}." if bar.title else f"{pieces}."


def _labels(parts: Sequence[BarPart]) -> Iterator[str]:
    for part in parts:
        yield f"{part.label} {part.text}"
