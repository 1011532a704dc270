"""A plain report in English: the figures, how they close, and how they were made."""

from __future__ import annotations

from collections.abc import Iterator

from scanner import __version__
from scanner.publishing.documents.blocks import (
    Align,
    Block,
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
from scanner.publishing.documents.figures import returned
from scanner.publishing.documents.phrasing import as_a_cell, day_text, hour_text, moment_text
from scanner.publishing.documents.tables import charts, index_line, result_tables, void_reasons


def english(facts: Facts) -> Document:
    """The report."""
    unit = facts.unit
    blocks = (
        Title("REPORT OF A COUNT", f"{unit.name}: {unit.subject}"),
        *facts.warning(),
        Paragraph(
            f"Period: {day_text(unit.period.first, 'en')} to {day_text(unit.period.last, 'en')}."
        ),
        *_counting(facts),
        Paragraph("1. Papers", Look.CLAUSE),
        _papers(facts),
        *facts.override_note(),
        Paragraph("2. Results", Look.CLAUSE),
        *index_line(facts),
        *result_tables(facts),
        Paragraph("Questions and answers are quoted from the form.", Look.NOTE),
        Paragraph("3. Decisions by people", Look.CLAUSE),
        *_decisions(facts),
        *charts(facts),
        *facts.seal_mark(),
        Paragraph(
            f"Made by Kiểm Phiếu {__version__} from the tally of"
            f" {day_text(facts.tally.generated_at.date(), 'en')}.",
            Look.NOTE,
        ),
    )
    return Document(
        title=f"Report of a count: {unit.period.name}",
        language="en",
        parts=(Part(blocks),),
        footer="" if facts.is_final else facts.words.footer,
        author=unit.name,
        made=f"Kiểm Phiếu {__version__}",
    )


def _counting(facts: Facts) -> Iterator[Block]:
    written = facts.unit.minutes
    if written.start is not None and written.end is not None:
        if written.start.date() == written.end.date():
            begin, end = hour_text(written.start, "en"), hour_text(written.end, "en")
            day = day_text(written.start.date(), "en")
            yield Paragraph(f"Counted on {day}, from {begin} to {end}.")
        else:
            begin, end = moment_text(written.start, "en"), moment_text(written.end, "en")
            yield Paragraph(f"Counted from {begin}, to {end}.")


def _papers(facts: Facts) -> Table:
    sheets, number = facts.tally.sheets, facts.wording.number
    rate = facts.return_text()
    reasons = void_reasons(facts)
    lines = [
        ("Handed out", sheets.issued, ""),
        ("Returned", returned(sheets), f"{rate} of those handed out" if rate else ""),
        ("Counted by hand", sheets.hand_count, ""),
        ("Scanned", sheets.paper, ""),
        ("Valid", sheets.valid, ""),
        ("Void", sheets.void, as_a_cell(reasons)),
        ("Waiting for a decision", sheets.in_review or None, ""),
    ]
    return Table(
        (Column("Papers", 35), Column("Number", 15, Align.RIGHT), Column("Remark", 50)),
        tuple(
            Row((name, number(figure), remark)) for name, figure, remark in lines
            if figure is not None
        ),
        is_whole=True,
    )  # fmt: skip


def _decisions(facts: Facts) -> Iterator[Block]:
    number = facts.wording.number
    for one in facts.tally.decisions:
        yield Paragraph(
            f"{one.by} (decisions: {number(one.decisions)}; sheets: {number(one.sheets)}).",
            Look.ITEM,
        )
    if not facts.tally.decisions:
        yield Paragraph("No sheet needed a decision.", Look.ITEM)
