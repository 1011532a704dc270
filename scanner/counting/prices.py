"""What limits cost: how much people have to look at, and how many errors nobody would see."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from scanner.ballot import MarkState, SheetStatus, TargetReading
from scanner.counting.adjudication import (
    Decision,
    Question,
    SheetRecord,
    Stage,
    answers,
    open_questions,
    resolve,
)
from scanner.counting.limits import Limits
from scanner.counting.second_reader import ONE_READER, Readers
from scanner.forms.template import Form


@dataclass(slots=True)
class ContestPrice:
    """What limits cost at one contest, over all sheets."""

    targets: int = 0
    """Doubtful targets that no person has decided on."""
    sheets: int = 0
    """Sheets on which the contest waits for a person."""
    answers: int = 0
    """Answers that people still have to give; two of a sheet that two people read."""
    silent_errors: float = 0.0
    """Errors to be expected among the targets that no person looks at."""


@dataclass(slots=True)
class Price:
    """What limits cost in a count."""

    limits: Limits | None
    """None for those in force, where batches have different ones."""
    is_present: bool = False
    all_targets: int = 0
    all_sheets: int = 0
    """Of a known form, and not refused by a person."""
    sheets: int = 0
    """Sheets that wait for a person, for whatever reason."""
    contests: defaultdict[tuple[str, str], ContestPrice] = field(
        default_factory=lambda: defaultdict(ContestPrice)
    )
    """By id of the form and of the contest."""

    def add(self, other: Price) -> None:
        """Add what the same limits cost elsewhere."""
        self.all_targets += other.all_targets
        self.all_sheets += other.all_sheets
        self.sheets += other.sheets
        for name, figures in other.contests.items():
            mine = self.contests[name]
            mine.targets += figures.targets
            mine.sheets += figures.sheets
            mine.answers += figures.answers
            mine.silent_errors += figures.silent_errors

    @property
    def targets(self) -> int:
        """Doubtful targets that no person has decided on."""
        return sum(contest.targets for contest in self.contests.values())

    @property
    def answers(self) -> int:
        """Answers to contests of single sheets that people still have to give.

        Where the count wants a second reader, an answer that two people read is two. What the
        committee will have to decide because they differ, nobody can foretell.
        """
        return sum(contest.answers for contest in self.contests.values())

    @property
    def silent_errors(self) -> float:
        """Errors to be expected among the targets that no person looks at.

        The sum of the chances that each is wrong, if the probabilities are true: that it is
        marked where it was taken as not marked, and the other way round.
        """
        return math.fsum(contest.silent_errors for contest in self.contests.values())


def price_of_sheet(
    record: SheetRecord,
    form: Form,
    made: Sequence[Decision],
    targets: Sequence[TargetReading],
    readers: Readers = ONE_READER,
) -> Price:
    """What one sheet costs; nothing if a person has refused it.

    Args:
        record: The sheet as read under some limits.
        form: Its form.
        made: All decisions on it, oldest first.
        targets: All its targets as read under these limits.
        readers: Which answers a second person gives as well.
    """
    if resolve(record, made, form, readers).status is SheetStatus.REFUSED:
        return Price(None)
    doubts = open_questions(record, made, form.rule, readers)
    waiting = {one.contest: one for one in doubts if one.contest is not None}
    decided = {decision.contest for decision in answers(made)}
    ours = {contest.id for contest in form.contests}
    price = Price(None, all_targets=len(targets), all_sheets=1, sheets=int(bool(doubts)))
    for contest, question in waiting.items():
        figures = price.contests[form.id, contest]
        figures.sheets = 1
        figures.answers = _answers_to_give(question, form, readers)
    for target in targets:
        if target.contest in decided or target.contest not in ours:
            continue
        figures = price.contests[form.id, target.contest]
        if target.state is MarkState.DOUBTFUL:
            figures.targets += 1
        elif target.contest not in waiting:
            figures.silent_errors += _chance_of_error(target)
    return price


def _answers_to_give(question: Question, form: Form, readers: Readers) -> int:
    """How many people still have to answer a question about a contest."""
    is_first = question.stage is Stage.FIRST
    return 1 + (is_first and readers.needs_second(form.id, question.contest, was_in_doubt=True))


def _chance_of_error(target: TargetReading) -> float:
    chance = target.probability
    return 1 - chance if target.state is MarkState.MARKED else chance


def of_contests(price: Price, forms: Sequence[Form]) -> Mapping[tuple[str, str], ContestPrice]:
    """The prices of single contests in the order of the forms."""
    keys = [(form.id, contest.id) for form in forms for contest in form.contests]
    return {key: price.contests[key] for key in keys if key in price.contests}
