"""What stands together stays together, and nothing in a document is cut, cramped or left over."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise

import pypdfium2 as pdfium
import pytest
from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph as DocxParagraph

from scanner.counting.merge import merge
from scanner.counting.unit_tree import UnitTree
from scanner.publishing.documents import measures as m
from scanner.publishing.documents.blocks import (
    Chart,
    Closing,
    Document,
    Paragraph,
    Row,
    Signatures,
    Table,
    Title,
    keeps_with,
)
from scanner.publishing.documents.charts import (
    COLOURS,
    RESTS,
    TEXT_MM,
    Rectangle,
    Words,
    draw_bar,
    grey_of,
)
from scanner.publishing.documents.compose import compose
from scanner.publishing.documents.docx_file import CELL_MARGIN_MM
from scanner.publishing.documents.facts import Facts, Kind
from scanner.publishing.documents.line_breaks import side_mm, unbroken
from scanner.publishing.documents.pdf_file import pdf_bytes
from scanner.publishing.documents.phrasing import as_a_cell, within_a_sentence
from tests.document_facts import AT, ward_facts, ward_tally, ward_unit
from tests.document_files import composed, opened, printed, squeezed
from tests.mailed_tallies import Ballot, count

OFFICIAL = (Kind.MINUTES, Kind.REPORT, Kind.NOTICE, Kind.POSTING, Kind.ELECTION)
PAPER = (*OFFICIAL, Kind.ENGLISH)
TITLE = (
    "Kiểm phiếu khảo sát mức độ hài lòng thực hiện cơ chế một cửa, một cửa liên thông tại Bộ phận"
    " Tiếp nhận và Trả kết quả phường Hương Long Quý III năm 2023"
)


def width_mm(line: str) -> float:
    return m.line_width_mm(line, m.TITLE_PT, is_bold=True)


def lines_of(text: str, room: float) -> list[str]:
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if width_mm(longer) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def pages_of(document: Document) -> list[str]:
    file = pdfium.PdfDocument(pdf_bytes(document))
    texts = [squeezed(page.get_textpage().get_text_range()) for page in file]
    file.close()
    return texts


def long_minutes(lines: int) -> Document:
    """Minutes that are so many lines longer, so that their end falls anywhere on a page."""
    document = composed(Kind.MINUTES)
    (part,) = document.parts
    place = next(n for n, one in enumerate(part.blocks) if isinstance(one, Signatures)) - 1
    more = tuple(Paragraph(f"Dòng {n}.") for n in range(lines))
    blocks = (*part.blocks[:place], *more, *part.blocks[place:])
    return replace(document, parts=(replace(part, blocks=blocks),))


# Lines


def test_a_title_ends_in_no_single_word() -> None:
    text = unbroken(TITLE)
    plain = lines_of(text, m.TEXT_WIDTH_MM)
    room = m.TEXT_WIDTH_MM - 2 * side_mm(TITLE, m.TEXT_WIDTH_MM, width_mm)
    even = lines_of(text, room)
    assert len(even) == len(plain) == 3
    assert min(map(width_mm, even)) > 0.8 * max(map(width_mm, even))
    assert width_mm(plain[-1]) < 0.5 * width_mm(plain[0])


def test_a_title_of_one_line_keeps_the_whole_width() -> None:
    assert side_mm("Kết quả", m.TEXT_WIDTH_MM, width_mm) == 0


def test_a_title_in_the_docx_is_indented_from_both_sides() -> None:
    (title,) = [
        one for one in opened(composed(Kind.MINUTES)).paragraphs
        if one.style is not None and one.style.name == "Trích yếu"
    ]  # fmt: skip
    shape = title.paragraph_format
    assert shape.left_indent == shape.right_indent
    assert shape.left_indent is not None
    assert 0 < shape.left_indent.mm < 50


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("đạt 95,31 %;", "đạt 95,31~%;"),
        ("từ ngày 05 tháng 9 năm 2023", "từ ngày~05 tháng~9 năm~2023"),
        ("Quý III năm 2023", "Quý~III năm~2023"),
        ("(ngày 21/6/2023)", "(ngày 21/6/2023)"),
        ("trong năm nay", "trong năm nay"),
    ],
)
def test_a_number_is_never_parted_from_its_word(text: str, bound: str) -> None:
    assert unbroken(text) == bound.replace("~", "\u00a0")


def test_a_horn_makes_a_letter_wider_and_no_other_mark_does() -> None:
    plain = m.line_width_mm("Huong", 14, is_bold=True)
    assert m.line_width_mm("Hương", 14, is_bold=True) == pytest.approx(plain + 0.47, abs=0.02)
    assert m.line_width_mm("Họông", 14, is_bold=True) == m.line_width_mm("Hoong", 14, is_bold=True)


# What stays on one page


def test_in_the_docx_who_signs_stays_with_the_last_words() -> None:
    made = opened(composed(Kind.MINUTES))
    (last,) = [one for one in made.paragraphs if one.text.endswith("ký tên./.")]
    gap = DocxParagraph(last._p.getnext(), made)
    table = gap._p.getnext()
    assert last.paragraph_format.keep_with_next
    assert gap.style is not None
    assert gap.style.paragraph_format.keep_with_next
    assert table.tag == qn("w:tbl")
    rows = table.findall(qn("w:tr"))
    # The committee, the witnesses, and to whom it goes.
    assert len(rows) == 3
    for row in rows[:-1]:
        assert all(
            DocxParagraph(one, made).paragraph_format.keep_with_next for one in row.iter(qn("w:p"))
        )
    assert all(row.find(f"{qn('w:trPr')}/{qn('w:cantSplit')}") is not None for row in rows)


@pytest.mark.parametrize("lines", range(0, 28, 3))
def test_in_the_pdf_nobody_signs_on_a_page_without_the_last_words(lines: int) -> None:
    (signing,) = [page for page in pages_of(long_minutes(lines)) if "THƯKÝ" in page]
    assert "kýtên./." in signing
    assert "NGƯỜICHỨNGKIẾN" in signing
    assert "Nơinhận:" in signing


@pytest.mark.parametrize("lines", range(0, 28, 3))
def test_in_the_pdf_no_heading_stands_at_the_foot_of_a_page(lines: int) -> None:
    document = composed(Kind.MINUTES)
    (part,) = document.parts
    more = tuple(Paragraph(f"Dòng {n}.") for n in range(lines))
    moved = replace(document, parts=(replace(part, blocks=(*part.blocks[:2], *more,
                                                           *part.blocks[2:])),))  # fmt: skip
    for page in pages_of(moved):
        for heading, beginning in (
            ("III.KẾTQUẢTHEOTỪNGCÂUHỎI", "Tiêuchíđánhgiá"),
            ("IV.PHIẾUPHẢIXEMXÉT", "Mãphiếu"),
        ):
            if heading in page:
                assert beginning in page.split(heading)[1]


def test_headings_and_announced_tables_are_kept_in_the_docx() -> None:
    made = opened(composed(Kind.MINUTES))
    (before,) = [one for one in made.paragraphs if one.text.endswith("quyết định như sau:")]
    assert before.paragraph_format.keep_with_next
    for name in ("Heading 1", "Heading 2", "Bảng (đầu)", "Tên biểu đồ"):
        assert made.styles[name].paragraph_format.keep_with_next


@pytest.mark.parametrize("kind", PAPER)
def test_the_note_on_rounding_stays_with_the_last_row(kind: Kind) -> None:
    document = composed(kind)
    made = opened(document)
    blocks = [block for part in document.parts for block in part.blocks]
    followed = [isinstance(after, Paragraph) and after.text == ward_facts(
        language=document.language).rule_note().text for block, after in pairwise(blocks)
        if isinstance(block, Table)]  # fmt: skip
    ruled = [table for table in made.tables if table.style and table.style.name == "Table Grid"]
    for table, has_note in zip(ruled, followed, strict=True):
        paragraphs = list(table.rows[-1]._tr.iter(qn("w:p")))
        kept = [DocxParagraph(one, made).paragraph_format.keep_with_next for one in paragraphs]
        assert all(kept) == has_note
    assert any(followed) == (kind is not Kind.POSTING)


def test_each_list_of_names_is_whole_and_says_how_its_shares_are_made() -> None:
    blocks = list(composed(Kind.ELECTION).blocks())
    rule = ward_facts().rule_note()
    lists = [(one, blocks[place + 1 : place + 3]) for place, one in enumerate(blocks)
             if isinstance(one, Table) and one.columns[1].title == "Họ và tên"]  # fmt: skip
    assert len(lists) == 5
    assert all(table.is_whole and after[0] == rule for table, after in lists)
    off = [after[1] for _table, after in lists]
    texts = [one.text for one in off if isinstance(one, Paragraph)]
    assert "Do làm tròn số, cộng tỷ lệ là 99,99 %." in texts
    assert "Do làm tròn số, cộng tỷ lệ là 100,01 %." in texts


def test_only_what_announces_a_table_is_kept_with_it() -> None:
    table = Table((), ())
    assert keeps_with(Paragraph("như sau:"), table)
    assert not keeps_with(Paragraph("đạt 92 %."), table)
    assert keeps_with(Paragraph("./."), Closing("Nơi nhận:", ()))


# Cells and charts


@pytest.mark.parametrize("kind", PAPER)
def test_every_word_of_a_table_is_narrower_than_its_column(kind: Kind) -> None:
    for table in (one for one in composed(kind).blocks() if isinstance(one, Table)):
        see_that_words_fit(table, m.TEXT_WIDTH_MM)


def see_that_words_fit(table: Table, width: float) -> None:
    whole = sum(column.share for column in table.columns)
    heads = Row(tuple(column.title for column in table.columns), is_bold=True)
    for row in (heads, *table.rows):
        for cell, column in zip(row.cells, table.columns, strict=True):
            room = width * column.share / whole - 2 * CELL_MARGIN_MM
            for word in unbroken(cell).split(" "):
                needed = m.line_width_mm(word, m.TABLE_PT, is_bold=row.is_bold)
                assert needed <= room, (word, needed, room)


def test_neighbours_in_a_chart_differ_without_colours() -> None:
    every_day = [*map(grey_of, COLOURS[:4]), *map(grey_of, RESTS)]
    assert min(abs(one - other) for one, other in combinations(every_day, 2)) >= 35
    assert min(abs(grey_of(one) - grey_of(other)) for one, other in pairwise(COLOURS)) >= 35


def test_every_piece_of_a_bar_has_an_edge() -> None:
    charts = [one for one in composed(Kind.REPORT).blocks() if isinstance(one, Chart)]
    for bar in (bar for chart in charts for bar in chart.bars):
        shapes = draw_bar(bar, 165.0).shapes
        assert all(shape.has_edge for shape in shapes if isinstance(shape, Rectangle))


@pytest.mark.parametrize("width", [120.0, 165.0])
def test_the_figure_beside_a_bar_is_not_cut_off(width: float) -> None:
    *_others, chart = [one for one in composed(Kind.REPORT).blocks() if isinstance(one, Chart)]
    (part,) = chart.bars[0].parts
    bar = replace(chart.bars[0], parts=(replace(part, text="100,00 % (1.348/1.348)"),))
    (figure,) = [one for one in draw_bar(bar, width).shapes
                 if isinstance(one, Words) and "%" in one.text]  # fmt: skip
    assert figure.x + m.line_width_mm(figure.text, figure.size_pt, is_bold=False) < width
    assert width - figure.x < TEXT_MM


def test_pictures_in_the_docx_keep_no_distance_that_would_shift_them() -> None:
    for shape in opened(composed(Kind.REPORT)).inline_shapes:
        inline = shape._inline
        if inline.docPr.get("descr"):
            assert [inline.get(side) for side in ("distT", "distB", "distL", "distR")] == ["0"] * 4


# Faces


def test_the_docx_names_its_typeface_for_every_script_and_in_its_defaults() -> None:
    made = opened(composed(Kind.REPORT))
    scripts = ("ascii", "hAnsi", "cs", "eastAsia")
    defaults = made.styles.element.find(f"{qn('w:docDefaults')}//{qn('w:rFonts')}")
    assert {defaults.get(qn(f"w:{one}")) for one in scripts} == {m.TYPEFACE}
    assert not [name for name in defaults.attrib if name.endswith("Theme")]
    body = made.styles["Nội dung"].element.rPr
    assert body.find(qn("w:szCs")).get(qn("w:val")) == body.find(qn("w:sz")).get(qn("w:val"))
    assert made.styles["Tên loại"].element.rPr.find(qn("w:bCs")) is not None
    assert body.find(qn("w:lang")).get(qn("w:val")) == "vi-VN"


@pytest.mark.parametrize("kind", PAPER)
def test_the_pdf_embeds_every_typeface(kind: Kind) -> None:
    data = printed(composed(kind))
    names = data.count(b"/FontDescriptor ")
    assert data.count(b"/FontFile2") == names > 0
    assert b"/BaseFont /Helvetica" not in data


# Words


def test_a_reason_within_a_sentence_begins_small_and_a_conclusion_in_a_cell_large() -> None:
    assert within_a_sentence("Cả phiếu không có dấu nào.") == "cả phiếu không có dấu nào"
    assert as_a_cell("không trả lời") == "Không trả lời"
    (line,) = [one for one in composed(Kind.MINUTES).texts() if "phiếu không hợp lệ: 2" in one]
    assert "(cả phiếu không có dấu nào: 1;" in line


def test_vietnamese_documents_have_no_english_words_and_english_ones_no_vietnamese() -> None:
    for kind in OFFICIAL:
        text = " ".join(composed(kind).texts()).lower()
        for word in ("sheet", "valid", "answer", "percent", "void"):
            assert word not in text
    said = [one.text for one in composed(Kind.ENGLISH).blocks() if isinstance(one, Paragraph)]
    assert "Questions and answers are quoted from the form." in said
    assert "Counted on 5 September 2023, from 8:00 to 10:30." in said
    quoted = ("phiếu", "lê thị c")
    for text in said:
        left = text.lower()
        for name in quoted:
            left = left.replace(name, "").replace("kiểm", "")
        assert left.isascii(), text
    (title,) = [one for one in composed(Kind.ENGLISH).blocks() if isinstance(one, Title)]
    assert title.attached_to == ""


def test_a_decision_on_a_whole_sheet_says_so() -> None:
    facts = ward_facts()
    whole = replace(facts.decided[0], question="", result="hợp lệ")
    document = compose(Kind.MINUTES, replace(facts, decided=(whole,)))
    rows = [one.rows for one in document.blocks() if isinstance(one, Table)][-1]
    assert rows[0].cells[2:4] == ("Cả phiếu", "Hợp lệ")


# The roll-up


def own_and_below() -> Facts:
    """A district that collects papers itself, beside those of its commune."""
    tree = {
        "quota": 2,
        "periods": [{"id": "2026-Q1", "due": "2026-03-20"}],
        "unit": {
            "id": "huyen",
            "name": "Huyện Mẫu",
            "own_tally": True,
            "units": [{"id": "an", "name": "Xã An"}],
        },
    }
    very, content, no = (Ballot((n,)) for n in range(3))
    tallies = [
        count("an", "2026-Q1", [very, very, no]),
        count("huyen", "2026-Q1", [very, content]),
    ]
    result = merge(tallies, UnitTree.model_validate(tree), at=AT)
    assert result.total is not None
    return Facts(unit=ward_unit(), tally=result.total, roll_up=result)


def test_the_rows_of_a_roll_up_add_up_to_its_total() -> None:
    (table,) = [
        one for one in compose(Kind.ROLLUP, own_and_below()).blocks() if isinstance(one, Table)
    ]
    assert [row.cells[:10] for row in table.rows] == [
        ("1", "Xã An", "2", "3", "150,00", "3", "2", "0", "1", "66,67"),
        ("2", "Huyện Mẫu (thu trực tiếp)", "2", "2", "100,00", "2", "1", "1", "0", "100,00"),
        ("", "Tổng cộng", "4", "5", "125,00", "5", "3", "1", "1", "80,00"),
    ]
    assert [row.is_bold for row in table.rows] == [False, False, True]
    see_that_words_fit(table, m.PAGE_HEIGHT_MM - m.LEFT_MM - m.RIGHT_MM)
    assert ward_tally().is_final
