"""Two readers: which answers are read by two people, and which contests are close."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from scanner.forms.template import Form


class SecondReader(StrEnum):
    """Which answers of people a second person gives as well, without having seen the first."""

    NONE = "none"
    DOUBTS = "doubts"
    """Whatever was in doubt, a contest or a sheet as a whole, or was flagged."""
    ALL = "all"
    """Those too where a person corrects what was read without doubt."""
    CLOSE = "close"
    """Those in contests that are close, see :func:`is_close`."""


@dataclass(frozen=True, slots=True)
class Readers:
    """Who has to read what a person reads."""

    policy: SecondReader = SecondReader.NONE
    close: frozenset[tuple[str, str]] = frozenset()
    """Ids of form and contest of those that are close; only asked for :attr:`CLOSE`."""

    def needs_second(self, form: str | None, contest: str | None, *, was_in_doubt: bool) -> bool:
        """Whether the answer of one person is not enough.

        Args:
            form: Id of the sheet's form.
            contest: Id of the contest; None for the sheet as a whole.
            was_in_doubt: Whether somebody had to look at it.
        """
        if self.policy is SecondReader.CLOSE:
            return any(
                form == close_form and contest in {close_contest, None}
                for close_form, close_contest in self.close
            )
        return self.policy is SecondReader.ALL or (
            self.policy is SecondReader.DOUBTS and was_in_doubt
        )


ONE_READER = Readers()


def is_close(votes: Iterable[int], places: int, disputed: int) -> bool:
    """Whether people could change who leads a contest.

    The votes are those of the sheets on whose answer nobody had to decide and nobody did. Of
    the options, as many lead as may be chosen (``places``). Each disputed sheet, one that waits
    for a person or on which one has decided, can give a vote to the first option that does not
    lead, or none to the last that does: never both sides more than one. So people can change
    who leads exactly if the gap between these two is not greater than the number of disputed
    sheets; where the gap is as great, they can make the two equal. It plays no part what they
    have decided so far.

    Args:
        votes: Undisputed votes of each option.
        places: How many options may be chosen, 1 or more.
        disputed: Sheets whose answer is disputed.
    """
    ranked = sorted(votes, reverse=True)
    if len(ranked) <= places or not disputed:
        return False
    return ranked[places - 1] - ranked[places] <= disputed


def close_contests(
    forms: Sequence[Form],
    votes: Mapping[tuple[str, str], Mapping[str, int]],
    disputed: Mapping[tuple[str, str], int],
) -> frozenset[tuple[str, str]]:
    """The contests that are close, by ids of form and contest.

    Args:
        forms: The forms of the count.
        votes: Undisputed votes by form and contest, and there by option.
        disputed: Sheets whose answer is disputed, by form and contest.
    """
    return frozenset(
        (form.id, contest.id)
        for form in forms
        for contest in form.contests
        if is_close(
            [votes.get((form.id, contest.id), {}).get(option.id, 0) for option in contest.options],
            contest.max,
            disputed.get((form.id, contest.id), 0),
        )
    )
