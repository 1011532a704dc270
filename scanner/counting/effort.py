"""Is a form too long? Which questions stay blank, and who marks one column all the way down.

Blanks that grow towards the end, and answers that repeat the column of the question before, are
what offices see of a form that asks too much (Krosnick 1991, "Response strategies for coping with
the cognitive demands of attitude measures": satisficing). Neither makes an answer wrong: nothing
here changes what is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from scanner.ballot import ContestState
from scanner.counting.tally import CastVoteRecord
from scanner.forms.template import Contest, Form

FEWEST_QUESTIONS = 3
"""With fewer, one column all the way down says nothing."""


@dataclass(frozen=True, slots=True)
class QuestionEffort:
    """How one question was answered."""

    contest: str
    place: int
    """Among the questions of the form, from 1."""
    sheets: int
    """Valid sheets."""
    blank: int
    follows: int
    """Sheets that answer this question and the like one before it; 0 for the first of its kind."""
    repeats: int
    """Of those, sheets that choose the same column in both."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How a form was answered."""

    form: str
    sheets: int
    """Valid sheets."""
    questions: tuple[QuestionEffort, ...]
    asked: int
    """Questions of the same kind, in which one column can be marked throughout; 0 where too few."""
    lined_up: int
    """Sheets that answer all of those, and all in the same column."""
    complete: int
    """Sheets that answer all of those."""
    blank_first: int
    """Blanks in the first half of the questions; the middle one is in neither half."""
    blank_last: int
    """Blanks in the last half."""


def measure_effort(records: Sequence[CastVoteRecord], form: Form) -> Effort:
    """How the valid sheets of a form were answered.

    Questions are of the same kind where one answer is chosen of the same number of options; the
    most frequent kind is looked at, of equally frequent ones that with more options. Contests that
    say who answers are no questions.

    Args:
        records: Valid sheets; those of other forms are left out.
        form: The form.
    """
    columns = [_columns(record, form) for record in records if record.form == form.id]
    blanks = [_blanks(record) for record in records if record.form == form.id]
    asked = [contest for contest in form.contests if not contest.breakdown]
    alike = _alike(asked)
    questions = tuple(
        _question(contest, place, alike, columns, blanks) for place, contest in enumerate(asked, 1)
    )
    half = len(asked) // 2
    enough = alike if len(alike) >= FEWEST_QUESTIONS else []
    complete = [own for own in columns if enough and all(one.id in own for one in enough)]
    return Effort(
        form=form.id,
        sheets=len(columns),
        questions=questions,
        asked=len(enough),
        lined_up=sum(len({own[one.id] for one in enough}) == 1 for own in complete),
        complete=len(complete),
        blank_first=sum(one.blank for one in questions[:half]),
        blank_last=sum(one.blank for one in questions[len(questions) - half :]),
    )


def _question(
    contest: Contest,
    place: int,
    alike: list[Contest],
    columns: list[dict[str, int]],
    blanks: list[set[str]],
) -> QuestionEffort:
    at = alike.index(contest) if contest in alike else 0
    before = alike[at - 1].id if at else ""
    both = [own for own in columns if before in own and contest.id in own]
    return QuestionEffort(
        contest=contest.id,
        place=place,
        sheets=len(columns),
        blank=sum(contest.id in own for own in blanks),
        follows=len(both),
        repeats=sum(own[before] == own[contest.id] for own in both),
    )


def _alike(asked: list[Contest]) -> list[Contest]:
    """The questions of the most frequent kind, in printed order."""
    kinds = Counter(len(one.options) for one in asked if one.max == 1)
    usual = max(kinds, key=lambda kind: (kinds[kind], kind), default=0)
    return [one for one in asked if one.max == 1 and len(one.options) == usual]


def _columns(record: CastVoteRecord, form: Form) -> dict[str, int]:
    """The column of the one answer to each question that has one, by contest."""
    places = {
        (contest.id, option.id): place
        for contest in form.contests
        for place, option in enumerate(contest.options)
    }
    return {
        vote.contest: places[vote.contest, vote.options[0]]
        for vote in record.votes
        if len(vote.options) == 1
    }


def _blanks(record: CastVoteRecord) -> set[str]:
    return {vote.contest for vote in record.votes if vote.state is ContestState.BLANK}
