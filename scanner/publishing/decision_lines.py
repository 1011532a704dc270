"""Why people were asked, and what they decided, as lines of plain text for tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from scanner.ballot import Reason
from scanner.counting.account import Books
from scanner.counting.adjudication import Decision, Stage, Verdict, sheet_label, standing
from scanner.counting.secrecy import Secrecy
from scanner.counting.store import Store
from scanner.counting.tally import REFUSED_BY_PERSON, Standing
from scanner.forms.template import Form
from scanner.messages import describe
from scanner.messages import gettext as _
from scanner.publishing.record_lines import rework_in_words, verdict_in_words


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """How often a reason was found."""

    kind: str
    reason: str
    number: int
    """Sheets; at questions, questions of sheets."""


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """One decision of one person."""

    sheet: str
    """Empty where sheets are secret."""
    question: str
    decision: str
    by: str
    role: str
    why: str
    at: str
    """Empty where sheets are secret: the time says in which order the sheets lay."""
    is_standing: bool
    """False where it was taken back."""


def reason_lines(store: Store, books: Books) -> list[ReasonLine]:
    """How many sheets are void or no paper and why, and why people were asked.

    Args:
        store: The count.
        books: The count's.
    """
    void: Counter[str] = Counter()
    no_paper: Counter[str] = Counter()
    for judged in (one.judged for one in books.records):
        void[judged.reason] += judged.standing is Standing.VOID
        no_paper[judged.reason] += judged.standing is Standing.NOT_PAPER
    whole: Counter[str] = Counter()
    at_questions: Counter[str] = Counter()
    for record in store.sheets():
        if record.form is not None:
            whole.update(record.reasons)
            for reading in record.contests:
                at_questions.update(reading.reasons)
    kinds = (
        (_("Void"), void),
        (_("No paper that was collected"), no_paper),
        (_("Found at sheets"), whole),
        (_("Found at questions"), at_questions),
    )
    return [
        ReasonLine(kind, _reason_in_words(reason), found[reason])
        for kind, found in kinds
        for reason in (*Reason, REFUSED_BY_PERSON)
        if found[reason]
    ]


def decision_lines(store: Store, books: Books, secrecy: Secrecy) -> list[DecisionLine]:
    """Every decision that was ever made, sheet by sheet.

    Where sheets are secret, in an order that says nothing about theirs, without number and time.

    Args:
        store: The count.
        books: The count's.
        secrecy: What is asked for.
    """
    forms = {form.id: form for form in books.forms}
    form_of = {one.sheet: one.form for one in store.sheets()}
    lines = []
    for sheet, made in sorted(store.decisions().items()):
        form = forms.get(form_of.get(sheet) or "")
        counts = {one.id for one in standing(made)}
        lines += [
            _line(one, form, secrecy, is_standing=one.id in counts)
            for one in made
            if one.verdict is not Verdict.WITHDRAW
        ]
    lines += _reworks(store, secrecy)
    if secrecy.is_secret:
        lines.sort(key=lambda one: (one.question, one.decision, one.by, one.role, one.why))
    return lines


def _reworks(store: Store, secrecy: Secrecy) -> Iterator[DecisionLine]:
    """What people did with whole sheets; it stands while the sheets that came of it count."""
    gone = store.gone_sheets()
    for one in store.reworks():
        local = one.at.astimezone().isoformat(sep=" ", timespec="minutes")
        yield DecisionLine(
            sheet=""
            if secrecy.is_secret
            else ", ".join(sheet_label(former) for former in one.former),
            question=_("the sheet as a whole"),
            decision=rework_in_words(one.kind, {} if secrecy.is_secret else one.told),
            by=one.by,
            role="",
            why=one.why,
            at="" if secrecy.is_secret else local,
            is_standing=one.stands(gone),
        )


def _line(
    decision: Decision, form: Form | None, secrecy: Secrecy, *, is_standing: bool
) -> DecisionLine:
    roles = {
        Stage.FIRST: _("first reader"),
        Stage.SECOND: _("second reader"),
        Stage.COMMITTEE: _("committee"),
    }
    contest = form.contest(decision.contest) if form and decision.contest else None
    title = contest.title if contest is not None else ""
    local = decision.at.astimezone().isoformat(sep=" ", timespec="minutes")
    return DecisionLine(
        sheet="" if secrecy.is_secret else sheet_label(decision.sheet),
        question=title or decision.contest or _("the sheet as a whole"),
        decision=verdict_in_words(decision.verdict, decision.options, contest),
        by=decision.by,
        role=roles[decision.stage],
        why=" ".join(filter(None, (decision.why, decision.note))),
        at="" if secrecy.is_secret else local,
        is_standing=is_standing,
    )


def _reason_in_words(reason: str) -> str:
    if reason == REFUSED_BY_PERSON:
        return _("A person refused it.")
    return describe(Reason(reason))
