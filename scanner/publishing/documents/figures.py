"""The figures of a tally as a document shows them: every one worked out by the rules of the count.

Nothing is added up here that the tally has not got; percentages come from
:mod:`scanner.counting.rules`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from scanner.counting.rules import (
    Satisfaction,
    ShareRule,
    answer_shares,
    index_of,
    number_text,
    percent_text,
)
from scanner.counting.satisfaction import index_parts
from scanner.counting.tally_file import TallyContest, TallyFile, TallyForm, TallySheets
from scanner.counting.weighing import weighted_answers, weighted_contest


@dataclass(frozen=True, slots=True)
class Line:
    """One answer to a question: how often, and how much that is."""

    label: str
    votes: int
    share: Decimal | None
    """In percent; None where the rule gives it none, as a blank among answers."""
    is_rest: bool = False
    """No answer, or more answers than allowed."""
    weighted: Decimal | None = None
    """In percent, each ballot weighing what its unit weighs; None where nothing is weighted."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question with its answers, blanks and overvotes."""

    title: str
    lines: tuple[Line, ...]
    whole: int
    """Of how many its percentages are."""
    is_single: bool
    """One answer allowed, so that its lines make up the valid sheets."""

    @property
    def sum_of_shares(self) -> Decimal:
        """What its rounded percentages add up to."""
        return sum((line.share for line in self.lines if line.share is not None), Decimal(0))

    @property
    def is_off_by_rounding(self) -> bool:
        """Whether its lines make up the whole, but their rounded percentages are not 100."""
        votes = sum(line.votes for line in self.lines if line.share is not None)
        is_whole = self.is_single and votes == self.whole > 0
        return is_whole and self.sum_of_shares != 100


def returned(sheets: TallySheets) -> int:
    """Papers that came back: as told, else as counted by hand, else as scanned."""
    told = (sheets.collected, sheets.hand_count)
    return next((figure for figure in told if figure is not None), sheets.paper)


def question_of(
    contest: TallyContest,
    whole: int,
    rule: ShareRule,
    rest: tuple[str, str],
    weighted: Sequence[Decimal | None] = (),
) -> Question:
    """The figures of one contest.

    Args:
        contest: Its sums.
        whole: Of how many its percentages are.
        rule: How percentages are worked out.
        rest: What no answer and too many answers are called.
        weighted: Of each line its weighted percentage, where units weigh differently.
    """
    counts = [option.votes for option in contest.options]
    others = [contest.blank, contest.overvote]
    is_single = contest.max == 1
    of_options, of_others = answer_shares(counts, others, whole, rule, most=contest.max)
    percents = [*of_options, *of_others]
    labels = [option.label or option.id for option in contest.options]
    lines = [
        Line(label, votes, percent, place >= len(counts), heavy)
        for place, (label, votes, percent, heavy) in enumerate(
            zip(
                (*labels, *rest),
                (*counts, *others),
                percents,
                weighted or [None] * len(percents),
                strict=True,
            )
        )
    ]
    return Question(contest.title or contest.id, tuple(lines), whole, is_single)


def questions_of(form: TallyForm, tally: TallyFile, rest: tuple[str, str]) -> list[Question]:
    """The questions of a form, without those that only say who answers."""
    return [
        question_of(
            contest, tally.whole(form, contest), tally.rule, rest, _weighted(tally, form, contest)
        )
        for contest in form.contests
        if not contest.is_breakdown
    ]


def _weighted(
    tally: TallyFile, form: TallyForm, contest: TallyContest
) -> tuple[Decimal | None, ...]:
    """The weighted percentages of a contest; none where all units weigh alike."""
    if not tally.weights:
        return ()
    options, rest = weighted_answers(tally, form, contest)
    return (*options, *rest)


def weighted_index(tally: TallyFile) -> Decimal | None:
    """All satisfied answers of all answers, each weighing what its unit weighs.

    Returns:
        In percent; None where nobody was asked or all units weigh alike.
    """
    if not tally.weights:
        return None
    heavy = [
        weighted_contest(tally, form, contest) for form in tally.forms for contest in form.contests
    ]
    found = overall_index(heavy, tally.rule)
    return found[1] if found else None


def overall_index(
    contests: Iterable[TallyContest], rule: ShareRule
) -> tuple[Satisfaction, Decimal] | None:
    """All satisfied answers of all answers, with their percentage; None where nobody was asked."""
    found = index_parts(
        [
            (
                {option.id: option.votes for option in contest.options},
                {option.id: option.label for option in contest.options},
            )
            for contest in contests
            if contest.max == 1 and not contest.is_breakdown
        ]
    )
    if not any(one.answers for one in found):
        return None
    whole = Satisfaction(sum(one.satisfied for one in found), sum(one.answers for one in found))
    return whole, index_of(found, rule)


@dataclass(frozen=True, slots=True)
class Wording:
    """Figures as texts of one language."""

    language: str

    def number(self, value: int) -> str:
        """A whole number."""
        return number_text(value, self.language)

    def percent(self, value: Decimal | None) -> str:
        """A percentage with its sign; a dash where there is none."""
        return "–" if value is None else percent_text(value, self.language)

    def bare_percent(self, value: Decimal | None) -> str:
        """A percentage without its sign, for a column that has it in its head."""
        return self.percent(value).removesuffix("%").strip()
