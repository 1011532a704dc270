"""A document as DOCX: to be opened in Word or LibreOffice, edited and signed."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import docx
from docx.document import Document as DocxDocument
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.section import Section
from docx.shared import Mm, Pt
from docx.table import Table as DocxTable
from docx.table import _Cell
from docx.text.paragraph import Paragraph as DocxParagraph

from scanner.publishing.documents import docx_styles as styles
from scanner.publishing.documents import measures as m
from scanner.publishing.documents.blocks import (
    Align,
    Block,
    Chart,
    Closing,
    Document,
    Head,
    Look,
    Notice,
    Paragraph,
    Part,
    Row,
    SealMark,
    Signature,
    Signatures,
    Table,
    Title,
    keeps_with,
)
from scanner.publishing.documents.charts import Drawing, draw_bar, picture, stack
from scanner.publishing.documents.line_breaks import side_mm, unbroken
from scanner.publishing.documents.seal_picture import QR_MM, qr_png

ALIGNS = {Align.LEFT: styles.LEFT, Align.CENTRE: styles.CENTRE, Align.RIGHT: styles.RIGHT}
MOST_CHART_MM = 45.0
"""Bars are put into pictures of at most this height, so that no page ends half empty."""
CELL_MARGIN_MM = 1.2
SIGN_LINES = 4
"""Empty lines for the signature."""


def docx_bytes(document: Document, at: datetime) -> bytes:
    """A document as the bytes of a DOCX file.

    Args:
        document: Its blocks.
        at: When it is made, for the file's properties.
    """
    made = docx.Document()
    styles.set_styles(made, document.language)
    _set_properties(made, document, at)
    for place, part in enumerate(document.parts):
        section = made.sections[0] if place == 0 else made.add_section(WD_SECTION.NEW_PAGE)
        _set_page(section, part, document)
        before: Block | None = None
        signing: list[Signatures | Closing] = []
        for block, after in zip(part.blocks, (*part.blocks[1:], None), strict=True):
            begun = len(made.element.body)
            if isinstance(block, Signatures | Closing):
                signing.append(block)
                if not keeps_with(block, after):
                    _write_signing(made, signing, _text_width(part))
                    signing = []
            else:
                _write(made, block, _text_width(part))
                if keeps_with(block, after):
                    _keep_with_next(made, begun)
            if isinstance(block, Table):
                _keep_rows(made.tables[-1], block, after)
            if isinstance(before, Table) and isinstance(block, Paragraph):
                made.paragraphs[-1].paragraph_format.space_before = Pt(m.SPACE_AFTER_PT)
            before = block
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def _write(made: DocxDocument, block: Block, width: float) -> None:
    match block:
        case Paragraph():
            _write_paragraph(made, block, width)
        case Head():
            _write_head(made, block)
        case Title():
            _write_title(made, block, width)
        case Table():
            _write_table(made, block, width)
        case Chart():
            _write_chart(made, block, width)
        case Signatures() | Closing():
            _write_signing(made, (block,), width)
        case SealMark():
            _write_seal(made, block)
        case Notice():
            _frame(_add(made, styles.NOTICE, block.text))


def _add(made: DocxDocument, face: styles.Face, text: str = "") -> DocxParagraph:
    paragraph: DocxParagraph = made.add_paragraph(unbroken(text))
    _set_style(paragraph, face)
    return paragraph


def _write_paragraph(made: DocxDocument, block: Paragraph, width: float) -> None:
    face = styles.LOOKS[block.look]
    written = _add(made, face, block.text)
    if face.align == styles.CENTRE:
        _balance(written, block.text, face, width)


def _balance(paragraph: DocxParagraph, text: str, face: styles.Face, width: float) -> None:
    """Make the lines of a centred text about as long as each other."""
    side = side_mm(
        text, width, lambda line: m.line_width_mm(line, face.size_pt, is_bold=face.is_bold)
    )
    if side:
        shape = paragraph.paragraph_format
        shape.left_indent = shape.right_indent = Mm(side)


def _keep_with_next(made: DocxDocument, begun: int) -> None:
    """What was written since then stays on the page of what comes next."""
    # The last element is the section's.
    for element in list(made.element.body)[begun - 1 : -1]:
        _keep_paragraphs(element)


def _keep_rows(drawn: DocxTable, table: Table, after: Block | None) -> None:
    """What is to stay whole does, and the last row with the note below the table."""
    has_note = isinstance(after, Paragraph) and after.look is Look.NOTE
    rows = list(drawn.rows)
    for row in [*(rows[:-1] if table.is_whole else []), *(rows[-1:] if has_note else [])]:
        _keep_paragraphs(row._tr)


def _keep_paragraphs(element: Any) -> None:
    for paragraph in element.iter(qn("w:p")):
        DocxParagraph(paragraph, element).paragraph_format.keep_with_next = True


def _set_style(paragraph: DocxParagraph, face: styles.Face) -> None:
    # By its id: python-docx looks through all styles for each name.
    paragraph._p.style = face.style_id


def _set_properties(made: DocxDocument, document: Document, at: datetime) -> None:
    properties = made.core_properties
    properties.title, properties.author = document.title, document.author
    properties.comments, properties.language = document.made, document.language
    properties.created = properties.modified = at.astimezone(UTC).replace(tzinfo=None)


def _text_width(part: Part) -> float:
    page = m.PAGE_HEIGHT_MM if part.is_landscape else m.PAGE_WIDTH_MM
    return page - m.LEFT_MM - m.RIGHT_MM


def _set_page(section: Section, part: Part, document: Document) -> None:
    """A4 with the decree's margins; the page number on top, from the second page on."""
    sides = (m.PAGE_WIDTH_MM, m.PAGE_HEIGHT_MM)
    width, height = sides[::-1] if part.is_landscape else sides
    section.orientation = WD_ORIENT.LANDSCAPE if part.is_landscape else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = Mm(width), Mm(height)
    section.top_margin, section.bottom_margin = Mm(m.TOP_MM), Mm(m.BOTTOM_MM)
    section.left_margin, section.right_margin = Mm(m.LEFT_MM), Mm(m.RIGHT_MM)
    section.header_distance = section.footer_distance = Mm(m.PAGE_NUMBER_FROM_TOP_MM)
    section.different_first_page_header_footer = True
    numbering = OxmlElement("w:pgNumType")
    numbering.set(qn("w:start"), "1")
    properties: Any = section._sectPr
    properties.insert_element_before(numbering, "w:cols", "w:titlePg", "w:docGrid")
    for header in (section.header, section.first_page_header):
        header.is_linked_to_previous = False
    number = section.header.paragraphs[0]
    _set_style(number, styles.PAGE_NUMBER)
    _add_field(number, "PAGE")
    for footer in (section.footer, section.first_page_footer):
        footer.is_linked_to_previous = False
        _set_style(footer.paragraphs[0], styles.FOOTER)
        footer.paragraphs[0].text = document.footer


