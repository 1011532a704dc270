"""A document as PDF: of the same blocks, measures and charts as its DOCX.

Its typeface is Noto Serif, which may be given away and has every Vietnamese letter; Times New Roman
may not be put into files by a program that does not own it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any, Literal
from xml.sax.saxutils import escape

from docx.enum.text import WD_ALIGN_PARAGRAPH
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    KeepTogether,
    NextPageTemplate,
    PageBreak,
    PageTemplate,
    Spacer,
)
from reportlab.platypus import Paragraph as PdfParagraph
from reportlab.platypus import Table as PdfTable

from scanner.forms.fonts import Face as Cut
from scanner.forms.fonts import load_faces, text_width_pt
from scanner.publishing.documents import docx_styles as styles
from scanner.publishing.documents import measures as m
from scanner.publishing.documents.blocks import (
    Align,
    Block,
    Chart,
    Closing,
    Document,
    Head,
    Notice,
    Paragraph,
    Part,
    SealMark,
    Signature,
    Signatures,
    Table,
    Title,
    keeps_with,
)
from scanner.publishing.documents.charts import Drawing, draw_bar, paint
from scanner.publishing.documents.line_breaks import side_mm, unbroken
from scanner.publishing.documents.seal_picture import QR_MM, qr_modules

SCALE = 0.9
"""Noto Serif looks as large as Times New Roman at this part of its size."""
LEADING = 1.22
Alignment = Literal[0, 1, 2, 4]
"""As reportlab numbers them: left, centred, right, justified."""
ALIGNS: dict[WD_ALIGN_PARAGRAPH, Alignment] = {
    styles.LEFT: 0,
    styles.CENTRE: 1,
    styles.RIGHT: 2,
    styles.JUSTIFIED: 4,
}
COLUMN_ALIGNS: dict[Align, Alignment] = {
    Align.LEFT: 0,
    Align.CENTRE: 1,
    Align.RIGHT: 2,
}
SIGN_MM = 22.0
"""Room for the signature."""
FIRST_LINES_PT = 50.0
"""A longer text is parted, rather than taken to the next page with its heading."""
MOST_JOINED_ROWS = 25
"""More rows than this are not joined: joined ones are kept on one page."""
IN_FACE = ("FONTNAME", (0, 0), (-1, -1), Cut.PLAIN.value)
"""Every table names a font, even for rules alone; unsaid it is Helvetica, which is not embedded."""
FIRST, LATER = "first", "later"


def pdf_bytes(document: Document) -> bytes:
    """A document as the bytes of a PDF file; the same document gives the same bytes."""
    load_faces()
    buffer = io.BytesIO()
    made = _Pages(buffer, document)
    story: list[Flowable] = []
    for place, part in enumerate(document.parts):
        turn = _turn(part)
        if place:
            story += [NextPageTemplate(FIRST + turn), PageBreak()]
        story.append(NextPageTemplate(LATER + turn))
        for chain in _chains(part.blocks):
            story += _keep(chain, _text_width(part))
    made.build(story)
    return buffer.getvalue()


def _chains(blocks: Sequence[Block]) -> Iterator[list[Block]]:
    """The blocks, those together that no end of a page may part."""
    chain: list[Block] = []
    for block, after in zip(blocks, (*blocks[1:], None), strict=True):
        chain.append(block)
        if not keeps_with(block, after):
            yield chain
            chain = []


def _keep(chain: Sequence[Block], width: float) -> Iterator[Flowable]:
    """A chain of blocks; on the next page where its beginning finds no room."""
    flow = [one for block in chain for one in _flow(block, width)]
    last = chain[-1]
    if isinstance(last, Signatures | Closing) or (isinstance(last, Table) and last.is_whole):
        yield KeepTogether(flow)
        return
    if len(chain) > 1:
        # Not reportlab's keepWithNext, which would take a whole table to the next page.
        yield CondPageBreak(sum(_least_height(one, last, width) for one in flow))
    yield from flow


def _least_height(flowable: Flowable, block: Block, width: float) -> float:
    """What has to stand on the page on which something begins, in points.

    Of a table that is its head with the rows of the first group; of a text its first lines.
    """
    _width, height = flowable.wrap(width * mm, m.PAGE_HEIGHT_MM * mm)
    if isinstance(flowable, PdfTable) and isinstance(block, Table):
        _start, end, _joins = next(block.groups(), (0, 0, 0))
        drawn: Any = flowable
        return float(sum(drawn._rowHeights[: end + 2]))
    return float(flowable.getSpaceBefore()) + min(float(height), FIRST_LINES_PT)


class _Pages(BaseDocTemplate):
    """A4 with the decree's margins; the number on top from the second page of each part on."""

    def __init__(self, buffer: io.BytesIO, document: Document) -> None:
        super().__init__(
            buffer,
            title=document.title,
            author=document.author,
            creator=document.made,
            lang=document.language,
            # Otherwise each page names Helvetica, as tables do.
            initialFontName=Cut.PLAIN.value,
            invariant=1,
        )
        self._footer = document.footer
        self._number = 1
        templates = []
        for part in (Part(()), Part((), is_landscape=True)):
            size = (m.PAGE_WIDTH_MM * mm, m.PAGE_HEIGHT_MM * mm)
            width, height = size[::-1] if part.is_landscape else size
            for name, on_page in ((FIRST, self._begin), (LATER, self._continue)):
                frame = Frame(
                    m.LEFT_MM * mm, m.BOTTOM_MM * mm, _text_width(part) * mm,
                    height - (m.TOP_MM + m.BOTTOM_MM) * mm,
                    leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0,
                )  # fmt: skip
                templates.append(
                    PageTemplate(
                        name + _turn(part), [frame], onPage=on_page, pagesize=(width, height)
                    )
                )
        landscape = bool(document.parts) and document.parts[0].is_landscape
        # The document begins on the first template.
        self.addPageTemplates(templates[2:] + templates[:2] if landscape else templates)

    def _begin(self, canvas: Canvas, _pages: BaseDocTemplate) -> None:
        self._number = 1
        self._foot(canvas)

    def _continue(self, canvas: Canvas, _pages: BaseDocTemplate) -> None:
        self._number += 1
        width, height = _size(canvas)
        canvas.setFont(Cut.PLAIN.value, m.PAGE_NUMBER_PT * SCALE)
        middle = (m.LEFT_MM * mm + width - m.RIGHT_MM * mm) / 2
        y = height - m.PAGE_NUMBER_FROM_TOP_MM * mm - m.PAGE_NUMBER_PT * SCALE
        canvas.drawCentredString(middle, y, str(self._number))
        self._foot(canvas)

    def _foot(self, canvas: Canvas) -> None:
        if self._footer:
            width, _height = _size(canvas)
            canvas.setFont(Cut.BOLD.value, m.NOTE_PT * SCALE)
            middle = (m.LEFT_MM * mm + width - m.RIGHT_MM * mm) / 2
            canvas.drawCentredString(middle, m.PAGE_NUMBER_FROM_TOP_MM * mm, self._footer)


