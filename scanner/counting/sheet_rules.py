"""Which sheets are valid: counted, void, or waiting; the rules are the count's own.

The usual rule is that of surveys: a sheet is void only if it is no form of this count or wholly
blank; a question with too many marks is void for that question alone, and an unanswered one is a
blank. A strict vote may say more. No machine declares a paper void that it could not read: such a
paper waits until a person has looked at it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from scanner.ballot import ContestState, Reason, SheetStatus
from scanner.counting.tally import NOT_PAPER, CastVote, CastVoteRecord
from scanner.forms.template import Form

VOIDING = (Reason.BLANK_SHEET, Reason.BLANK_CONTEST, Reason.OVERVOTE, Reason.UNKNOWN_FORM)
"""Why a sheet may be void by rule, without a person's word on this very sheet."""

BY_MACHINE = frozenset(
    {
        Reason.UNKNOWN_FORM,
        Reason.UNREADABLE_FILE,
        Reason.ENCRYPTED_FILE,
        Reason.IMAGE_TOO_LARGE,
    }
)
"""Papers that were refused before any person saw them."""


class Standing(StrEnum):
    """What became of one sheet."""

    VALID = "valid"
    VOID = "void"
    IN_REVIEW = "in_review"
    """Counts for nobody until a person has decided."""
    NOT_PAPER = "not_paper"
    """No paper that was collected: an unprinted back, a copy, something foreign set aside."""


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


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one sheet, and why if it is void or no paper."""

    standing: Standing
    reason: str = ""
    """A reason, or :data:`~scanner.counting.tally.REFUSED_BY_PERSON`."""


VoidTest = Callable[[CastVoteRecord], str]
"""Why a counted sheet is void, or an empty text where it is valid."""


def judge(record: CastVoteRecord, form: Form | None, rules: SheetRules) -> Judged:
    """Whether a sheet is valid, void, waiting, or no paper at all.

    Args:
        record: Its final votes.
        form: Its form; None where it has none.
        rules: Those of the count.
    """
    if record.status is SheetStatus.IN_DOUBT:
        return Judged(Standing.IN_REVIEW)
    if record.status is SheetStatus.REFUSED:
        return _judge_refused(record.refusal, rules)
    reason = why_void(record, form, rules)
    return Judged(Standing.VOID, reason) if reason else Judged(Standing.VALID)


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


def void_test(forms: Iterable[Form], rules: SheetRules) -> VoidTest:
    """:func:`why_void` for the sheets of one count."""
    by_id = {form.id: form for form in forms}
    return lambda record: why_void(record, by_id.get(record.form or ""), rules)


def _judge_refused(refusal: str, rules: SheetRules) -> Judged:
    if refusal in NOT_PAPER:
        return Judged(Standing.NOT_PAPER, refusal)
    if refusal in BY_MACHINE and refusal not in rules.void:
        return Judged(Standing.IN_REVIEW, refusal)
    return Judged(Standing.VOID, refusal)


def _questions(record: CastVoteRecord, form: Form | None) -> Sequence[CastVote]:
    """The answers to questions; where a form only asks who answers, those."""
    asked = {one.id for one in form.contests if not one.breakdown} if form is not None else set()
    return [vote for vote in record.votes if vote.contest in asked] or record.votes