def _add_field(paragraph: DocxParagraph, name: str) -> None:
    """A field that Word works out, such as the number of the page."""
    run: Any = paragraph.add_run()._r
    for kind in ("begin", "", "end"):
        if kind:
            piece = OxmlElement("w:fldChar")
            piece.set(qn("w:fldCharType"), kind)
        else:
            piece = OxmlElement("w:instrText")
            piece.text = name
        run.append(piece)


def _write_head(made: DocxDocument, head: Head) -> None:
    table = _plain_table(
        made, (m.HEAD_LEFT_MM, m.HEAD_RIGHT_MM), rows=2 if _has_second(head) else 1
    )
    left, right = table.rows[0].cells
    lines = [(text, styles.SUPERIOR) for text in head.superior]
    lines += [(text, styles.ISSUER) for text in head.issuer]
    _fill(left, lines)
    length = m.line_width_mm(head.issuer[-1], m.HEAD_PT, is_bold=True)
    _rule(left.add_paragraph(), m.SHORT_RULE * length, m.HEAD_LEFT_MM)
    _fill(right, [(head.nation, styles.NATION), (head.motto, styles.MOTTO)])
    # The rule under the motto is as long as the motto.
    length = m.line_width_mm(head.motto, m.MOTTO_PT, is_bold=True)
    _rule(right.add_paragraph(), length, m.HEAD_RIGHT_MM)
    if _has_second(head):
        left, right = table.rows[1].cells
        _fill(left, [(head.number, styles.NUMBER)])
        _fill(right, [(head.place_and_date, styles.PLACE_DATE)])


def _has_second(head: Head) -> bool:
    return bool(head.number or head.place_and_date)


