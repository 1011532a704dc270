"""A person's decisions: always added, never overwritten; the latest counts.

What the machine read stays beside every decision. A sheet in doubt becomes decided when each
contest in doubt has a decision and the doubts about the sheet as a whole are accepted. A clean
sheet may be corrected too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from scanner.ballot import ContestReading, ContestState, Reason, SheetStatus
from scanner.counting.tally import REFUSED_BY_PERSON, CastVote, CastVoteRecord
from scanner.errors import BadArgumentsError
from scanner.forms.template import Contest, Form, Rule
from scanner.messages import gettext as _
from scanner.reading.decide import needs_review


class Verdict(StrEnum):
    """What a person decided."""

    OPTIONS = "options"
    BLANK = "blank"
    OVERVOTE = "overvote"
    ACCEPT = "accept"
    """The sheet is one voter's and is good as read."""
    REFUSE = "refuse"
    """The sheet is not to be counted."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision on one sheet, or on one contest of it."""

    sheet: int
    verdict: Verdict
    by: str
    why: str
    at: datetime
    """With its time zone."""
    contest: str | None = None
    """None for a decision on the sheet as a whole."""
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SheetRecord:
    """One sheet as the machine left it."""

    sheet: int
    batch: int
    form: str | None
    reasons: tuple[Reason, ...]
    """Doubts about the sheet as a whole, or why it is refused."""
    contests: tuple[ContestReading, ...] = ()
    serial: str | None = None


def check_decision(decision: Decision, record: SheetRecord, form: Form | None) -> None:
    """See that a decision can be carried out.

    Raises:
        BadArgumentsError: No name or no reason is given, the sheet cannot be decided, or there
            is no such contest or option, or more options than allowed.
    """
    if not decision.by.strip() or not decision.why.strip():
        raise BadArgumentsError(
            _("A decision needs a name and a reason."), remedy=_("Give --by NAME and --why TEXT.")
        )
    if form is None:
        raise BadArgumentsError(
            _("Sheet {sheet} is refused; nothing on it can be counted.").format(
                sheet=sheet_label(record.sheet)
            ),
            remedy=_("Scan the paper again, or register its form and start a new count."),
        )
    if decision.contest is not None:
        _check_answer(decision, _find_contest(form, decision.contest))
    elif decision.verdict not in {Verdict.ACCEPT, Verdict.REFUSE}:
        raise BadArgumentsError(_("Say which contest this decision is about."))


def resolve(
    record: SheetRecord, decisions: Sequence[Decision], form: Form | None
) -> CastVoteRecord:
    """What a sheet counts as: its reading, with the latest decisions laid over it.

    Args:
        record: The sheet as read.
        decisions: All decisions on it, oldest first.
        form: The sheet's form; None for a refused page.
    """
    if form is None:
        refusal = record.reasons[0].value if record.reasons else ""
        return CastVoteRecord(record.sheet, None, SheetStatus.REFUSED, refusal=refusal)
    of_sheet = _latest(decision for decision in decisions if decision.contest is None)
    if of_sheet is not None and of_sheet.verdict is Verdict.REFUSE:
        return CastVoteRecord(
            record.sheet, record.form, SheetStatus.REFUSED, refusal=REFUSED_BY_PERSON
        )
    votes = tuple(
        _cast(reading, _latest(d for d in decisions if d.contest == reading.contest), form)
        for reading in record.contests
    )
    doubts = open_doubts(record, decisions, form.rule)
    if doubts:
        status = SheetStatus.IN_DOUBT
    else:
        status = SheetStatus.DECIDED if decisions else SheetStatus.CLEAN
    return CastVoteRecord(record.sheet, record.form, status, votes)


def open_doubts(
    record: SheetRecord, decisions: Sequence[Decision], rule: Rule
) -> list[tuple[str | None, tuple[Reason, ...]]]:
    """What still needs a person: (contest, or None for the sheet as a whole; its reasons)."""
    of_sheet = _latest(decision for decision in decisions if decision.contest is None)
    is_accepted = of_sheet is not None and of_sheet.verdict is Verdict.ACCEPT
    decided = {decision.contest for decision in decisions}
    doubts: list[tuple[str | None, tuple[Reason, ...]]] = []
    if needs_review(record.reasons, rule) and not is_accepted:
        doubts.append((None, record.reasons))
    for reading in record.contests:
        is_unclear = reading.state is ContestState.IN_DOUBT
        # An accepted sheet stands as read, but there is no reading of a contest in doubt.
        needs_person = is_unclear or (needs_review(reading.reasons, rule) and not is_accepted)
        if needs_person and reading.contest not in decided:
            doubts.append((reading.contest, reading.reasons))
    return doubts


def sheet_label(sheet: int) -> str:
    """The number of a sheet as people write it: 7 -> 0007."""
    return f"{sheet:04d}"


def _latest(decisions: Iterable[Decision]) -> Decision | None:
    latest = None
    for decision in decisions:
        latest = decision
    return latest


def _cast(reading: ContestReading, decision: Decision | None, form: Form) -> CastVote:
    if decision is None:
        counts = reading.state in {ContestState.VOTED, ContestState.UNDERVOTE}
        return CastVote(reading.contest, reading.state, reading.marked if counts else ())
    if decision.verdict is Verdict.BLANK:
        return CastVote(reading.contest, ContestState.BLANK, is_decided=True)
    if decision.verdict is Verdict.OVERVOTE:
        return CastVote(reading.contest, ContestState.OVERVOTE, is_decided=True)
    contest = form.contest(reading.contest)
    is_full = contest is not None and len(decision.options) == contest.max
    state = ContestState.VOTED if is_full else ContestState.UNDERVOTE
    return CastVote(reading.contest, state, decision.options, is_decided=True)


def _find_contest(form: Form, contest_id: str) -> Contest:
    contest = form.contest(contest_id)
    if contest is None:
        raise BadArgumentsError(
            _("Form {form} has no contest {contest}.").format(form=form.id, contest=contest_id),
            remedy=_("It has: {names}.").format(names=", ".join(c.id for c in form.contests)),
        )
    return contest


def _check_answer(decision: Decision, contest: Contest) -> None:
    if decision.verdict in {Verdict.ACCEPT, Verdict.REFUSE}:
        raise BadArgumentsError(_("Only a whole sheet can be accepted or refused."))
    if decision.verdict is not Verdict.OPTIONS:
        return
    known = [option.id for option in contest.options]
    unknown = [option for option in decision.options if option not in known]
    if unknown:
        raise BadArgumentsError(
            _("Contest {contest} has no option {option}.").format(
                contest=contest.id, option=unknown[0]
            ),
            remedy=_("It has: {names}.").format(names=", ".join(known)),
        )
    if not decision.options:
        raise BadArgumentsError(
            _("Say which options were chosen."),
            remedy=_("Give --blank if none was, --invalid if there were too many."),
        )
    if len(set(decision.options)) < len(decision.options):
        raise BadArgumentsError(_("An option is named twice."))
    if len(decision.options) > contest.max:
        raise BadArgumentsError(
            _("Contest {contest} allows {max} choices, not {count}.").format(
                contest=contest.id, max=contest.max, count=len(decision.options)
            ),
            remedy=_("Give --invalid if the voter chose too many."),
        )
