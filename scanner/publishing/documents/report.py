"""The report to a higher body (Báo cáo) with its annex of figures (Phụ lục)."""

from __future__ import annotations

from collections.abc import Iterator

from scanner.publishing.documents.blocks import Block, Document, Look, Paragraph, Title
from scanner.publishing.documents.facts import Facts
from scanner.publishing.documents.figures import returned
from scanner.publishing.documents.frame import (
    clauses,
    closing,
    document,
    head,
    numbered,
    part_title,
    reference,
)
from scanner.publishing.documents.minutes import count_lines
from scanner.publishing.documents.phrasing import day_text
from scanner.publishing.documents.tables import charts, index_line, result_tables
from scanner.publishing.documents.words import (
    STOCK_PROPOSALS,
    STOCK_SHORTCOMINGS,
    STOCK_STRENGTHS,
)


def report(facts: Facts) -> Document:
    """The report, and on pages of its own the annex."""
    unit = facts.unit
    subject = f"Kết quả {unit.subject} {unit.period.name}"
    return document(
        facts,
        f"Báo cáo kết quả khảo sát {unit.period.name}",
        (
            head(facts, numbered(facts, "BC", unit.report.number), unit.report.date),
            Title("BÁO CÁO", subject),
            *facts.warning(),
            *_addressee(facts),
            Paragraph(_introduction(facts)),
            *_survey(facts),
            *_remarks(facts),
            closing(facts, unit.report.recipients),
        ),
        tuple(_annex(facts)),
    )


def report_reference(facts: Facts) -> str:
    """The report as other documents name it."""
    return reference(facts, "Báo cáo", "BC", facts.unit.report.number, facts.unit.report.date)


def stock_remarks_used(facts: Facts) -> bool:
    """Whether a stock paragraph stands where the unit has not said anything."""
    remarks = facts.unit.report.remarks
    return not (remarks.strengths and remarks.shortcomings and remarks.proposals)


def _addressee(facts: Facts) -> Iterator[Block]:
    if facts.unit.report.addressee:
        yield Paragraph(f"Kính gửi: {facts.unit.report.addressee}", Look.ADDRESSEE)


def _introduction(facts: Facts) -> str:
    unit = facts.unit
    start = unit.report.introduction.rstrip(" .;,")
    text = f"{unit.name} báo cáo kết quả {unit.subject} {unit.period.name} như sau:"
    return f"{start}, {text}" if start else text


def _survey(facts: Facts) -> Iterator[Block]:
    unit, written = facts.unit, facts.unit.report
    first, last = day_text(unit.period.first), day_text(unit.period.last)
    yield part_title(1, "Ban hành kế hoạch và kết quả khảo sát")
    yield from clauses("Ban hành kế hoạch", [_sentence(written.plan)], 1)
    yield from clauses("Thời gian khảo sát", [f"Từ {first} đến {last}."], 2)
    yield from clauses("Hình thức khảo sát lấy ý kiến", [_sentence(written.method)], 3)
    yield from clauses("Kết quả khảo sát", count_lines(facts), 4)
    yield from facts.override_note()
    yield from index_line(facts)
    yield Paragraph("Số liệu cụ thể theo từng câu hỏi: Phụ lục đính kèm.")
    yield from clauses("Công bố kết quả khảo sát", [_sentence(written.published)], 5)


def _remarks(facts: Facts) -> Iterator[Block]:
    remarks = facts.unit.report.remarks
    yield part_title(2, "Nhận xét chung")
    yield from clauses("Ưu điểm", map(_item, remarks.strengths or STOCK_STRENGTHS), 1)
    yield from clauses(
        "Tồn tại, hạn chế", map(_item, remarks.shortcomings or STOCK_SHORTCOMINGS), 2
    )
    yield part_title(3, "Kiến nghị, đề xuất")
    proposals = remarks.proposals or STOCK_PROPOSALS
    for place, text in enumerate(proposals):
        yield Paragraph(_item(text) + ("/." if place == len(proposals) - 1 else ""))


def _annex(facts: Facts) -> Iterator[Block]:
    unit, sheets, number = facts.unit, facts.tally.sheets, facts.wording.number
    yield Title(
        "Phụ lục",
        f"KẾT QUẢ {unit.subject} {unit.period.name}".upper(),
        f"(Kèm theo {report_reference(facts)})",
    )
    yield from facts.warning()
    rate = facts.return_text()
    issued = "không rõ" if sheets.issued is None else number(sheets.issued)
    back = number(returned(sheets)) + (f" ({rate})" if rate else "")
    waiting = f"; chờ xem xét: {number(sheets.in_review)}" if sheets.in_review else ""
    yield Paragraph(
        f"Tổng số phiếu phát ra: {issued}; thu vào: {back}; hợp lệ: {number(sheets.valid)};"
        f" không hợp lệ: {number(sheets.void)}{waiting}.",
        Look.LINE,
    )
    yield from result_tables(facts)
    yield from charts(facts)
    yield from facts.seal_mark()


def _sentence(text: str) -> str:
    """A text as a sentence; dots where nobody has said anything."""
    return f"{text.rstrip(' .;,')}." if text else "………………………………………………………………"


def _item(text: str) -> str:
    return f"- {text.rstrip(' .;,/')}."
