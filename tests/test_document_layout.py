"""Documents look as Nghị định 30/2020/NĐ-CP, Phụ lục I, asks: measured on the DOCX itself."""

from __future__ import annotations

import pypdfium2 as pdfium
import pytest
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn

from scanner.publishing.documents import measures as m
from scanner.publishing.documents.blocks import Table
from scanner.publishing.documents.facts import Kind
from tests.document_files import composed, docx_texts, opened, printed

OFFICIAL = (Kind.MINUTES, Kind.REPORT, Kind.NOTICE, Kind.POSTING, Kind.ELECTION)
PAPER = (*OFFICIAL, Kind.ENGLISH)


@pytest.mark.parametrize("kind", PAPER)
def test_margins_and_paper_are_those_of_the_decree(kind: Kind) -> None:
    for section in opened(composed(kind)).sections:
        page = (section.page_width, section.page_height)
        assert [side is not None and round(side.mm) for side in page] == [210, 297]
        sides = (section.top_margin, section.bottom_margin, section.left_margin,
                 section.right_margin)  # fmt: skip
        top, bottom, left, right = (side.mm for side in sides if side is not None)
        assert 20 <= round(top, 1) <= 25
        assert 20 <= round(bottom, 1) <= 25
        assert 30 <= round(left, 1) <= 35
        assert 15 <= round(right, 1) <= 20


@pytest.mark.parametrize(
    ("style", "sizes", "bold", "italic", "align"),
    [
        ("Quốc hiệu", (12, 13), True, False, WD_ALIGN_PARAGRAPH.CENTER),
        ("Tiêu ngữ", (13, 14), True, False, WD_ALIGN_PARAGRAPH.CENTER),
        ("Cơ quan chủ quản", (12, 13), False, False, WD_ALIGN_PARAGRAPH.CENTER),
        ("Cơ quan ban hành", (12, 13), True, False, WD_ALIGN_PARAGRAPH.CENTER),
        ("Số ký hiệu", (13, 13), False, False, WD_ALIGN_PARAGRAPH.CENTER),
        ("Địa danh ngày tháng", (13, 14), False, True, WD_ALIGN_PARAGRAPH.CENTER),
        ("Tên loại", (13, 14), True, False, WD_ALIGN_PARAGRAPH.CENTER),
        ("Trích yếu", (13, 14), True, False, WD_ALIGN_PARAGRAPH.CENTER),
        ("Kèm theo", (13, 14), False, True, WD_ALIGN_PARAGRAPH.CENTER),
        ("Căn cứ", (13, 14), False, True, WD_ALIGN_PARAGRAPH.JUSTIFY),
        ("Nội dung", (13, 14), False, False, WD_ALIGN_PARAGRAPH.JUSTIFY),
        ("Heading 1", (13, 14), True, False, WD_ALIGN_PARAGRAPH.JUSTIFY),
        ("Nơi nhận", (12, 12), True, True, WD_ALIGN_PARAGRAPH.LEFT),
        ("Nơi nhận (danh sách)", (11, 11), False, False, WD_ALIGN_PARAGRAPH.LEFT),
        ("Quyền hạn chức vụ", (13, 14), True, False, WD_ALIGN_PARAGRAPH.CENTER),
        ("Họ tên người ký", (13, 14), True, False, WD_ALIGN_PARAGRAPH.CENTER),
        ("Số trang", (13, 14), False, False, WD_ALIGN_PARAGRAPH.CENTER),
    ],
)
def test_each_element_has_the_size_and_cut_of_the_decree(
    style: str, sizes: tuple[int, int], bold: bool, italic: bool, align: WD_ALIGN_PARAGRAPH
) -> None:
    found = opened(composed(Kind.REPORT)).styles[style]
    assert found.font.name == "Times New Roman"
    assert found.font.size is not None
    assert sizes[0] <= found.font.size.pt <= sizes[1]
    assert (bool(found.font.bold), bool(found.font.italic)) == (bold, italic)
    assert found.paragraph_format.alignment == align
    fonts = found.element.rPr.find(qn("w:rFonts"))
    assert {fonts.get(qn(f"w:{one}")) for one in ("ascii", "hAnsi", "cs", "eastAsia")} == {
        "Times New Roman"
    }


