"""What a draft is not sure of, in plain sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scanner.messages import gettext as _
from scanner.registering.grouping import FoundContest

SURE_WORDS = 0.75
"""Below this a question or a label is named as read with little confidence."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """One thing to look at."""

    text: str
    contest: int
    """Place of the question, from 0."""
    option: int | None = None
    """Place of the option in its question, from 0; None for the question itself."""


def find_doubts(contests: Sequence[FoundContest]) -> list[Doubt]:
    """All doubts about questions and labels, in the order of the form.

    Targets are numbered through the whole form, from 1, as on the pictures of the proposal.
    """
    doubts: list[Doubt] = []
    target = 0
    for place, contest in enumerate(contests):
        doubts += [Doubt(text, place) for text in _about_question(place + 1, contest)]
        for index, option in enumerate(contest.options):
            target += 1
            if not option.label:
                text = _("Target {number}: no text beside it.").format(number=target)
                doubts.append(Doubt(text, place, index))
            elif option.sure < SURE_WORDS:
                text = _("Target {number}: read with little confidence: “{text}”.").format(
                    number=target, text=option.label
                )
                doubts.append(Doubt(text, place, index))
    return doubts


def _about_question(number: int, contest: FoundContest) -> Iterator[str]:
    if not contest.title:
        yield _("Question {number}: no text found above it.").format(number=number)
    elif contest.sure < SURE_WORDS:
        yield _("Question {number}: read with little confidence: “{text}”.").format(
            number=number, text=contest.title
        )
    if len(contest.options) == 1:
        yield _("Question {number}: it has only one target; it may belong to another.").format(
            number=number
        )
    if contest.max > 1:
        yield _("Question {number}: up to {count} may be chosen, as its text says.").format(
            number=number, count=contest.max
        )
    named = [option for option in contest.options if option.label and not option.is_write_in]
    if len({option.label.casefold() for option in named}) < len(named):
        yield _("Question {number}: two targets have the same text.").format(number=number)
