"""Counting minutes (Biên bản kiểm phiếu), for surveys and for votes after the manner of elections.

No law gives a form for the minutes of a survey. They follow Mẫu 1.9 of Nghị định 30/2020/NĐ-CP for
minutes, and Mẫu số 02 of Nghị định 59/2023/NĐ-CP for the counting of opinions.
"""

from __future__ import annotations

from collections.abc import Iterator

from scanner.counting.rules import share
from scanner.publishing.documents.blocks import (
    Align,
    Block,
    Closing,
    Column,
    Document,
    Look,
    Paragraph,
    Row,
    Signature,
    Signatures,
    Table,
    Title,
)
from scanner.publishing.documents.facts import Facts
from scanner.publishing.documents.figures import questions_of, returned
from scanner.publishing.documents.frame import (
    DOTS,
    document,
    head,
    numbered,
    part_title,
    person_text,
)
from scanner.publishing.documents.phrasing import as_a_cell, moment_text, one_per_line
from scanner.publishing.documents.tables import (
    index_line,
    result_tables,
    void_reasons,
    without_number,
)

SIGN_HERE = "(Ký, ghi rõ họ tên)"
MOST_ROWS_TOGETHER = 20
"""So many names of a list stay on one page."""
WHOLE_SHEET = "Cả phiếu"
OPEN_MOMENT = "…… giờ ……, ngày …… tháng …… năm ………"
BOX = {
    "intact": "niêm phong còn nguyên vẹn",
    "broken": "niêm phong không còn nguyên vẹn",
    None: "…………………………",
}


def minutes(facts: Facts) -> Document:
    """The minutes of counting a survey."""
    unit = facts.unit
    title = Title("BIÊN BẢN", f"Kiểm phiếu {unit.subject} {unit.period.name}")
    return document(
        facts,
        f"Biên bản kiểm phiếu {unit.period.name}",
        (
            head(facts, numbered(facts, "BB", unit.minutes.number), has_day=False),
            title,
            *facts.warning(),
            *_opening(facts, "Ban kiểm phiếu"),
            part_title(1, "Tình trạng thùng phiếu trước khi mở"),
            Paragraph(f"Thùng phiếu: {BOX[unit.minutes.box]}."),
            part_title(2, "Kết quả kiểm đếm"),
            *(Paragraph(line) for line in count_lines(facts)),
            *facts.override_note(),
            part_title(3, "Kết quả theo từng câu hỏi"),
            *result_tables(facts),
            *index_line(facts),
            part_title(4, "Phiếu phải xem xét"),
            *_decided(facts),
            *_end(facts),
            *facts.seal_mark(),
        ),
    )


def election(facts: Facts) -> Document:
    """The minutes of an election-style vote: each name with its votes, of all valid ballots."""
    unit = facts.unit
    what = unit.election.title or unit.subject
    return document(
        facts,
        "Biên bản kết quả kiểm phiếu",
        (
            head(facts, numbered(facts, "BB", unit.minutes.number), has_day=False),
            Title("BIÊN BẢN", f"Kết quả kiểm phiếu {what}"),
            *facts.warning(),
            *_opening(facts, "Tổ kiểm phiếu"),
            part_title(1, "Số phiếu"),
            *(Paragraph(line) for line in _election_lines(facts)),
            *facts.override_note(),
            part_title(2, "Số phiếu bầu cho từng người"),
            *_names(facts),
            part_title(3, "Phiếu phải xem xét"),
            *_decided(facts),
            part_title(4, "Khiếu nại, tố cáo"),
            Paragraph(unit.election.complaints or "Không có khiếu nại, tố cáo."),
            *_end(facts),
            *facts.seal_mark(),
        ),
    )


def count_lines(facts: Facts) -> Iterator[str]:
    """Where the papers went, and that they all are there."""
    sheets, number = facts.tally.sheets, facts.wording.number
    back = returned(sheets)
    if sheets.issued is not None:
        yield f"- Tổng số phiếu phát ra: {number(sheets.issued)} phiếu;"
    rate = facts.return_text()
    reached = f", đạt {rate}" if rate else ""
    yield f"- Tổng số phiếu thu vào: {number(back)} phiếu{reached};"
    if sheets.hand_count is not None:
        yield f"- Số phiếu đếm tay: {number(sheets.hand_count)} phiếu;"
    yield f"- Số phiếu quét được: {number(sheets.paper)} phiếu;"
    yield f"- Số phiếu hợp lệ: {number(sheets.valid)} phiếu;"
    reasons = void_reasons(facts)
    because = f" ({reasons})" if reasons else ""
    last = "." if not sheets.in_review else ";"
    yield f"- Số phiếu không hợp lệ: {number(sheets.void)} phiếu{because}{last}"
    if sheets.in_review:
        yield f"- Số phiếu chờ xem xét: {number(sheets.in_review)} phiếu."