def test_the_body_is_indented_and_spaced_as_the_decree_asks() -> None:
    body = opened(composed(Kind.REPORT)).styles["Nội dung"].paragraph_format
    assert body.first_line_indent is not None
    assert round(body.first_line_indent.cm, 2) in {1.0, 1.27}
    assert body.space_after is not None
    assert body.space_after.pt >= 6
    assert isinstance(body.line_spacing, float)
    assert 1.0 <= body.line_spacing <= 1.5


@pytest.mark.parametrize("kind", PAPER)
def test_the_page_number_stands_on_top_and_not_on_the_first_page(kind: Kind) -> None:
    made = opened(composed(kind))
    for section in made.sections:
        assert section.different_first_page_header_footer
        assert "PAGE" in section.header._element.xml
        assert section.header.paragraphs[0].style is not None
        assert section.header.paragraphs[0].style.name == "Số trang"
        assert "PAGE" not in section.first_page_header._element.xml
        assert section._sectPr.find(qn("w:pgNumType")).get(qn("w:start")) == "1"


def test_the_annex_is_numbered_by_itself_in_the_pdf_too() -> None:
    document = pdfium.PdfDocument(printed(composed(Kind.REPORT)))
    tops = [page.get_textpage().get_text_bounded(bottom=842 - 55).strip() for page in document]
    document.close()
    assert tops == ["", "2", "", "2"]


def test_the_rules_under_motto_and_issuer_are_real_lines_of_the_right_length() -> None:
    made = opened(composed(Kind.REPORT))
    head = made.tables[0].rows[0].cells
    lengths = []
    for cell, width in zip(head, (m.HEAD_LEFT_MM, m.HEAD_RIGHT_MM), strict=True):
        rule = cell.paragraphs[-1]
        assert rule.text == ""
        assert rule._p.pPr.find(qn("w:pBdr")).find(qn("w:top")).get(qn("w:val")) == "single"
        left, right = rule.paragraph_format.left_indent, rule.paragraph_format.right_indent
        assert left is not None
        assert right is not None
        lengths.append(width - left.mm - right.mm)
    issuer = m.line_width_mm("PHƯỜNG MẪU", m.HEAD_PT, is_bold=True)
    motto = m.line_width_mm("Độc lập - Tự do - Hạnh phúc", m.MOTTO_PT, is_bold=True)
    assert 1 / 3 <= lengths[0] / issuer <= 1 / 2
    assert lengths[1] == pytest.approx(motto, abs=0.2)
    assert "___" not in "".join(docx_texts(made))


@pytest.mark.parametrize("kind", OFFICIAL)
def test_every_official_document_has_head_title_and_who_signs(kind: Kind) -> None:
    styles = {one.style.name for table in opened(composed(kind)).tables for row in table.rows
              for cell in row.cells for one in cell.paragraphs if one.style}  # fmt: skip
    assert {"Quốc hiệu", "Tiêu ngữ", "Cơ quan ban hành", "Quyền hạn chức vụ"} <= styles
    texts = docx_texts(opened(composed(kind)))
    assert "Độc lập - Tự do - Hạnh phúc" in texts
    assert any(text.endswith("./.") for text in texts)


@pytest.mark.parametrize("kind", [Kind.MINUTES, Kind.POSTING, Kind.ELECTION])
def test_minutes_bear_no_place_and_date_under_the_motto(kind: Kind) -> None:
    assert not any(text.startswith("Phường Mẫu, ngày") for text in composed(kind).texts())


def test_a_row_of_a_question_is_never_parted_from_its_name_by_a_page() -> None:
    document = composed(Kind.NOTICE)
    table = next(one for one in document.blocks() if isinstance(one, Table))
    assert [end - start for start, end, _joins in table.groups()] == [4, 4, 4, 4, 4]
    drawn = opened(document).tables[1]
    merges = [row._tr.xml.count("w:vMerge") for row in drawn.rows]
    assert merges[1:6] == [2, 2, 2, 2, 2]
    assert "w:tblHeader" in drawn.rows[0]._tr.xml
