"""The sheets of a count with their reasons in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from scanner.ballot import Reason, SheetStatus
from scanner.counting.adjudication import (
    Question,
    SheetRecord,
    Stage,
    open_questions,
    sheet_label,
)
from scanner.counting.results import finals_of
from scanner.counting.store import Store
from scanner.forms.template import Form
from scanner.messages import describe
from scanner.messages import gettext as _
from scanner.publishing.screen import SheetLine, place_of, refusal_in_words
from scanner.reading.decide import needs_review


def list_sheets(
    store: Store,
    forms: Sequence[Form],
    status: SheetStatus | None = None,
    sheet: int | None = None,
) -> list[SheetLine]:
    """Sheets in scan order, with what still speaks against each.

    Args:
        store: The count.
        forms: The count's forms.
        status: Only sheets that stand so; None for all.
        sheet: Only this sheet; None for all.
    """
    decisions = store.decisions()
    finals = finals_of(store, forms)
    places: defaultdict[int, list[str]] = defaultdict(list)
    for number, source in store.sources(sheet):
        places[number].append(place_of(source.name, source.number))
    papers = store.same_papers()
    lines = []
    for record in store.sheets(sheet_id=sheet):
        form = finals.forms[record.form] if record.form is not None else None
        made = decisions.get(record.sheet, ())
        final = finals.of(record, made)
        if status is not None and final.status is not status:
            continue
        if final.status is SheetStatus.REFUSED:
            reasons = [refusal_in_words(final.refusal)]
        elif final.void:
            why = refusal_in_words(final.void)
            reasons = [_("Void by the rules of the count: {reason}").format(reason=why)]
        else:
            questions = open_questions(record, made, form.rule, finals.readers) if form else []
            reasons = _doubts_in_words(record, questions, form, papers)
        pages = tuple(places[record.sheet])
        lines.append(SheetLine(record.sheet, final.status, record.form, tuple(reasons), pages))
    return lines


def _doubts_in_words(
    record: SheetRecord,
    questions: Sequence[Question],
    form: Form | None,
    papers: Mapping[int, Sequence[int]],
) -> list[str]:
    """Each open doubt in a line, those of a contest after its name."""
    if form is None:
        return []
    lines: list[str] = []
    without_page: list[str] = []
    for question in questions:
        reasons = question.reasons
        words = [describe(reason) for reason in reasons if needs_review([reason], form.rule)]
        words += _whose_turn(question)
        contest = form.contest(question.contest) if question.contest is not None else None
        if contest is None:
            if Reason.SAME_PAPER in reasons:
                others = ", ".join(sheet_label(other) for other in papers[record.sheet])
                words.append(_("Compare it with {sheets}.").format(sheets=others))
            lines.append(" ".join(words))
        elif Reason.PAGE_MISSING in reasons:
            without_page.append(contest.id)
        else:
            lines.append(f"{contest.title or contest.id} [{contest.id}]: {' '.join(words)}")
    if without_page:
        lines.append(_("Not scanned: {contests}").format(contests=", ".join(without_page)))
    return lines


def _whose_turn(question: Question) -> list[str]:
    if question.stage is Stage.COMMITTEE:
        return [_("The committee has to decide this.")]
    if question.stage is Stage.SECOND:
        return [_("A second person has to read this.")]
    return []