def _opening(facts: Facts, body: str) -> Iterator[Block]:
    """When and where it began, who counted and who watched."""
    unit = facts.unit
    start = unit.minutes.start
    begun = moment_text(start) if start is not None else OPEN_MOMENT
    yield Paragraph(f"Thời gian bắt đầu: {begun}.")
    yield Paragraph(f"Địa điểm: {unit.minutes.place or unit.desk or DOTS}.")
    yield Paragraph(f"{body} gồm các ông (bà) có tên sau:")
    committee = unit.committee
    if committee is None:
        yield Paragraph(f"1. {DOTS}, Tổ trưởng;", Look.ITEM)
        yield Paragraph(f"2. {DOTS}, Thư ký.", Look.ITEM)
        return
    people = [(committee.head, "Tổ trưởng")]
    people += [(person, "Thành viên") for person in committee.members]
    people.append((committee.secretary, "Thư ký"))
    for place, (person, duty) in enumerate(people, start=1):
        end = "." if place == len(people) else ";"
        yield Paragraph(f"{place}. {person_text(person)}, {duty}{end}", Look.ITEM)
    if committee.witnesses:
        yield Paragraph("Người chứng kiến việc kiểm phiếu gồm:")
        for place, person in enumerate(committee.witnesses, start=1):
            end = "." if place == len(committee.witnesses) else ";"
            yield Paragraph(f"{place}. {person_text(person)}{end}", Look.ITEM)


def _decided(facts: Facts) -> Iterator[Block]:
    """What people decided, one by one where the count is at hand, else how much."""
    number = facts.wording.number
    if facts.decided:
        yield Paragraph(
            f"Số nội dung phải xem xét: {number(len(facts.decided))}, tại"
            f" {number(len({one.sheet for one in facts.decided}))} phiếu; quyết định như sau:"
        )
        columns = (
            Column("TT", 6, Align.CENTRE),
            Column("Mã phiếu", 13),
            Column("Câu hỏi", 33),
            Column("Kết luận", 28),
            Column("Người quyết định", 20),
        )
        rows = (
            Row((str(place), one.sheet, one.question or WHOLE_SHEET, as_a_cell(one.result), one.by))
            for place, one in enumerate(facts.decided, start=1)
        )
        yield Table(columns, tuple(rows))
        return
    decisions = facts.tally.decisions
    if not decisions:
        yield Paragraph("Không có phiếu phải xem xét.")
        return
    for one in decisions:
        text = f"- {one.by}: {number(one.decisions)} quyết định, {number(one.sheets)} phiếu."
        yield Paragraph(text)


def _end(facts: Facts) -> Iterator[Block]:
    """How it ended, and who signs."""
    unit = facts.unit
    end = moment_text(unit.minutes.end) if unit.minutes.end is not None else OPEN_MOMENT
    yield Paragraph(
        f"Biên bản kết thúc vào {end}, đã đọc lại cho mọi người cùng nghe, nhất trí, ký tên./."
    )
    committee = unit.committee
    names = ("", (), "", ()) if committee is None else (
        committee.secretary.name,
        tuple(person.name for person in committee.members),
        committee.head.name,
        tuple(person.name for person in committee.witnesses),
    )  # fmt: skip
    secretary, members, chair, witnesses = names
    middle = [Signature(("THÀNH VIÊN",), hint=SIGN_HERE, others=members)] if members else []
    yield Signatures(
        (
            Signature(("THƯ KÝ",), secretary, SIGN_HERE),
            *middle,
            Signature(("TỔ TRƯỞNG",), chair, SIGN_HERE),
        )
    )
    if witnesses:
        yield Signatures((Signature(("NGƯỜI CHỨNG KIẾN",), hint=SIGN_HERE, others=witnesses),))
    if unit.minutes.recipients:
        yield Closing("Nơi nhận:", one_per_line(unit.minutes.recipients))


def _election_lines(facts: Facts) -> Iterator[str]:
    number, voters = facts.wording.number, facts.unit.election.voters
    if facts.unit.election.area:
        yield f"- Đơn vị bầu cử: {facts.unit.election.area};"
    if facts.unit.election.seats is not None:
        yield f"- Số người được bầu: {number(facts.unit.election.seats)};"
    if voters:
        back = returned(facts.tally.sheets)
        yield f"- Tổng số cử tri: {number(voters)} người;"
        yield f"- Số cử tri đã bỏ phiếu: {number(back)} người{_of(facts, back, voters)};"
    yield from count_lines(facts)


def _of(facts: Facts, part: int, whole: int) -> str:
    return f", đạt {facts.wording.percent(share(part, whole, facts.tally.rule))}"


def _names(facts: Facts) -> Iterator[Block]:
    """The names of each contest in printed order, with their votes."""
    words = facts.words
    for form in facts.tally.forms:
        for question in questions_of(form, facts.tally, (words.blank, words.overvote)):
            yield Paragraph(without_number(question.title) + ":")
            rows = tuple(
                Row(
                    (
                        "" if line.is_rest else str(place),
                        line.label,
                        facts.wording.number(line.votes),
                        facts.wording.bare_percent(line.share),
                    )
                )
                for place, line in enumerate(question.lines, start=1)
            )
            yield Table(
                (
                    Column(words.number, 7, Align.CENTRE),
                    Column(words.name, 53),
                    Column("Số phiếu", 20, Align.RIGHT),
                    Column(words.percent, 20, Align.RIGHT),
                ),
                rows,
                is_whole=len(rows) <= MOST_ROWS_TOGETHER,
            )
            yield facts.rule_note()
            if question.is_off_by_rounding:
                percent = facts.wording.percent(question.sum_of_shares)
                yield Paragraph(words.sum_alone.format(percent=percent), Look.NOTE)
