"""The wall: all targets that were read alike, the least sure first, for a person to look over.

Among a hundred crops that are all said to be marked, the one that is not catches the eye. So a
person checks thousands of boxes in minutes, and the machine with them. What is the odd one out
goes into the queue; a screen that was looked over is on the record.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from scanner.ballot import MarkState
from scanner.counting.adjudication import Decision, Verdict, standing
from scanner.errors import BadArgumentsError
from scanner.messages import gettext as _

CROPS_A_SCREEN = 100
WALLS = (MarkState.MARKED, MarkState.UNMARKED)
"""A doubtful target has no wall: each of them is in the queue."""

TargetName = tuple[str, str, str]
"""Form, contest and option."""
Spot = tuple[int, int]
"""Id of the page, and place among its targets."""


@dataclass(frozen=True, slots=True)
class Wall:
    """Which targets are looked at."""

    state: MarkState
    form: str | None = None
    contest: str | None = None
    option: str | None = None

    def __post_init__(self) -> None:
        if self.state not in WALLS:
            raise BadArgumentsError(_("A wall shows what was read as marked, or as not marked."))

    def has(self, name: TargetName) -> bool:
        """Whether such a target is on it, as far as its form, contest and option go."""
        asked = (self.form, self.contest, self.option)
        return all(own in {None, other} for own, other in zip(asked, name, strict=True))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a target stands on its wall."""

    probability: float
    page: int
    """Id of the page."""
    place: int
    """Among the targets of that page."""

    def __str__(self) -> str:
        return f"{self.probability!r}:{self.page}:{self.place}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The place that was written as ``str(place)``.

        Raises:
            BadArgumentsError: It was not.
        """
        if not re.fullmatch(r"[0-9.]{1,25}(e-[0-9]{1,3})?:[0-9]{1,18}:[0-9]{1,9}", text):
            raise _no_place()
        probability, page, place = text.split(":")
        try:
            return cls(float(probability), int(page), int(place))
        except ValueError as error:
            raise _no_place() from error


@dataclass(frozen=True, slots=True)
class WallTarget:
    """One crop of a wall."""

    at: Place
    sheet: int
    form: str
    contest: str
    option: str
    state: MarkState
    printed_page: int
    """The page of the form on which it stands."""

    @property
    def spot(self) -> Spot:
        """Id of the page, and its place on it: by this it is known."""
        return self.at.page, self.at.place


@dataclass(frozen=True, slots=True)
class Remark:
    """What people have said of a target so far."""

    is_decided: bool = False
    """Somebody has decided its contest, or that its sheet does not count."""
    is_flagged: bool = False
    """It waits in the queue because somebody wants it to be seen again."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of a wall a person has looked over."""

    seen: int
    total: int


def remark_on(target: WallTarget, decisions: Iterable[Decision]) -> Remark:
    """What people have said of a target.

    Args:
        target: The target.
        decisions: All decisions on its sheet, oldest first.
    """
    is_decided, is_flagged = False, False
    for one in standing(decisions):
        if one.contest == target.contest and one.verdict is Verdict.FLAG:
            is_flagged = is_flagged or not one.options or target.option in one.options
        elif one.contest == target.contest and one.verdict is not Verdict.ESCALATE:
            is_decided, is_flagged = True, False
        elif one.contest is None and one.verdict is Verdict.REFUSE:
            is_decided = True
    return Remark(is_decided, is_flagged)


def measure(
    wall: Wall, totals: Mapping[TargetName, int], seen: Mapping[TargetName, int]
) -> Progress:
    """How much of a wall was looked over, by anybody.

    Args:
        wall: The wall.
        totals: How many targets were read as this wall has them.
        seen: How many of those were on a screen that was looked over.
    """
    return Progress(
        sum(number for name, number in seen.items() if wall.has(name)),
        sum(number for name, number in totals.items() if wall.has(name)),
    )


def _no_place() -> BadArgumentsError:
    return BadArgumentsError(
        _("There is no such place on the wall."), remedy=_("Open the wall from its beginning.")
    )
