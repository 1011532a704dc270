"""Documents say what the count says, are laid out as the decree asks, and refuse what cannot be."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import date, datetime
from html.parser import HTMLParser
from pathlib import Path

import docx
import pypdfium2 as pdfium
import pytest

from cli import main
from scanner.counting.merge import merge
from scanner.counting.rules import Denominator, Rounding, ShareRule
from scanner.counting.tally_file import TallyOverride
from scanner.counting.unit_tree import UnitTree
from scanner.errors import BadArgumentsError, CountError, ExitCode, UnreadableFileError
from scanner.publishing.documents.blocks import Chart, Document, SealMark, Signatures, Table
from scanner.publishing.documents.charts import COLOURS, Rectangle, draw_bar
from scanner.publishing.documents.compose import compose, write_document
from scanner.publishing.documents.contradictions import contradictions
from scanner.publishing.documents.facts import Facts, Kind
from scanner.publishing.documents.gather import see_that_it_is_final
from scanner.publishing.documents.pdf_file import pdf_bytes
from scanner.publishing.documents.phrasing import day_text, document_number, short_day_text
from scanner.publishing.documents.public_page import public_page
from scanner.publishing.documents.rollup import period_text
from scanner.publishing.documents.unit import NEW_UNIT, Unit, read_unit
from scanner.publishing.tally_json import write_tally
from tests.document_facts import AT, provisional, unit_file, ward_facts, ward_tally, ward_unit
from tests.document_files import composed, docx_texts, opened, pdf_text, printed, squeezed
from tests.mailed_tallies import Ballot, count

OFFICIAL = (Kind.MINUTES, Kind.REPORT, Kind.NOTICE, Kind.POSTING, Kind.ELECTION)
PAPER = (*OFFICIAL, Kind.ENGLISH)
TREE = {
    "quota": 4,
    "periods": [{"id": "2026-Q1", "due": "2026-03-20"}],
    "unit": {
        "id": "huyen",
        "name": "Huyện Mẫu",
        "units": [
            {"id": "an", "name": "Xã An"},
            {"id": "binh", "name": "Xã Bình"},
            {"id": "chi", "name": "Xã Chi"},
        ],
    },
}
VERY, CONTENT, NOT = Ballot((0,)), Ballot((1,)), Ballot((2,))


def cells(document: Document, number: int = 0) -> list[tuple[str, ...]]:
    tables = [block for block in document.blocks() if isinstance(block, Table)]
    return [row.cells for row in tables[number].rows]


def district() -> Facts:
    """Three communes: one in time, one late and short, one that has not filed."""
    late = datetime(2026, 3, 21, 8, 0, tzinfo=AT.tzinfo)
    tallies = [
        count("an", "2026-Q1", [VERY, VERY, CONTENT, NOT]),
        count("binh", "2026-Q1", [VERY, NOT, NOT], at=late),
    ]
    result = merge(tallies, UnitTree.model_validate(TREE), at=AT)
    assert result.total is not None
    return Facts(unit=ward_unit(), tally=result.total, roll_up=result)


# What they say


@pytest.mark.parametrize("kind", PAPER)
def test_the_docx_and_the_pdf_say_the_same(kind: Kind) -> None:
    document = composed(kind)
    in_docx = squeezed("".join(docx_texts(opened(document))))
    in_pdf = pdf_text(printed(document))
    for text in document.texts():
        assert squeezed(text) in in_docx, text
        # What the end of a page parts has its number between.
        for word in text.split():
            assert squeezed(word) in in_pdf, text


def test_the_figures_of_the_annex_are_those_of_the_tally() -> None:
    rows = cells(composed(Kind.REPORT))
    assert [row[3:5] for row in rows[:5]] == [
        ("64", "54,24"), ("47", "39,83"), ("3", "2,54"), ("4", "3,39"), ("0", "0,00"),
    ]  # fmt: skip
    assert [row[4] for row in rows[10:15]] == ["49,15", "44,07", "1,69", "4,24", "0,85"]


def test_of_all_papers_returned_the_same_counts_are_other_percentages() -> None:
    rule = ShareRule(Denominator.RETURNED, 2)
    facts = replace(ward_facts(), tally=replace(ward_tally(), rule=rule))
    assert [row[4] for row in cells(compose(Kind.REPORT, facts))[:3]] == ["53,33", "39,17", "2,50"]


def test_percentages_that_do_not_add_up_are_named_under_the_table() -> None:
    notes = [text for text in composed(Kind.REPORT).texts() if text.startswith("(*) ")]
    assert notes == ["(*) Do làm tròn số, cộng tỷ lệ của câu 2 là 99,99 %; câu 5 là 100,01 %."]
    rule = ShareRule(decimals=2, rounding=Rounding.LARGEST_REMAINDER)
    facts = replace(ward_facts(), tally=replace(ward_tally(), rule=rule))
    texts = list(compose(Kind.REPORT, facts).texts())
    assert not any(text.startswith("(*) Do làm tròn") for text in texts)


def test_the_minutes_close_the_papers_and_name_each_decision() -> None:
    texts = list(composed(Kind.MINUTES).texts())
    for line in (
        "- Tổng số phiếu phát ra: 150 phiếu;",
        "- Tổng số phiếu thu vào: 120 phiếu, đạt 80,00 %;",
        "- Số phiếu đếm tay: 120 phiếu;",
        "- Số phiếu hợp lệ: 118 phiếu;",
        "Thùng phiếu: niêm phong còn nguyên vẹn.",
        "Thời gian bắt đầu: 08 giờ 00, ngày 05 tháng 9 năm 2023.",
    ):
        assert line in texts
    assert ("2", "0031", "Thời gian xử lý", "Không trả lời", "Lê Thị C") in cells(
        composed(Kind.MINUTES), 1
    )


def test_the_posting_names_its_last_day_and_both_documents() -> None:
    texts = list(composed(Kind.POSTING).texts())
    assert (
        "Thời gian niêm yết là 15 ngày, kể từ ngày 05 tháng 9 năm 2023 đến hết ngày 19 tháng 9"
        " năm 2023."
    ) in texts
    assert "1) Báo cáo số 190/BC-UBND ngày 05/9/2023 của UBND phường Mẫu;" in texts
    assert "2) Thông báo số 72/TB-UBND ngày 05/9/2023 của UBND phường Mẫu." in texts


def test_the_last_day_of_posting_is_a_day_later_where_the_first_does_not_count() -> None:
    posting = ward_unit().posting
    assert posting.last_day == date(2023, 9, 19)
    assert posting.model_copy(update={"counts_first_day": False}).last_day == date(2023, 9, 20)


def test_the_fingerprint_of_a_sealed_count_is_printed_with_its_code() -> None:
    (mark,) = [one for one in composed(Kind.MINUTES).blocks() if isinstance(one, SealMark)]
    assert mark.fingerprint == "3F2A-91BC-0D4E-77A1-5C02-E6B8"
    assert opened(composed(Kind.MINUTES)).inline_shapes[0].width.mm == pytest.approx(28, abs=0.1)


def test_who_let_a_count_pass_stands_in_the_document() -> None:
    passed = (
        TallyOverride("Lan", "Một phiếu bị rách.", AT),
        TallyOverride("Minh", "Đã kiểm tra lại.", AT),
    )
    facts = replace(ward_facts(), tally=replace(ward_tally(), overrides=passed))
    texts = list(compose(Kind.MINUTES, facts).texts())
    for one in passed:
        assert any(one.by in text and one.why in text for text in texts)


def test_a_provisional_document_says_so_on_every_page_and_a_final_one_does_not() -> None:
    facts = provisional(ward_facts())
    waiting = "SỐ LIỆU TẠM THỜI: còn 3 phiếu chờ xem xét. Không dùng để công bố."
    for kind in OFFICIAL:
        document = compose(kind, facts)
        assert waiting in document.texts()
        assert (document.footer, composed(kind).footer) == ("SỐ LIỆU TẠM THỜI", "")
        assert waiting not in composed(kind).texts()
    for section in opened(compose(Kind.POSTING, facts)).sections:
        for footer in (section.footer, section.first_page_footer):
            assert footer.paragraphs[0].text == "SỐ LIỆU TẠM THỜI"
    assert "SỐ LIỆU TẠM THỜI" in public_page(facts)


def test_a_final_document_is_refused_until_the_count_is_final() -> None:
    see_that_it_is_final(ward_facts(), [], Path("count"))
    with pytest.raises(CountError, match="not final"):
        see_that_it_is_final(provisional(ward_facts()), [], Path("count"))


# Charts


def test_a_bar_is_as_long_as_its_counts_and_not_as_its_rounded_percentages() -> None:
    charts = [one for one in composed(Kind.REPORT).blocks() if isinstance(one, Chart)]
    assert [len(chart.bars) for chart in charts] == [1, 5, 3]
    bar = charts[1].bars[0]
    drawn = [one for one in draw_bar(bar, 118.0).shapes
             if isinstance(one, Rectangle) and one.height > 5]  # fmt: skip
    assert [round(one.width, 3) for one in drawn] == [118.0, 64.0, 47.0, 3.0, 4.0]
    assert [one.fill for one in drawn[1:4]] == list(COLOURS[:3])


def test_satisfaction_by_field_comes_from_the_groups_of_the_tally() -> None:
    *_others, chart = [one for one in composed(Kind.REPORT).blocks() if isinstance(one, Chart)]
    assert [(bar.parts[0].label, bar.parts[0].text) for bar in chart.bars] == [
        ("Hộ tịch", "96,67 % (58/60)"),
        ("Chứng thực", "100,00 % (40/40)"),
        ("Đất đai", "66,67 % (12/18)"),
    ]


def test_charts_in_the_docx_can_be_read_out() -> None:
    made = opened(composed(Kind.REPORT))
    said = [shape._inline.docPr.get("descr") for shape in made.inline_shapes]
    assert any("Rất hài lòng 54,24 %" in (text or "") for text in said)


# The roll-up


def test_a_roll_up_has_a_row_for_each_unit_and_says_who_is_late_short_or_missing() -> None:
    rows = cells(compose(Kind.ROLLUP, district()))
    assert [row[:6] for row in rows] == [
        ("1", "Xã An", "4", "4", "100,00", "4"),
        ("2", "Xã Bình", "4", "3", "75,00", "3"),
        ("3", "Xã Chi", "4", "0", "0,00", "–"),
        ("", "Tổng cộng", "12", "7", "58,33", "7"),
    ]
    assert [row[6:10] for row in rows] == [
        ("2", "1", "1", "75,00"),
        ("1", "0", "2", "33,33"),
        ("–", "–", "–", "–"),
        ("3", "1", "3", "57,14"),
    ]
    assert rows[1][10] == "Nộp trễ (ngày 21/3/2026); chưa đạt chỉ tiêu"
    assert rows[2][10] == "Chưa nộp quý I năm 2026; chưa đạt chỉ tiêu"


def test_a_wide_roll_up_lies_on_paper_turned_sideways() -> None:
    document = compose(Kind.ROLLUP, district())
    (section,) = opened(document).sections
    assert section.page_width is not None
    assert round(section.page_width.mm) == 297
    made = pdfium.PdfDocument(pdf_bytes(document))
    width, height = made[0].get_size()
    made.close()
    assert width > height


def test_a_roll_up_of_one_count_is_refused() -> None:
    with pytest.raises(BadArgumentsError, match="tree"):
        compose(Kind.ROLLUP, ward_facts())


@pytest.mark.parametrize(
    ("period", "words"),
    [("2026-Q4", "quý IV năm 2026"), ("2026", "năm 2026"), ("2026-H1", "6 tháng đầu năm 2026")],
)
def test_a_period_is_written_in_words(period: str, words: str) -> None:
    assert period_text(period) == words


# What does not fit


def changed(**parts: object) -> Facts:
    return replace(ward_facts(), unit=ward_unit().model_copy(update=parts))


def test_minutes_that_end_before_they_begin_are_refused() -> None:
    posting = ward_unit().posting.model_copy(update={"end": datetime(2023, 9, 5, 8, 30)})
    facts = changed(posting=posting)
    found = contradictions(Kind.POSTING, facts)
    assert any(one.is_impossible and "08:30" in one.text and "14:00" in one.text for one in found)
    with pytest.raises(CountError, match="cannot be"):
        see_that_it_is_final(facts, found, Path("count"))
    assert not any(one.is_impossible for one in contradictions(Kind.NOTICE, facts))
    assert contradictions(Kind.NOTICE, facts)


def test_a_period_that_overlaps_another_is_warned_of() -> None:
    unit = ward_unit()
    early = unit.period.model_copy(update={"name": "Quý IV", "first": date(2023, 9, 5)})
    early = early.model_copy(update={"last": date(2023, 12, 5)})
    (one,) = contradictions(Kind.MINUTES, changed(earlier=(early,)))
    assert "2023-09-05" in one.text
    assert contradictions(Kind.MINUTES, ward_facts()) == []


def test_a_report_that_comes_before_its_counting_is_warned_of() -> None:
    report = ward_unit().report.model_copy(update={"date": date(2023, 9, 4)})
    assert any(
        "2023-09-04" in one.text for one in contradictions(Kind.NOTICE, changed(report=report))
    )


def test_dossiers_and_channels_whose_sums_do_not_meet_are_warned_of(tmp_path: Path) -> None:
    path = unit_file(tmp_path)
    path.write_text(
        path.read_text(encoding="utf-8")
        + "channels:\n  - {name: Bưu điện, issued: 100, returned: 100}\n"
        + "  - {name: Trực tuyến, issued: 40, returned: 19}\n"
        + "dossiers:\n  total: 1348\n  sorted_by:\n"
        + "    lĩnh vực: {Hộ tịch: 498, Chứng thực: 682, Nội vụ: 3, Đất đai: 64, Lao động: 100}\n"
        + "    kết quả: {Trước hạn: 685, Đúng hạn: 598, Quá hạn: 42, Đang giải quyết: 23}\n",
        encoding="utf-8",
    )
    found = [
        one.text for one in contradictions(Kind.NOTICE, replace(ward_facts(), unit=read_unit(path)))
    ]
    assert len(found) == 3
    assert any("119" in text and "120" in text for text in found)
    assert any("140" in text and "150" in text for text in found)
    assert any("lĩnh vực" in text and "1347" in text and "1 apart" in text for text in found)


def test_sums_that_do_not_meet_are_impossible() -> None:
    tally = ward_tally()
    form = tally.forms[0]
    first = replace(form.contests[0], blank=5)
    broken = replace(tally, forms=(replace(form, contests=(first, *form.contests[1:])),))
    found = contradictions(Kind.NOTICE, replace(ward_facts(), tally=broken))
    assert [one.is_impossible for one in found] == [True]


def test_stock_paragraphs_in_a_report_are_pointed_out() -> None:
    assert any("Stock paragraphs" in one.text for one in contradictions(Kind.REPORT, ward_facts()))


# The public page


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_public_page_loads_nothing_and_runs_nothing() -> None:
    reader = _Reader()
    page = public_page(ward_facts())
    reader.feed(page)
    assert not {tag for tag, _values in reader.tags} & {"script", "link", "img", "iframe", "a"}
    loading = {"src", "href", "action", "srcset", "xlink:href"}
    assert not any(loading & set(values) for _tag, values in reader.tags)
    assert "default-src 'none'" in page
    assert "url(" not in page
    assert "://" not in page


def test_the_public_page_has_the_figures_and_names_nobody() -> None:
    page = public_page(ward_facts())
    for text in ("54,24", "Tổng số phiếu thu vào: 120 phiếu", "97,94\u00a0%", "3F2A-91BC"):
        assert text in page
    unit = ward_unit()
    assert unit.committee is not None
    people = [unit.signer.name, unit.committee.head.name, unit.committee.secretary.name]
    people += [one.name for one in (*unit.committee.members, *unit.committee.witnesses)]
    people += [one.by for one in ward_tally().decisions]
    assert not [name for name in people if name in page]


# unit.yaml


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("symbol: UBND", "symbols: UBND", "symbols"),
        ("to: 2023-09-05}\nearlier", "to: 2023-05-05}\nearlier", "period.to"),
        ("  days: 15", "  days: 0", "posting.days"),
        ("number: 190", "number: mười", "report.number"),
    ],
)
def test_a_fault_in_unit_yaml_is_named_by_line_and_field(
    tmp_path: Path, old: str, new: str, field: str
) -> None:
    path = unit_file(tmp_path, (old, new))
    before = path.read_text(encoding="utf-8").split(new)[0]
    with pytest.raises(UnreadableFileError) as caught:
        read_unit(path)
    assert caught.value.path == path
    assert f"line {before.count(chr(10)) + 1}, {field}: " in caught.value.message


def test_texts_of_unit_yaml_are_composed(tmp_path: Path) -> None:
    loose = unicodedata.normalize("NFD", "name: UBND phường Mẫu")
    unit = read_unit(unit_file(tmp_path, ("name: UBND phường Mẫu", loose)))
    assert unit.name == "UBND phường Mẫu"
    assert isinstance(unit, Unit)


def test_days_and_numbers_are_written_as_the_decree_asks() -> None:
    assert day_text(date(2023, 9, 5)) == "ngày 05 tháng 9 năm 2023"
    assert day_text(date(2023, 2, 15)) == "ngày 15 tháng 02 năm 2023"
    assert short_day_text(date(2022, 1, 1)) == "01/01/2022"
    assert document_number(8, "BC", "UBND") == "Số: 08/BC-UBND"
    assert document_number(190, "BC", "UBND") == "Số: 190/BC-UBND"
    assert document_number(None, "BC", "UBND") == "Số: ……/BC-UBND"


# The command


def test_the_command_writes_from_a_tally_and_refuses_a_provisional_one(tmp_path: Path) -> None:
    tally, unit, out = tmp_path / "t.json", tmp_path / "u.yaml", tmp_path / "out.docx"
    assert main(["unit", str(unit)]) == ExitCode.OK
    assert unit.read_bytes() == NEW_UNIT.read_bytes()
    assert main(["unit", str(unit)]) == ExitCode.BAD_ARGUMENTS
    waiting = replace(count("an", "2026-Q1", [VERY, NOT]), is_final=False)
    write_tally(waiting, tally)
    order = ["report", str(tally), "--kind", "minutes", "--unit", str(unit), "-o", str(out)]
    assert main(order) == ExitCode.BAD_COUNT
    assert not out.exists()
    assert main([*order, "--provisional"]) == ExitCode.OK
    assert any("Tổng số phiếu thu vào: 2" in text for text in docx_texts(docx.Document(str(out))))
    write_tally(replace(waiting, is_final=True), tally)
    out.unlink()
    assert main(order) == ExitCode.OK
    assert main([*order[:-1], str(tmp_path / "out.odt")]) == ExitCode.BAD_ARGUMENTS


def test_the_same_document_gives_the_same_bytes(tmp_path: Path) -> None:
    one, other = tmp_path / "1.pdf", tmp_path / "2.pdf"
    for path in (one, other):
        write_document(Kind.POSTING, ward_facts(), path, AT)
    assert one.read_bytes() == other.read_bytes()
    signed = [b for b in composed(Kind.MINUTES).blocks() if isinstance(b, Signatures)]
    assert len(signed) == 2