def _write_title(made: DocxDocument, title: Title, width: float) -> None:
    _add(made, styles.KIND, title.kind)
    lines = [(title.subject, styles.SUBJECT)]
    if title.attached_to:
        lines.append((title.attached_to, styles.ATTACHED))
    for text, face in lines:
        _balance(_add(made, face, text), text, face, width)
    length = min(m.line_width_mm(lines[-1][0], m.TITLE_PT, is_bold=True), m.TEXT_WIDTH_MM)
    rule = _rule(made.add_paragraph(), m.SHORT_RULE * length, width)
    rule.paragraph_format.space_after = Mm(3)


def _write_table(made: DocxDocument, table: Table, width: float) -> None:
    shares = sum(column.share for column in table.columns)
    widths = [width * column.share / shares for column in table.columns]
    drawn = made.add_table(rows=1 + len(table.rows), cols=len(widths))
    drawn.style = "Table Grid"
    _set_cell_margins(drawn, CELL_MARGIN_MM)
    _fix_widths(drawn, widths)
    _repeat(drawn.rows[0]._tr)
    # All cells once: to ask python-docx for a row's cells walks through the whole table.
    cells = [list(row.cells) for row in drawn.rows]
    for cell, column in zip(cells[0], table.columns, strict=True):
        _set_cell(cell, column.title, styles.CELL_HEAD)
    for row_cells, row in zip(cells[1:], table.rows, strict=True):
        _fill_row(row_cells, table, row)
    for start, end, joins in table.groups():
        for number in range(start, end):
            for cell in cells[number + 1]:
                cell.paragraphs[0].paragraph_format.keep_with_next = True
        for column_number in range(joins):
            _join([cells[number + 1][column_number] for number in range(start, end + 1)])
    for drawn_row in drawn.rows:
        _keep_whole(drawn_row._tr)


def _fill_row(cells: Sequence[_Cell], table: Table, row: Row) -> None:
    for cell, column, text in zip(cells, table.columns, row.cells, strict=True):
        paragraph = _set_cell(cell, text, styles.CELL)
        paragraph.alignment = ALIGNS[column.align]
        if row.is_bold:
            for run in paragraph.runs:
                run.bold = True


def _join(cells: Sequence[_Cell]) -> None:
    """Join cells of one column; the text of the first stays."""
    for place, cell in enumerate(cells):
        properties: Any = cell._tc.get_or_add_tcPr()
        merge = OxmlElement("w:vMerge")
        if place == 0:
            merge.set(qn("w:val"), "restart")
        properties.append(merge)


def _write_chart(made: DocxDocument, chart: Chart, width: float) -> None:
    _add(made, styles.CHART_TITLE, chart.title)
    waiting: list[Drawing] = []
    for bar in chart.bars:
        drawing = draw_bar(bar, width)
        if waiting and sum(one.height for one in waiting) + drawing.height > MOST_CHART_MM:
            _add_picture(made, stack(waiting))
            waiting = []
        waiting.append(drawing)
    if waiting:
        _add_picture(made, stack(waiting))


def _add_picture(made: DocxDocument, drawing: Drawing) -> None:
    run = _add(made, styles.CHART).add_run()
    shape = run.add_picture(io.BytesIO(picture(drawing)), width=Mm(drawing.width))
    inline: Any = shape._inline
    inline.docPr.set("descr", drawing.said)
    # Left out, LibreOffice keeps text 3 mm away, and a picture of full width is put too far right.
    for side in ("distT", "distB", "distL", "distR"):
        inline.set(side, "0")


def _write_signing(
    made: DocxDocument, blocks: Sequence[Signatures | Closing], width: float
) -> None:
    """All who sign, and to whom it goes, as the rows of one table.

    Rows of one table stay on one page by their paragraphs in every office program; tables one
    after the other do not.
    """
    _add(made, styles.GAP)
    counts = [len(block.columns) if isinstance(block, Signatures) else 2 for block in blocks]
    grid = math.lcm(*counts)
    table = _plain_table(made, [width / grid] * grid, rows=len(blocks))
    for place, (block, count) in enumerate(zip(blocks, counts, strict=True)):
        row = table.rows[place]
        span = grid // count
        cells = [row.cells[n * span].merge(row.cells[(n + 1) * span - 1]) for n in range(count)]
        for cell, lines in zip(cells, _signing_lines(block), strict=True):
            _fill(cell, [("", styles.GAP), *lines] if place else lines)
        if place + 1 < len(blocks):
            _keep_paragraphs(row._tr)


