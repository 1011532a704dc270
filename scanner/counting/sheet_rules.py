"""Which sheets are valid: counted, void, or waiting; the rules are the count's own.

The usual rule is that of surveys: a sheet is void only if it is no form of this count or wholly
blank; a question with too many marks is void for that question alone, and an unanswered one is a
blank. A strict vote may say more. No machine declares a paper void that it could not read: such a
paper waits until a person has looked at it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from scanner.ballot import ContestState, Reason, SheetStatus
from scanner.counting.tally import BY_MACHINE, CastVote, CastVoteRecord
from scanner.forms.template import Form

VOIDING = (Reason.BLANK_SHEET, Reason.BLANK_CONTEST, Reason.OVERVOTE, Reason.UNKNOWN_FORM)
"""Why a sheet may be void by rule, without a person's word on this very sheet."""


@dataclass(frozen=True, slots=True)
class SheetRules:
    """What makes a sheet void.

    Raises:
        ValueError: A reason is none of :data:`VOIDING`.
    """

    void: frozenset[Reason] = frozenset({Reason.BLANK_SHEET})
    """``blank_sheet``: no question is answered; ``blank_contest``: one is not; ``overvote``: one
    has too many marks; ``unknown_form``: the page is of no form of the count, as the machine sees
    it. Contests that say who answers play no part."""

    def __post_init__(self) -> None:
        if not self.void <= {*VOIDING}:
            raise ValueError(", ".join(sorted(self.void - {*VOIDING})))

    @property
    def void_by_one_contest(self) -> bool:
        """Whether the answer to one question can make a sheet void that has answers to others."""
        return not self.void.isdisjoint({Reason.BLANK_CONTEST, Reason.OVERVOTE})


def judge(record: CastVoteRecord, form: Form | None, rules: SheetRules) -> CastVoteRecord:
    """A sheet as the rules have it: its ``standing`` is then what became of it.

    Args:
        record: Its final votes.
        form: Its form; None where it has none.
        rules: Those of the count.
    """
    if record.status is SheetStatus.IN_DOUBT:
        reason = ""
    elif record.status is SheetStatus.REFUSED:
        by_rule = record.refusal in BY_MACHINE and record.refusal in rules.void
        reason = record.refusal if by_rule else ""
    else:
        reason = why_void(record, form, rules)
    return record if reason == record.void else replace(record, void=reason)


def why_void(record: CastVoteRecord, form: Form | None, rules: SheetRules) -> str:
    """Why a counted sheet is void; empty where it is valid.

    Args:
        record: Its final votes.
        form: Its form, which says what is a question.
        rules: Those of the count.
    """
    votes = _questions(record, form)
    states = [vote.state for vote in votes]
    is_blank = [state is ContestState.BLANK for state in states]
    found = {
        Reason.BLANK_SHEET: bool(votes) and all(is_blank),
        Reason.BLANK_CONTEST: any(is_blank),
        Reason.OVERVOTE: ContestState.OVERVOTE in states,
    }
    for reason in VOIDING:
        if reason in rules.void and found.get(reason):
            return reason.value
    return ""


def _questions(record: CastVoteRecord, form: Form | None) -> Sequence[CastVote]:
    """The answers to questions; where a form only asks who answers, those."""
    asked = {one.id for one in form.contests if not one.breakdown} if form is not None else set()
    return [vote for vote in record.votes if vote.contest in asked] or record.votes
