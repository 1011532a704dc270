"""What in a document cannot be, or is worth a second look, before it is signed.

Nothing is put right here: the sentences say what does not fit, and people see to it. What cannot
be, such as minutes that end before they begin, stands in no final document.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import combinations, pairwise

from scanner.messages import gettext as _
from scanner.publishing.documents.facts import Facts, Kind
from scanner.publishing.documents.figures import questions_of, returned
from scanner.publishing.documents.report import stock_remarks_used

WITH_MINUTES = frozenset({Kind.MINUTES, Kind.ELECTION, Kind.ENGLISH})
WITH_POSTING = frozenset({Kind.POSTING})


@dataclass(frozen=True, slots=True)
class Contradiction:
    """One thing that does not fit."""

    text: str
    is_impossible: bool = False
    """It cannot be; no final document is made with it."""


def contradictions(kind: Kind, facts: Facts) -> list[Contradiction]:
    """Everything that does not fit, in the order of the document.

    Args:
        kind: The document; times that it does not show cannot spoil it.
        facts: What it is made of.
    """
    return [
        *_times(kind, facts),
        *_periods(facts),
        *_order_of_days(facts),
        *_papers(facts),
        *_questions(facts),
        *_channels(facts),
        *_dossiers(facts),
        *_texts(kind, facts),
    ]


def _times(kind: Kind, facts: Facts) -> Iterator[Contradiction]:
    minutes, posting = facts.unit.minutes, facts.unit.posting
    if minutes.start and minutes.end and minutes.end < minutes.start:
        text = _("The counting ends ({end}) before it begins ({start}).").format(
            end=minutes.end.isoformat(" ", "minutes"), start=minutes.start.isoformat(" ", "minutes")
        )
        yield Contradiction(text, kind in WITH_MINUTES)
    if posting.start and posting.end and posting.end < posting.start:
        text = _("The minutes of posting end ({end}) before they begin ({start}).").format(
            end=posting.end.isoformat(" ", "minutes"), start=posting.start.isoformat(" ", "minutes")
        )
        yield Contradiction(text, kind in WITH_POSTING)


def _periods(facts: Facts) -> Iterator[Contradiction]:
    periods = (facts.unit.period, *facts.unit.earlier)
    for one, other in combinations(periods, 2):
        if one.first <= other.last and other.first <= one.last:
            yield Contradiction(
                _("The periods {one} and {other} overlap, from {first} to {last}.").format(
                    one=one.name,
                    other=other.name,
                    first=max(one.first, other.first),
                    last=min(one.last, other.last),
                )
            )


def _order_of_days(facts: Facts) -> Iterator[Contradiction]:
    """Each document follows what it is about."""
    unit = facts.unit
    start = unit.minutes.start
    days: list[tuple[str, date | None]] = [
        (_("the end of the survey"), unit.period.last),
        (_("the counting"), start.date() if start else None),
        (_("the report"), unit.report.date),
        (_("the notice"), unit.notice.date),
        (_("the posting"), unit.posting.first_day),
    ]
    known = [(name, day) for name, day in days if day is not None]
    for (earlier, before), (later, after) in pairwise(known):
        if after < before:
            yield Contradiction(
                _("Out of order: {later} ({after}) is before {earlier} ({before}).").format(
                    later=later, after=after, earlier=earlier, before=before
                )
            )


def _papers(facts: Facts) -> Iterator[Contradiction]:
    sheets = facts.tally.sheets
    back = returned(sheets)
    if sheets.paper != sheets.valid + sheets.void + sheets.in_review:
        yield Contradiction(
            _("{paper} papers were scanned, but {sum} are valid, void or in review.").format(
                paper=sheets.paper, sum=sheets.valid + sheets.void + sheets.in_review
            ),
            is_impossible=True,
        )
    if sheets.issued is not None and back > sheets.issued:
        yield Contradiction(
            _("More papers came back ({returned}) than were handed out ({issued}).").format(
                returned=back, issued=sheets.issued
            )
        )
    dossiers = facts.unit.dossiers
    if dossiers is not None and sheets.issued == back == dossiers.total:
        yield Contradiction(
            _("As many papers were handed out and came back as there are dossiers ({n}).").format(
                n=back
            )
        )


def _questions(facts: Facts) -> Iterator[Contradiction]:
    for form in facts.tally.forms:
        for question in questions_of(form, facts.tally, ("", "")):
            votes = sum(line.votes for line in question.lines)
            if question.is_single and votes != form.valid:
                yield Contradiction(
                    _("{question}: {votes} answers and blanks of {valid} valid sheets.").format(
                        question=question.title, votes=votes, valid=form.valid
                    ),
                    is_impossible=True,
                )


def _channels(facts: Facts) -> Iterator[Contradiction]:
    channels, sheets = facts.unit.channels, facts.tally.sheets
    if not channels:
        return
    back = sum(channel.returned for channel in channels)
    if back != returned(sheets):
        yield Contradiction(
            _("By channel {sum} papers came back, in all {whole}.").format(
                sum=back, whole=returned(sheets)
            )
        )
    known = [channel.issued for channel in channels if channel.issued is not None]
    if known and sheets.issued is not None and sum(known) != sheets.issued:
        yield Contradiction(
            _("By channel {sum} papers were handed out, in all {whole}.").format(
                sum=sum(known), whole=sheets.issued
            )
        )


def _dossiers(facts: Facts) -> Iterator[Contradiction]:
    dossiers = facts.unit.dossiers
    for name, parts in dossiers.sorted_by.items() if dossiers is not None else ():
        whole = dossiers.total if dossiers is not None else 0
        together = sum(parts.values())
        if together != whole:
            yield Contradiction(
                _("Dossiers by {name}: {sum}, in all {whole}; {difference} apart.").format(
                    name=name, sum=together, whole=whole, difference=abs(whole - together)
                )
            )


def _texts(kind: Kind, facts: Facts) -> Iterator[Contradiction]:
    if kind is Kind.REPORT and stock_remarks_used(facts):
        yield Contradiction(
            _("Stock paragraphs stand in the remarks of the report: read them, or put in your own.")
        )
    if kind is not Kind.PAGE and kind is not Kind.ENGLISH and not facts.unit.signer.name:
        yield Contradiction(_("Nobody is named who signs."))