def _signing_lines(block: Signatures | Closing) -> list[list[tuple[str, styles.Face]]]:
    """Of each cell its lines."""
    if isinstance(block, Signatures):
        return [_signature_lines(one, block.height - one.height) for one in block.columns]
    lines = [(block.label, styles.RECIPIENTS_LABEL)]
    lines += [(text, styles.RECIPIENTS) for text in block.recipients]
    return [lines, _signature_lines(block.signature) if block.signature is not None else []]


def _signature_lines(signature: Signature, lower: int = 0) -> list[tuple[str, styles.Face]]:
    """Office, room for the signature, and name, so many lines lower than it would be."""
    lines = [(text, styles.OFFICE) for text in signature.authority]
    if signature.hint:
        lines.append((signature.hint, styles.HINT))
    for name in (signature.name,) if not signature.others else signature.others:
        lines += [("", styles.OFFICE)] * (SIGN_LINES + lower)
        lines.append((name, styles.SIGNER))
    return lines


def _write_seal(made: DocxDocument, block: SealMark) -> None:
    _add(made, styles.GAP)
    table = _plain_table(made, (QR_MM + 4, m.TEXT_WIDTH_MM - QR_MM - 4))
    left, right = table.rows[0].cells
    left.paragraphs[0].add_run().add_picture(io.BytesIO(qr_png(block.code)), width=Mm(QR_MM))
    _fill(right, [(block.words, styles.RECIPIENTS), (block.fingerprint, styles.RECIPIENTS_LABEL)])


def _plain_table(made: DocxDocument, widths: Sequence[float], *, rows: int = 1) -> DocxTable:
    """A table without rules that only puts things side by side."""
    table: DocxTable = made.add_table(rows=rows, cols=len(widths))
    _fix_widths(table, widths)
    _set_cell_margins(table, 0)
    for row in table.rows:
        _keep_whole(row._tr)
    return table


def _set_cell_margins(table: DocxTable, side_mm: float) -> None:
    """How far text stays from the left and right side of its cell."""
    margins = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        margin = OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), str(Mm(side_mm).twips))
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    properties: Any = table._tbl.tblPr
    properties.insert_element_before(margins, "w:tblLook", "w:tblCaption", "w:tblDescription")


def _fix_widths(table: DocxTable, widths: Sequence[float]) -> None:
    table.autofit = False
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Mm(width)
    for row in table.rows:
        for cell, width in zip(row.cells, widths, strict=True):
            cell.width = Mm(width)


def _fill(cell: _Cell, lines: Sequence[tuple[str, styles.Face]]) -> None:
    for place, (text, face) in enumerate(lines):
        paragraph = cell.paragraphs[0] if place == 0 else cell.add_paragraph()
        _set_style(paragraph, face)
        paragraph.text = unbroken(text)


def _set_cell(cell: _Cell, text: str, face: styles.Face) -> DocxParagraph:
    paragraph: DocxParagraph = cell.paragraphs[0]
    _set_style(paragraph, face)
    paragraph.text = unbroken(text)
    return paragraph


def _rule(paragraph: DocxParagraph, length: float, width: float) -> DocxParagraph:
    """A real line: the upper border of an empty paragraph that is as wide as the line is long."""
    _set_style(paragraph, styles.RULE)
    side = Mm(max(0.0, (width - length) / 2))
    paragraph.paragraph_format.left_indent = paragraph.paragraph_format.right_indent = side
    _border(paragraph, "top")
    return paragraph


def _frame(paragraph: DocxParagraph) -> None:
    _border(paragraph, "top", "left", "bottom", "right", space="4")


def _border(paragraph: DocxParagraph, *sides: str, space: str = "1") -> None:
    borders = OxmlElement("w:pBdr")
    for side in sides:
        line = OxmlElement(f"w:{side}")
        values = {
            "val": "single",
            "sz": str(round(8 * m.RULE_PT)),
            "space": space,
            "color": "000000",
        }
        for name, value in values.items():
            line.set(qn(f"w:{name}"), value)
        borders.append(line)
    properties: Any = paragraph._p.get_or_add_pPr()
    properties.insert_element_before(
        borders, "w:shd", "w:tabs", "w:suppressAutoHyphens", "w:spacing", "w:ind", "w:jc"
    )


def _repeat(row: Any) -> None:
    """Print a table's head again on every page."""
    row.get_or_add_trPr().append(OxmlElement("w:tblHeader"))


def _keep_whole(row: Any) -> None:
    """No row is parted by the end of a page."""
    row.get_or_add_trPr().insert(0, OxmlElement("w:cantSplit"))
