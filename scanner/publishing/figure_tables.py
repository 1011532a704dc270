"""The figures of a tally as tables of plain cells: for CSV files and for workbooks.

The long table has one row a figure, as programs like it; the wide one has one row a group of
sheets, as people do. Nothing is added up here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from scanner.counting.rules import Denominator, answer_shares
from scanner.counting.tally_file import TallyContest, TallyFile, TallyForm

LONG_COLUMNS = (
    "unit",
    "unit_name",
    "period",
    "form",
    "group_by",
    "group",
    "group_label",
    "contest",
    "title",
    "answer",
    "answer_label",
    "kind",
    "votes",
    "of",
    "percent",
)
WIDE_COLUMNS = (
    "unit",
    "unit_name",
    "period",
    "form",
    "group_by",
    "group",
    "group_label",
    "issued",
    "collected",
    "hand_count",
    "papers",
    "valid",
    "void",
    "in_review",
)
BLANK = "[blank]"
OVERVOTE = "[overvote]"

Cell = str | int | Decimal | None
"""A number, a text, or None where a figure is not known or not shown."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one group of sheets of one form."""

    form: TallyForm
    by: str
    """Empty for all sheets."""
    group: str
    label: str
    valid: int
    contests: tuple[TallyContest, ...] | None
    """None where they are not shown."""

    @property
    def is_whole(self) -> bool:
        """Whether it is all sheets of the form."""
        return not self.by


@dataclass(frozen=True, slots=True)
class Answer:
    """One line under a contest: an option, blank, or too many."""

    id: str
    label: str
    kind: str
    """``option``, ``blank`` or ``overvote``."""
    votes: int
    percent: Decimal | None
    """None where it has no share, as a blank among the valid answers."""


def groups_of(tally: TallyFile) -> Iterator[Figures]:
    """All sheets of each form, and after them each group of its breakdowns."""
    for form in tally.forms:
        yield Figures(form, "", "", "", form.valid, form.contests)
        for breakdown in tally.breakdowns:
            if breakdown.form == form.id:
                for group in breakdown.groups:
                    yield Figures(
                        form, breakdown.by, group.id, group.label, group.valid, group.contests
                    )


def answers_of(tally: TallyFile, figures: Figures, contest: TallyContest) -> list[Answer]:
    """The answers to a contest with their shares: options, blank, too many.

    Args:
        tally: Whose rule makes the shares.
        figures: The group of sheets.
        contest: One of its contests.
    """
    lines = [(option.id, option.label, "option", option.votes) for option in contest.options]
    lines.append((BLANK, "", "blank", contest.blank))
    lines.append((OVERVOTE, "", "overvote", contest.overvote))
    whole = whole_of(tally, figures, contest)
    options, rest = answer_shares(
        [option.votes for option in contest.options],
        [contest.blank, contest.overvote],
        whole,
        tally.rule,
        most=contest.max,
    )
    return [Answer(*line, part) for line, part in zip(lines, [*options, *rest], strict=True)]


def whole_of(tally: TallyFile, figures: Figures, contest: TallyContest) -> int:
    """Of how many the shares of a contest are, in a group of sheets.

    How many papers of a group came back, or how many members it has, nobody knows. There the
    shares are of its valid sheets.
    """
    if figures.is_whole:
        return tally.whole(figures.form, contest)
    is_answered = tally.rule.denominator is Denominator.ANSWERED
    return contest.answered if is_answered else contest.counted


def long_rows(tally: TallyFile) -> Iterator[Sequence[Cell]]:
    """One row a figure, after a row of names; of a hidden group only how many sheets it has."""
    yield LONG_COLUMNS
    for figures in groups_of(tally):
        own = (*_whose(tally), figures.form.id, figures.by, figures.group, figures.label)
        if figures.contests is None:
            yield (*own, "", "", "", "", "hidden", None, figures.valid, None)
        for contest in figures.contests or ():
            whole = whole_of(tally, figures, contest)
            for one in answers_of(tally, figures, contest):
                answer = (one.id, one.label, one.kind, one.votes, whole, one.percent)
                yield (*own, contest.id, contest.title, *answer)


def wide_rows(tally: TallyFile) -> Iterator[Sequence[Cell]]:
    """One row a group of sheets, after a row of names; papers where a row is all of the count."""
    contests = [
        (form.id, contest.id, name)
        for form in tally.forms
        for contest in form.contests
        for name in (*(option.id for option in contest.options), BLANK, OVERVOTE)
    ]
    several = len(tally.forms) > 1
    yield (
        *WIDE_COLUMNS,
        *(
            f"{form}:{contest}:{name}" if several else f"{contest}:{name}"
            for form, contest, name in contests
        ),
    )
    for figures in groups_of(tally):
        found = {
            (figures.form.id, contest.id, one.id): one.votes
            for contest in figures.contests or ()
            for one in answers_of(tally, figures, contest)
        }
        yield (
            *_whose(tally),
            figures.form.id,
            figures.by,
            figures.group,
            figures.label,
            *_papers(tally, figures),
            *(found.get(name) for name in contests),
        )


def _whose(tally: TallyFile) -> tuple[str, str, str]:
    unit = tally.unit
    return (unit.id if unit else "", unit.name if unit else "", tally.period)


def _papers(tally: TallyFile, figures: Figures) -> tuple[Cell, ...]:
    """Where the papers went: known of all, of the valid ones also by form and by group."""
    if not figures.is_whole or len(tally.forms) > 1:
        return (None, None, None, None, figures.valid, None, None)
    sheets = tally.sheets
    return (
        sheets.issued,
        sheets.collected,
        sheets.hand_count,
        sheets.paper,
        sheets.valid,
        sheets.void,
        sheets.in_review,
    )
