"""The annex of a sum: a row for each unit, with its papers, answers and what is late or short.

Its columns are those of the roll-up that Vietnamese towns publish (TT, unit, result, remark).
Answers are summed over the questions on satisfaction; the last column is their index, from counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scanner.counting.merge import RollUp, Standing
from scanner.counting.rules import share
from scanner.counting.satisfaction import satisfied_options
from scanner.counting.tally_file import TallyContest, TallyFile
from scanner.errors import BadArgumentsError
from scanner.messages import gettext as _
from scanner.publishing.documents.blocks import (
    Align,
    Bar,
    BarPart,
    Block,
    Chart,
    Column,
    Document,
    Look,
    Paragraph,
    Part,
    Row,
    Table,
    Title,
)
from scanner.publishing.documents.facts import Facts
from scanner.publishing.documents.figures import overall_index, returned
from scanner.publishing.documents.frame import document
from scanner.publishing.documents.phrasing import short_day_text
from scanner.publishing.documents.report import report_reference

WIDE = 9
"""So many columns or more lie on paper turned sideways."""
QUARTERS = {"Q1": "quý I", "Q2": "quý II", "Q3": "quý III", "Q4": "quý IV"}
HALVES = {"H1": "6 tháng đầu năm", "H2": "6 tháng cuối năm"}


@dataclass(frozen=True, slots=True)
class _Line:
    """A unit in the table, with its number: 2, or 2.1 below it."""

    number: str
    roll_up: RollUp


def rollup(facts: Facts) -> Document:
    """The annex.

    Raises:
        BadArgumentsError: There are no units below, so nothing to set side by side.
    """
    if facts.roll_up is None:
        raise BadArgumentsError(
            _("A roll-up is made of several tallies and a tree of units."),
            remedy=_("Name the tallies and give --tree units.yaml."),
        )
    lines = list(_lines(facts.roll_up.parts or (facts.roll_up,), ""))
    labels = _labels(facts.tally)
    has_quota = any(line.roll_up.standing and line.roll_up.standing.quota for line in lines)
    columns = tuple(_columns(facts, labels, has_quota=has_quota))
    rows = [_row(facts, line, labels, has_quota=has_quota) for line in lines]
    rows.append(_row(facts, _Line("", facts.roll_up), labels, has_quota=has_quota))
    unit = facts.unit
    blocks: tuple[Block, ...] = (
        Title(
            "Phụ lục",
            f"TỔNG HỢP KẾT QUẢ {unit.subject} {unit.period.name}".upper(),
            f"(Kèm theo {report_reference(facts)})",
        ),
        *facts.warning(),
        Table(columns, tuple(rows)),
        facts.rule_note(),
        *_notes(facts, labels),
        *_chart(facts, lines),
        *facts.seal_mark(),
    )
    made = document(facts, f"Tổng hợp kết quả khảo sát {unit.period.name}")
    part = Part(blocks, is_landscape=len(columns) >= WIDE)
    return Document(made.title, made.language, (part,), made.footer, made.author, made.made)


def _lines(parts: Sequence[RollUp], before: str) -> Iterator[_Line]:
    for place, part in enumerate(parts, start=1):
        number = f"{before}{place}"
        yield _Line(number, part)
        yield from _lines(part.parts, f"{number}.")


def _columns(facts: Facts, labels: Sequence[str], *, has_quota: bool) -> Iterator[Column]:
    yield Column(facts.words.number, 6, Align.CENTRE)
    yield Column(facts.unit.unit_column, 26)
    if has_quota:
        yield Column("Chỉ tiêu (phiếu)", 10, Align.RIGHT)
    yield Column("Thu vào (phiếu)", 10, Align.RIGHT)
    if has_quota:
        yield Column("Đạt chỉ tiêu (%)", 11, Align.RIGHT)
    yield Column("Hợp lệ (phiếu)", 10, Align.RIGHT)
    for label in labels:
        yield Column(label, 10, Align.RIGHT)
    yield Column("Tỷ lệ hài lòng (%)", 11, Align.RIGHT)
    yield Column(facts.words.remark, 17)


def _row(facts: Facts, line: _Line, labels: Sequence[str], *, has_quota: bool) -> Row:
    one, number, rule = line.roll_up, facts.wording.number, facts.tally.rule
    is_total = not line.number
    quota = _quota(one)
    back = _returned(one)
    cells = [line.number, "Tổng cộng" if is_total else one.unit.name]
    if has_quota:
        cells.append(number(quota) if quota else "")
    cells.append(number(back))
    if has_quota:
        cells.append(facts.wording.bare_percent(share(back, quota, rule)) if quota else "")
    cells.append(number(one.total.sheets.valid) if one.total else "–")
    answers = _answers(one.total)
    cells += [number(answers[label.casefold()]) if one.total else "–" for label in labels]
    cells.append(_index_text(facts, one.total))
    cells.append("" if is_total or one.standing is None else _remark(one.standing))
    return Row(tuple(cells), is_bold=is_total or bool(one.parts))


def _quota(one: RollUp) -> int:
    return sum(standing.quota or 0 for standing in one.standings())


def _returned(one: RollUp) -> int:
    return returned(one.total.sheets) if one.total is not None else 0


def _satisfaction_contests(tally: TallyFile | None) -> Iterator[TallyContest]:
    for form in tally.forms if tally is not None else ():
        for contest in form.contests:
            labels = {option.id: option.label for option in contest.options}
            if contest.max == 1 and not contest.is_breakdown and satisfied_options(labels):
                yield contest


def _labels(tally: TallyFile) -> list[str]:
    """The steps of the scales of satisfaction, as the forms print them."""
    labels = {
        option.label.casefold(): option.label
        for contest in _satisfaction_contests(tally)
        for option in contest.options
    }
    return list(labels.values())


def _answers(tally: TallyFile | None) -> Counter[str]:
    answers: Counter[str] = Counter()
    for contest in _satisfaction_contests(tally):
        for option in contest.options:
            answers[option.label.casefold()] += option.votes
    return answers


def _index_text(facts: Facts, tally: TallyFile | None) -> str:
    contests = [contest for form in tally.forms for contest in form.contests] if tally else []
    found = overall_index(contests, facts.tally.rule)
    return facts.wording.bare_percent(found[1] if found else None)


def _remark(standing: Standing) -> str:
    remarks = []
    if standing.missing:
        remarks.append("chưa nộp" + _periods(standing.missing))
    for source in standing.late:
        made = source.generated_at
        when = f" (ngày {short_day_text(made.date())})" if made is not None else ""
        remarks.append(f"nộp trễ{when}")
    if standing.is_short:
        remarks.append("chưa đạt chỉ tiêu")
    remarks += [
        f"{period_text(period)}: {papers} phiếu (suy ra từ số cả năm)"
        for period, papers in standing.worked_out
    ]
    text = "; ".join(remarks)
    return text[:1].upper() + text[1:]


def _periods(periods: Sequence[str]) -> str:
    return f" {', '.join(period_text(one) for one in periods)}"


def period_text(period: str) -> str:
    """A period in words: 2026-Q1 -> quý I năm 2026; others as they are written."""
    year, _dash, part = period.partition("-")
    words = QUARTERS.get(part) or HALVES.get(part)
    if words is None:
        return f"năm {year}" if not part and year.isdigit() else period
    return f"{words} {year}" if part in HALVES else f"{words} năm {year}"


def _notes(facts: Facts, labels: Sequence[str]) -> Iterator[Block]:
    questions = len(list(_satisfaction_contests(facts.tally)))
    if labels and questions > 1:
        yield Paragraph(
            f"Số trả lời là tổng của {questions} câu hỏi về mức độ hài lòng; tỷ lệ hài lòng tính từ"
            " các số đếm này, không phải trung bình của các tỷ lệ.",
            Look.NOTE,
        )


def _chart(facts: Facts, lines: Sequence[_Line]) -> Iterator[Block]:
    bars = []
    for line in lines:
        total = line.roll_up.total
        contests = [one for form in total.forms for one in form.contests] if total else []
        found = overall_index(contests, facts.tally.rule)
        if found is not None:
            whole, percent = found
            text = facts.wording.percent(percent)
            part = BarPart(line.roll_up.unit.name, whole.satisfied, text)
            bars.append(Bar("", (part,), whole.answers))
    if bars:
        yield Chart(facts.words.field_chart.format(by="đơn vị"), tuple(bars))
