"""The public notice (Thông báo) and the minutes of posting it (Biên bản niêm yết công khai)."""

from __future__ import annotations

from collections.abc import Iterator

from scanner.publishing.documents.blocks import (
    Block,
    Document,
    Look,
    Paragraph,
    Signature,
    Signatures,
    Title,
)
from scanner.publishing.documents.facts import Facts
from scanner.publishing.documents.frame import (
    DOTS,
    closing,
    document,
    head,
    numbered,
    reference,
)
from scanner.publishing.documents.minutes import OPEN_MOMENT, SIGN_HERE, count_lines
from scanner.publishing.documents.phrasing import day_text, hour_text, moment_text, number_with_zero
from scanner.publishing.documents.report import report_reference
from scanner.publishing.documents.tables import index_line, result_tables


def notice(facts: Facts) -> Document:
    """The notice for the board and the portal; it names nobody but who signs."""
    unit = facts.unit
    return document(
        facts,
        f"Thông báo kết quả khảo sát {unit.period.name}",
        (
            head(facts, numbered(facts, "TB", unit.notice.number), unit.notice.date),
            Title("THÔNG BÁO", f"Kết quả {unit.subject} {unit.period.name}"),
            *facts.warning(),
            Paragraph(f"Căn cứ {report_reference(facts)}.", Look.BASIS),
            Paragraph(f"{unit.name} thông báo kết quả {unit.subject} {unit.period.name} như sau:"),
            Paragraph("1. Số phiếu", Look.CLAUSE),
            *(Paragraph(line) for line in count_lines(facts)),
            *facts.override_note(),
            Paragraph("2. Kết quả", Look.CLAUSE),
            *index_line(facts),
            *result_tables(facts),
            Paragraph("3. Niêm yết công khai", Look.CLAUSE),
            *_where(facts),
            closing(facts, unit.notice.recipients),
        ),
    )


def posting(facts: Facts) -> Document:
    """The minutes of posting the report and the notice."""
    unit, written = facts.unit, facts.unit.posting
    number = numbered(facts, "BB", written.number) if written.number is not None else ""
    return document(
        facts,
        f"Biên bản niêm yết công khai kết quả khảo sát {unit.period.name}",
        (
            head(facts, number, has_day=False),
            Title("BIÊN BẢN", f"Niêm yết công khai kết quả {unit.subject} {unit.period.name}"),
            *facts.warning(),
            Paragraph(_opening(facts)),
            *_present(facts),
            Paragraph(
                f"Lập biên bản niêm yết công khai kết quả {unit.subject} {unit.period.name}."
            ),
            Paragraph("Các giấy tờ, hồ sơ, tài liệu được niêm yết gồm:"),
            Paragraph(f"1) {report_reference(facts)};", Look.ITEM),
            Paragraph(f"2) {_notice_reference(facts)}.", Look.ITEM),
            Paragraph(_days(facts)),
            Paragraph(f"Địa điểm niêm yết: {written.board or unit.desk or DOTS}."),
            Paragraph(_end(facts)),
            Signatures(
                (
                    Signature(("NGƯỜI LẬP",), _writer(facts), SIGN_HERE),
                    Signature(unit.signer.authority, unit.signer.name),
                )
            ),
        ),
    )


def _notice_reference(facts: Facts) -> str:
    written = facts.unit.notice
    return reference(facts, "Thông báo", "TB", written.number, written.date)


def _where(facts: Facts) -> Iterator[Block]:
    unit = facts.unit
    place = unit.posting.board or unit.desk or DOTS
    yield Paragraph(f"Địa điểm niêm yết: {place}. {_days(facts)}")
    if unit.notice.feedback:
        yield Paragraph(f"Mọi ý kiến phản ánh, góp ý đề nghị gửi về: {unit.notice.feedback}./.")
    else:
        yield Paragraph(f"{unit.name} thông báo để tổ chức, công dân được biết./.")


def _days(facts: Facts) -> str:
    """How long it hangs, with the last day in words: nobody has to work it out."""
    written = facts.unit.posting
    days = number_with_zero(written.days)
    if written.first_day is None or written.last_day is None:
        return f"Thời gian niêm yết là {days} ngày, kể từ ngày …… tháng …… năm ………"
    first, last = day_text(written.first_day), day_text(written.last_day)
    return f"Thời gian niêm yết là {days} ngày, kể từ {first} đến hết {last}."


def _opening(facts: Facts) -> str:
    written = facts.unit.posting
    when = OPEN_MOMENT
    if written.start is not None:
        when = f"{hour_text(written.start)} {day_text(written.start.date())}"
    return f"Vào hồi {when} tại {written.place or facts.unit.name}. Chúng tôi gồm:"


def _present(facts: Facts) -> Iterator[Block]:
    written = facts.unit.posting
    for place, person in enumerate(written.present, start=1):
        role = f"; chức vụ: {person.role}" if person.role else ""
        yield Paragraph(f"{place}. Ông (bà): {person.name}{role}.", Look.ITEM)
    if not written.present:
        yield Paragraph(f"Ông (bà): {DOTS}; chức vụ: {DOTS}.", Look.ITEM)
    if written.with_all:
        yield Paragraph(f"Với sự tham gia của {written.with_all}.")


def _end(facts: Facts) -> str:
    written = facts.unit.posting
    end = OPEN_MOMENT
    if written.end is not None:
        same = written.start is not None and written.start.date() == written.end.date()
        end = f"{hour_text(written.end)} cùng ngày" if same else moment_text(written.end)
    return f"Biên bản lập xong hồi {end}, đã đọc lại cho mọi người cùng nghe, nhất trí, ký tên./."


def _writer(facts: Facts) -> str:
    """Who wrote the minutes: the last of those named, after whoever leads."""
    present = facts.unit.posting.present
    return present[-1].name if len(present) > 1 else ""