class _Rule(Flowable):
    """A line in the middle of its room."""

    def __init__(self, length: float, before_pt: float = 3.5, after_pt: float = 2.0) -> None:
        super().__init__()
        self._length, self._before, self._after, self._width = length, before_pt, after_pt, 0.0

    def wrap(self, width: float, _height: float) -> tuple[float, float]:
        self._width = width
        return width, self._before + self._after

    def draw(self) -> None:
        self.canv.setLineWidth(m.RULE_PT)
        start = (self._width - self._length) / 2
        self.canv.line(start, self._after, start + self._length, self._after)


class _Bar(Flowable):
    """A bar of a chart."""

    def __init__(self, drawing: Drawing) -> None:
        super().__init__()
        self._drawing = drawing

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        return self._drawing.width * mm, self._drawing.height * mm

    def draw(self) -> None:
        paint(self.canv, self._drawing)


class _Code(Flowable):
    """A QR code of dark squares."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._rows = qr_modules(text)

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        return QR_MM * mm, QR_MM * mm

    def draw(self) -> None:
        side = QR_MM * mm / len(self._rows)
        self.canv.setFillColor("#000000")
        for y, row in enumerate(reversed(self._rows)):
            for x, is_dark in enumerate(row):
                if is_dark:
                    self.canv.rect(x * side, y * side, side, side, stroke=0, fill=1)


def _flow(block: Block, width: float) -> Iterator[Flowable]:
    match block:
        case Paragraph():
            face = styles.LOOKS[block.look]
            yield (
                _centre(block.text, face, width)
                if face.align == styles.CENTRE
                else _set(block.text, face)
            )
        case Head():
            yield from _head(block)
        case Title():
            yield from _title(block, width)
        case Table():
            yield _table(block, width)
            yield Spacer(1, m.SPACE_AFTER_PT)
        case Chart():
            yield from _chart(block, width)
        case Signatures():
            yield from _signatures(block, width)
        case Closing():
            yield from _closing(block, width)
        case SealMark():
            yield from _seal(block)
        case Notice():
            framed = PdfTable([[_set(block.text, styles.NOTICE)]], colWidths=[width * mm])
            framed.setStyle([IN_FACE, ("BOX", (0, 0), (-1, -1), m.RULE_PT, "#000000")])
            yield framed
            yield Spacer(1, 6)


def _size(canvas: Any) -> tuple[float, float]:
    width, height = canvas._pagesize
    return float(width), float(height)


def _turn(part: Part) -> str:
    return "-landscape" if part.is_landscape else ""


def _text_width(part: Part) -> float:
    page = m.PAGE_HEIGHT_MM if part.is_landscape else m.PAGE_WIDTH_MM
    return page - m.LEFT_MM - m.RIGHT_MM


def _cut(face: styles.Face) -> Cut:
    if face.is_bold:
        return Cut.BOLD_ITALIC if face.is_italic else Cut.BOLD
    return Cut.ITALIC if face.is_italic else Cut.PLAIN


def _set(
    text: str, face: styles.Face, align: Alignment | None = None, *, side: float = 0.0
) -> PdfParagraph:
    """A paragraph, so many millimetres from either side."""
    size = face.size_pt * SCALE
    style = ParagraphStyle(
        face.name,
        fontName=_cut(face).value,
        fontSize=size,
        leading=size * LEADING * face.spacing,
        alignment=ALIGNS[face.align] if align is None else align,
        firstLineIndent=face.first_line_mm * mm,
        leftIndent=(face.left_mm + side) * mm,
        rightIndent=side * mm,
        spaceBefore=face.before_pt,
        spaceAfter=face.after_pt,
        allowWidows=0,
        allowOrphans=0,
        splitLongWords=1,
    )
    return PdfParagraph(escape(unbroken(text)), style)


def _centre(text: str, face: styles.Face, width: float) -> PdfParagraph:
    """A centred text with lines of about one length."""
    return _set(text, face, side=side_mm(text, width, lambda line: _length_pt(line, face) / mm))


def _length_pt(text: str, face: styles.Face) -> float:
    return text_width_pt(text, _cut(face), face.size_pt * SCALE)


def _head(head: Head) -> Iterator[Flowable]:
    left: list[Flowable] = [_set(text, styles.SUPERIOR) for text in head.superior]
    left += [_set(text, styles.ISSUER) for text in head.issuer]
    left.append(_Rule(m.SHORT_RULE * _length_pt(head.issuer[-1], styles.ISSUER)))
    right = [
        _set(head.nation, styles.NATION),
        _set(head.motto, styles.MOTTO),
        _Rule(_length_pt(head.motto, styles.MOTTO)),
    ]
    rows: list[list[Any]] = [[left, right]]
    if head.number or head.place_and_date:
        number = _set(head.number, styles.NUMBER)
        rows.append([[number], [_set(head.place_and_date, styles.PLACE_DATE)]])
    yield _side_by_side(rows, (m.HEAD_LEFT_MM, m.HEAD_RIGHT_MM))


def _side_by_side(rows: Sequence[list[Any]], widths: Sequence[float]) -> PdfTable:
    table = PdfTable(rows, colWidths=[width * mm for width in widths])
    table.setStyle(
        [
            IN_FACE,
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 0),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ]
    )
    return table


def _title(title: Title, width: float) -> Iterator[Flowable]:
    yield Spacer(1, 8)
    yield _set(title.kind, styles.KIND)
    yield _centre(title.subject, styles.SUBJECT, width)
    last = title.subject
    if title.attached_to:
        last = title.attached_to
        yield _centre(title.attached_to, styles.ATTACHED, width)
    length = min(_length_pt(last, styles.SUBJECT), m.TEXT_WIDTH_MM * mm)
    yield _Rule(m.SHORT_RULE * length, 4, 2)
    yield Spacer(1, 8)


def _table(table: Table, width: float) -> PdfTable:
    shares = sum(column.share for column in table.columns)
    rows = [[_set(column.title, styles.CELL_HEAD) for column in table.columns]]
    for row in table.rows:
        face = styles.CELL_HEAD if row.is_bold else styles.CELL
        rows.append(
            [
                _set(text, face, COLUMN_ALIGNS[column.align])
                for text, column in zip(row.cells, table.columns, strict=True)
            ]
        )
    commands: list[tuple[Any, ...]] = [
        IN_FACE,
        ("GRID", (0, 0), (-1, -1), m.RULE_PT / 2, "#000000"),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 3),
        ("RIGHTPADDING", (0, 0), (-1, -1), 3),
        ("TOPPADDING", (0, 0), (-1, -1), 1.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
    ]
    for start, end, joins in table.groups():
        if end - start < MOST_JOINED_ROWS:
            commands += [("SPAN", (n, start + 1), (n, end + 1)) for n in range(joins)]
            commands.append(("NOSPLIT", (0, start + 1), (0, end + 1)))
    made = PdfTable(
        rows,
        colWidths=[width * mm * column.share / shares for column in table.columns],
        repeatRows=1,
    )
    made.setStyle(commands)
    return made


def _chart(chart: Chart, width: float) -> Iterator[Flowable]:
    bars = [_Bar(draw_bar(bar, width)) for bar in chart.bars]
    yield KeepTogether([_set(chart.title, styles.CHART_TITLE), *bars[:1]])
    yield from bars[1:]


def _signatures(block: Signatures, width: float) -> Iterator[Flowable]:
    yield Spacer(1, 8)
    cells = [_signature(one, block.height - one.height) for one in block.columns]
    yield _side_by_side([cells], [width / len(cells)] * len(cells))


def _closing(block: Closing, width: float) -> Iterator[Flowable]:
    yield Spacer(1, 8)
    left = [_set(block.label, styles.RECIPIENTS_LABEL)]
    left += [_set(text, styles.RECIPIENTS) for text in block.recipients]
    right = _signature(block.signature) if block.signature is not None else []
    yield _side_by_side([[left, right]], (width * 0.45, width * 0.55))


def _signature(signature: Signature, lower: int = 0) -> list[Flowable]:
    """Office, room for the signature, and name, so many lines lower than it would be."""
    flow: list[Flowable] = [_set(text, styles.OFFICE) for text in signature.authority]
    if signature.hint:
        flow.append(_set(signature.hint, styles.HINT))
    for name in signature.others or (signature.name,):
        room = SIGN_MM * mm + lower * m.BODY_PT * SCALE * LEADING
        flow += [Spacer(1, room), _set(name, styles.SIGNER)]
    return flow


def _seal(block: SealMark) -> Iterator[Flowable]:
    words = [_set(block.words, styles.RECIPIENTS), _set(block.fingerprint, styles.RECIPIENTS_LABEL)]
    yield Spacer(1, 8)
    yield _side_by_side([[[_Code(block.code)], words]], (QR_MM + 4, m.TEXT_WIDTH_MM - QR_MM - 4))
