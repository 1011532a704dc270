"""The tables and charts of results that several documents share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scanner.counting.rules import percent_text
from scanner.counting.tally_file import TallyBreakdown, TallyForm
from scanner.counting.tally_making import BY_CONTEST, NO_ANSWER
from scanner.messages import speaking
from scanner.publishing.documents.blocks import (
    Align,
    Bar,
    BarPart,
    Block,
    Chart,
    Column,
    Look,
    Paragraph,
    Row,
    Table,
)
from scanner.publishing.documents.facts import Facts
from scanner.publishing.documents.figures import (
    Line,
    Question,
    overall_index,
    questions_of,
    returned,
    weighted_index,
)
from scanner.publishing.documents.phrasing import within_a_sentence
from scanner.publishing.screen import refusal_in_words


def result_tables(facts: Facts) -> Iterator[Block]:
    """Every question with its answers, form by form, and the rule under each table."""
    words = facts.words
    for form in facts.tally.forms:
        if len(facts.tally.forms) > 1:
            yield Paragraph(form.title or form.id, Look.CLAUSE)
        questions = questions_of(form, facts.tally, (words.blank, words.overvote))
        is_weighted = bool(facts.tally.weights)
        weighted = (Column(words.weighted, 12, Align.RIGHT),) if is_weighted else ()
        yield Table(
            (
                Column(words.number, 6, Align.CENTRE),
                Column(words.question, 29 if is_weighted else 35),
                Column(words.answer, 21 if is_weighted else 27),
                Column(words.votes, 13, Align.RIGHT),
                Column(words.percent, 11, Align.RIGHT),
                *weighted,
                Column(words.remark, 8, Align.CENTRE),
            ),
            tuple(
                row
                for number, question in enumerate(questions, start=1)
                for row in _question_rows(facts, number, question)
            ),
        )
        yield facts.rule_note(is_weighted=is_weighted)
        yield from _footnote(facts, questions)


def _footnote(facts: Facts, questions: Sequence[Question]) -> Iterator[Block]:
    """Which percentages do not add up to 100, and to what they do."""
    words = facts.words
    off = [
        words.sum_of.format(
            number=number, percent=percent_text(question.sum_of_shares, facts.language)
        )
        for number, question in enumerate(questions, start=1)
        if question.is_off_by_rounding
    ]
    if off:
        yield Paragraph(words.sums_to.format(list="; ".join(off)), Look.NOTE)


def _question_rows(facts: Facts, number: int, question: Question) -> Iterator[Row]:
    wording = facts.wording
    remark = "(*)" if question.is_off_by_rounding else ""
    for place, line in enumerate(question.lines):
        first = place == 0
        yield Row(
            (
                str(number) if first else "",
                without_number(question.title) if first else "",
                line.label,
                wording.number(line.votes),
                wording.bare_percent(line.share),
                *([wording.bare_percent(line.weighted)] if facts.tally.weights else ()),
                remark if first else "",
            ),
            joins=0 if first else 2,
        )


def without_number(title: str) -> str:
    """A question without the number and the colon that it has on the form."""
    head, _dot, rest = title.partition(". ")
    is_numbered = bool(rest) and (head.isdigit() or head.removeprefix("Câu ").isdigit())
    return (rest if is_numbered else title).rstrip(" :.")


def void_reasons(facts: Facts) -> str:
    """Why sheets are void, with how many each: ``phiếu trắng: 1; …``."""
    with speaking(facts.language):
        return "; ".join(
            f"{within_a_sentence(refusal_in_words(reason))}: {facts.wording.number(number)}"
            for reason, number in facts.tally.sheets.void_by_reason.items()
            if number
        )


def index_line(facts: Facts) -> Iterator[Block]:
    """The overall satisfaction in a sentence; nothing where the form does not ask for it."""
    contests = [contest for form in facts.tally.forms for contest in form.contests]
    found = overall_index(contests, facts.tally.rule)
    if found is not None:
        whole, percent = found
        yield Paragraph(
            facts.words.index.format(
                satisfied=facts.wording.number(whole.satisfied),
                answers=facts.wording.number(whole.answers),
                percent=facts.wording.percent(percent),
            )
        )
    heavy = weighted_index(facts.tally)
    if heavy is not None:
        percent_of_all = facts.wording.percent(heavy)
        yield Paragraph(facts.words.weighted_index.format(percent=percent_of_all))


def charts(facts: Facts) -> Iterator[Block]:
    """A bar for the papers that came back, one per question, and one per group."""
    yield from return_chart(facts)
    for form in facts.tally.forms:
        questions = questions_of(form, facts.tally, (facts.words.blank, facts.words.overvote))
        bars = tuple(
            bar
            for number, question in enumerate(questions, start=1)
            for bar in _question_bars(facts, number, question, form)
        )
        if bars:
            yield Chart(facts.words.questions_chart, bars)
    for breakdown in facts.tally.breakdowns:
        yield from _group_chart(facts, breakdown)


def return_chart(facts: Facts) -> Iterator[Block]:
    """The papers that came back of those handed out; nothing where that is unknown."""
    issued = facts.tally.sheets.issued
    back = returned(facts.tally.sheets)
    if not issued or back > issued:
        return
    number, words = facts.wording.number, facts.words
    parts = (
        BarPart(words.returned_bar, back, f"{number(back)} ({facts.return_text()})"),
        BarPart(words.missing_bar, issued - back, number(issued - back), is_rest=True),
    )
    yield Chart(words.return_chart, (Bar("", parts, issued),))


def _question_bars(facts: Facts, number: int, question: Question, form: TallyForm) -> Iterator[Bar]:
    """One bar for a question with one answer; where several are allowed one for each answer."""
    title = f"{number}. {without_number(question.title)}"
    parts = tuple(
        BarPart(line.label, line.votes, _figure_text(facts, line), line.is_rest)
        for line in question.lines
        if line.votes
    )
    if question.is_single:
        yield Bar(title, parts, sum(part.figure for part in parts))
        return
    for place, part in enumerate(part for part in parts if not part.is_rest):
        yield Bar(title if place == 0 else "", (part,), form.valid)


def _figure_text(facts: Facts, line: Line) -> str:
    """How much an answer is; where the rule gives it no percentage, how many."""
    if line.share is None:
        return facts.wording.number(line.votes)
    return facts.wording.percent(line.share)


def _group_chart(facts: Facts, breakdown: TallyBreakdown) -> Iterator[Block]:
    """How satisfied each group is, such as those of one field of service."""
    form = facts.tally.form(breakdown.form)
    if form is None or not breakdown.by.startswith(BY_CONTEST):
        return
    contest_id = breakdown.by.removeprefix(BY_CONTEST)
    titles = [one.title for one in form.contests if one.id == contest_id]
    bars = []
    for group in breakdown.groups:
        found = overall_index(group.contests or (), facts.tally.rule)
        if found is None:
            continue
        whole, percent = found
        label = group.label or (facts.words.no_group if group.id == NO_ANSWER else group.id)
        text = f"{facts.wording.percent(percent)} ({facts.wording.number(whole.satisfied)}"
        text += f"/{facts.wording.number(whole.answers)})"
        part = BarPart(label, whole.satisfied, text)
        bars.append(Bar("", (part,), whole.answers))
    if bars:
        by = without_number(titles[0]).lower() if titles and titles[0] else contest_id
        yield Chart(facts.words.field_chart.format(by=by), tuple(bars))
    if any(group.contests is None for group in breakdown.groups):
        text = facts.words.group_hidden.format(smallest=facts.tally.smallest_group)
        yield Paragraph(text, Look.NOTE)
