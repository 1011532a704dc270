"""The annex of a sum: a row for each unit, with its papers, answers and what is late or short.

Its columns are those of the roll-up that Vietnamese towns publish (TT, unit, result, remark).
Answers are summed over the questions on satisfaction; the last column is their index, from counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from scanner.counting.merge import RollUp, Standing
from scanner.counting.rules import Satisfaction, index_of, share
from scanner.counting.satisfaction import satisfied_options
from scanner.counting.tally_file import TallyContest, TallyFile
from scanner.counting.weighing import weight_text
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
from scanner.publishing.documents.tables import index_line, result_tables

WIDE = 9
"""So many columns or more lie on paper turned sideways."""
OWN = "thu trực tiếp"
"""Beside the name of a unit: what it collected itself."""
QUARTERS = {"Q1": "quý I", "Q2": "quý II", "Q3": "quý III", "Q4": "quý IV"}
HALVES = {"H1": "6 tháng đầu năm", "H2": "6 tháng cuối năm"}


@dataclass(frozen=True, slots=True)
class _Line:
    """A unit in the table, with its number: 2, or 2.1 below it."""

    number: str
    roll_up: RollUp
    is_own: bool = False
    """Only what the unit collected itself, beside the units below it."""


@dataclass(frozen=True, slots=True)
class _Sums:
    """The figures of a line."""

    quota: int
    returned: int
    valid: int
    answers: Counter[str]
    satisfaction: Satisfaction
    has_counts: bool


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
    lines = list(_lines(facts.roll_up, "")) or [_Line("1", facts.roll_up)]
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
        *_weighted(facts),
        *_chart(facts, lines),
        *facts.seal_mark(),
    )
    made = document(facts, f"Tổng hợp kết quả khảo sát {unit.period.name}")
    part = Part(blocks, is_landscape=len(columns) >= WIDE)
    return Document(made.title, made.language, (part,), made.footer, made.author, made.made)


def _lines(whole: RollUp, before: str) -> Iterator[_Line]:
    """The units below a unit, and last what it collected itself: they add up to its total."""
    for place, part in enumerate(whole.parts, start=1):
        number = f"{before}{place}"
        yield _Line(number, part)
        yield from _lines(part, f"{number}.")
    if whole.parts and whole.standing is not None:
        yield _Line(f"{before}{len(whole.parts) + 1}", whole, is_own=True)


def _sums(line: _Line) -> _Sums:
    one = line.roll_up
    whole = _all_of(one)
    if not line.is_own or one.standing is None:
        return whole
    below = [_all_of(part) for part in one.parts]
    answers = whole.answers.copy()
    for part in below:
        answers.subtract(part.answers)
    return _Sums(
        quota=one.standing.quota or 0,
        returned=whole.returned - sum(part.returned for part in below),
        valid=whole.valid - sum(part.valid for part in below),
        answers=answers,
        satisfaction=Satisfaction(
            whole.satisfaction.satisfied - sum(part.satisfaction.satisfied for part in below),
            whole.satisfaction.answers - sum(part.satisfaction.answers for part in below),
        ),
        has_counts=bool(one.standing.filed),
    )


def _all_of(one: RollUp) -> _Sums:
    """The figures of a unit with all below it."""
    total = one.total
    contests = [contest for form in total.forms for contest in form.contests] if total else []
    found = overall_index(contests, total.rule) if total else None
    return _Sums(
        quota=sum(standing.quota or 0 for standing in one.standings()),
        returned=returned(total.sheets) if total else 0,
        valid=total.sheets.valid if total else 0,
        answers=_answers(total),
        satisfaction=found[0] if found else Satisfaction(0, 0),
        has_counts=total is not None,
    )


def _columns(facts: Facts, labels: Sequence[str], *, has_quota: bool) -> Iterator[Column]:
    yield Column(facts.words.number, 6, Align.CENTRE)
    yield Column(facts.unit.unit_column, 26)
    if has_quota:
        yield Column("Chỉ tiêu (phiếu)", 10, Align.RIGHT)
    yield Column("Thu vào (phiếu)", 10, Align.RIGHT)
    if has_quota:
        yield Column("Đạt chỉ tiêu (%)", 11, Align.RIGHT)
    yield Column("Hợp lệ (phiếu)", 10, Align.RIGHT)
    if facts.tally.weights:
        yield Column("Trọng số", 9, Align.RIGHT)
    for label in labels:
        yield Column(label, 10, Align.RIGHT)
    yield Column("Tỷ lệ hài lòng (%)", 11, Align.RIGHT)
    yield Column(facts.words.remark, 17)


def _row(facts: Facts, line: _Line, labels: Sequence[str], *, has_quota: bool) -> Row:
    one, number, rule = line.roll_up, facts.wording.number, facts.tally.rule
    is_total = not line.number
    sums = _sums(line)
    quota, back = sums.quota, sums.returned
    name = f"{one.unit.name} ({OWN})" if line.is_own else one.unit.name
    cells = [line.number, "Tổng cộng" if is_total else name]
    if has_quota:
        cells.append(number(quota) if quota else "")
    cells.append(number(back))
    if has_quota:
        cells.append(facts.wording.bare_percent(share(back, quota, rule)) if quota else "")
    cells.append(number(sums.valid) if sums.has_counts else "–")
    if facts.tally.weights:
        cells.append("" if one.standing is None else weight_text(one.unit.weight))
    answers = sums.answers
    cells += [number(answers[label.casefold()]) if sums.has_counts else "–" for label in labels]
    cells.append(facts.wording.bare_percent(_index(facts, sums)))
    adds_up = bool(one.parts) and not line.is_own
    cells.append("" if adds_up or one.standing is None else _remark(one.standing))
    return Row(tuple(cells), is_bold=is_total or adds_up)


def _index(facts: Facts, sums: _Sums) -> Decimal | None:
    """The satisfaction of a line, from its counts; None where nobody was asked."""
    asked = sums.satisfaction.answers
    return index_of([sums.satisfaction], facts.tally.rule) if asked else None


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


def _weighted(facts: Facts) -> Iterator[Block]:
    """The shares of each question with and without weights; nothing where all units weigh alike."""
    if facts.tally.weights:
        yield Paragraph("Kết quả theo từng câu hỏi, có trọng số của các đơn vị", Look.CLAUSE)
        yield from result_tables(facts)
        yield from index_line(facts)


def _chart(facts: Facts, lines: Sequence[_Line]) -> Iterator[Block]:
    bars = []
    for line in lines:
        sums = _sums(line)
        percent = _index(facts, sums)
        if percent is not None:
            name = line.roll_up.unit.name
            label = f"{name} ({OWN})" if line.is_own else name
            part = BarPart(label, sums.satisfaction.satisfied, facts.wording.percent(percent))
            bars.append(Bar("", (part,), sums.satisfaction.answers))
    if bars:
        yield Chart(facts.words.field_chart.format(by="đơn vị"), tuple(bars))
