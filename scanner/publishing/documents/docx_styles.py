"""The styles and page of a DOCX after Nghị định 30/2020/NĐ-CP.

Real styles: who edits the document changes one of them, and all of its paragraphs follow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from docx.document import Document as DocxDocument
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor
from docx.styles.style import ParagraphStyle

from scanner.publishing.documents import measures as m
from scanner.publishing.documents.blocks import Look

CENTRE = WD_ALIGN_PARAGRAPH.CENTER
LEFT = WD_ALIGN_PARAGRAPH.LEFT
RIGHT = WD_ALIGN_PARAGRAPH.RIGHT
JUSTIFIED = WD_ALIGN_PARAGRAPH.JUSTIFY


@dataclass(frozen=True, slots=True)
class Face:
    """How a style looks."""

    name: str
    size_pt: float
    is_bold: bool = False
    is_italic: bool = False
    align: WD_ALIGN_PARAGRAPH = LEFT
    before_pt: float = 0.0
    after_pt: float = 0.0
    first_line_mm: float = 0.0
    left_mm: float = 0.0
    spacing: float = 1.0
    keeps_with_next: bool = False

    @property
    def style_id(self) -> str:
        """The id that python-docx gives a style of this name."""
        return self.name.replace(" ", "")


_BODY = Face(
    "Nội dung",
    m.BODY_PT,
    align=JUSTIFIED,
    after_pt=m.SPACE_AFTER_PT,
    first_line_mm=m.FIRST_LINE_MM,
    spacing=m.LINE_SPACING,
)
_HEADING = replace(_BODY, is_bold=True, keeps_with_next=True)
LOOKS = {
    Look.BODY: _BODY,
    Look.BASIS: replace(_BODY, name="Căn cứ", is_italic=True),
    Look.ADDRESSEE: replace(_BODY, name="Kính gửi", align=CENTRE, before_pt=6, first_line_mm=0),
    Look.PART: replace(_HEADING, name="Heading 1", before_pt=6),
    Look.CLAUSE: replace(_HEADING, name="Heading 2"),
    Look.ITEM: replace(_BODY, name="Liệt kê"),
    Look.NOTE: Face("Ghi chú bảng", m.NOTE_PT, is_italic=True, before_pt=3, after_pt=6),
    Look.LINE: Face("Dòng giữa", m.BODY_PT, align=CENTRE, after_pt=6),
}
"""The style of each look."""

NATION = Face("Quốc hiệu", m.HEAD_PT, is_bold=True, align=CENTRE)
MOTTO = Face("Tiêu ngữ", m.MOTTO_PT, is_bold=True, align=CENTRE)
SUPERIOR = Face("Cơ quan chủ quản", m.HEAD_PT, align=CENTRE)
ISSUER = Face("Cơ quan ban hành", m.HEAD_PT, is_bold=True, align=CENTRE)
NUMBER = Face("Số ký hiệu", m.NUMBER_PT, align=CENTRE)
PLACE_DATE = Face("Địa danh ngày tháng", m.DATE_PT, is_italic=True, align=CENTRE)
KIND = Face("Tên loại", m.TITLE_PT, is_bold=True, align=CENTRE, before_pt=12, keeps_with_next=True)
SUBJECT = Face("Trích yếu", m.TITLE_PT, is_bold=True, align=CENTRE, keeps_with_next=True)
ATTACHED = Face("Kèm theo", m.TITLE_PT, is_italic=True, align=CENTRE)
RULE = Face("Kẻ ngang", 2.0, align=CENTRE, before_pt=3)
GAP = Face("Khoảng cách", 12.0, keeps_with_next=True)
RECIPIENTS_LABEL = Face("Nơi nhận", m.RECIPIENTS_LABEL_PT, is_bold=True, is_italic=True)
RECIPIENTS = Face("Nơi nhận (danh sách)", m.RECIPIENTS_PT)
OFFICE = Face("Quyền hạn chức vụ", m.BODY_PT, is_bold=True, align=CENTRE, keeps_with_next=True)
HINT = Face(
    "Chữ ký (ghi chú)", m.RECIPIENTS_LABEL_PT, is_italic=True, align=CENTRE, keeps_with_next=True
)
SIGNER = Face("Họ tên người ký", m.BODY_PT, is_bold=True, align=CENTRE)
CELL_HEAD = Face(
    "Bảng (đầu)", m.TABLE_PT, is_bold=True, align=CENTRE, before_pt=2, after_pt=2,
    keeps_with_next=True,
)  # fmt: skip
CELL = Face("Bảng", m.TABLE_PT, before_pt=1, after_pt=1)
CHART_TITLE = Face(
    "Tên biểu đồ", m.BODY_PT, is_bold=True, align=CENTRE, before_pt=12, after_pt=6,
    keeps_with_next=True,
)  # fmt: skip
CHART = Face("Biểu đồ", m.TABLE_PT, align=CENTRE)
NOTICE = Face("Cảnh báo", m.BODY_PT, is_bold=True, align=CENTRE, before_pt=6, after_pt=6)
PAGE_NUMBER = Face("Số trang", m.PAGE_NUMBER_PT, align=CENTRE)
FOOTER = Face("Chân trang", m.NOTE_PT, is_bold=True, align=CENTRE)

OTHERS = (
    NATION, MOTTO, SUPERIOR, ISSUER, NUMBER, PLACE_DATE, KIND, SUBJECT, ATTACHED, RULE, GAP,
    RECIPIENTS_LABEL, RECIPIENTS, OFFICE, HINT, SIGNER, CELL_HEAD, CELL, CHART_TITLE, CHART, NOTICE,
    PAGE_NUMBER, FOOTER,
)  # fmt: skip


def set_styles(document: DocxDocument, language: str) -> None:
    """Give a new document the styles of official documents, and no others that print."""
    _set_defaults(document)
    normal = document.styles["Normal"]
    assert isinstance(normal, ParagraphStyle)
    _set_typeface(normal, m.BODY_PT, language)
    normal.paragraph_format.space_after = Pt(0)
    for face in (*LOOKS.values(), *OTHERS):
        names = {style.name for style in document.styles}
        style = (
            document.styles[face.name]
            if face.name in names
            else document.styles.add_style(face.name, WD_STYLE_TYPE.PARAGRAPH)
        )
        assert isinstance(style, ParagraphStyle)
        assert style.style_id == face.style_id
        _set_style(style, face, language)


def _set_defaults(document: DocxDocument) -> None:
    """The typeface also of what has no style, instead of those of a theme."""
    styles: Any = document.styles.element
    for fonts in styles.iterfind(f"{qn('w:docDefaults')}//{qn('w:rFonts')}"):
        _name_typeface(fonts)


def _set_style(style: ParagraphStyle, face: Face, language: str) -> None:
    _set_typeface(style, face.size_pt, language)
    style.font.bold = style.font.cs_bold = face.is_bold
    style.font.italic = style.font.cs_italic = face.is_italic
    shape = style.paragraph_format
    shape.alignment = face.align
    shape.space_before, shape.space_after = Pt(face.before_pt), Pt(face.after_pt)
    shape.first_line_indent, shape.left_indent = Mm(face.first_line_mm), Mm(face.left_mm)
    shape.line_spacing = face.spacing
    shape.keep_with_next = face.keeps_with_next
    shape.widow_control = True


def _set_typeface(style: ParagraphStyle, size_pt: float, language: str) -> None:
    style.font.name, style.font.size = m.TYPEFACE, Pt(size_pt)
    style.font.color.rgb = RGBColor(0, 0, 0)
    properties: Any = style.element.get_or_add_rPr()
    _name_typeface(properties.get_or_add_rFonts())
    for old in properties.findall(qn("w:szCs")):
        properties.remove(old)
    size = OxmlElement("w:szCs")
    size.set(qn("w:val"), str(round(2 * size_pt)))
    properties.find(qn("w:sz")).addnext(size)
    code = "vi-VN" if language == "vi" else "en-GB"
    spoken = OxmlElement("w:lang")
    for script in ("val", "eastAsia"):
        spoken.set(qn(f"w:{script}"), code)
    properties.append(spoken)


def _name_typeface(fonts: Any) -> None:
    for name in list(fonts.attrib):
        del fonts.attrib[name]
    # Word takes Vietnamese letters from any of these four, by its own lights.
    for script in ("ascii", "hAnsi", "cs", "eastAsia"):
        fonts.set(qn(f"w:{script}"), m.TYPEFACE)
