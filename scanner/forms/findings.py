"""What is found about a form, and how much each finding weighs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from scanner.forms.template import Contest, Option
from scanner.messages import gettext as _

Targets = list[tuple[Contest, Option]]

BEST_SCORE = 100
_LISTED = 5


class Severity(StrEnum):
    """How bad a finding is."""

    FAULT = "fault"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a form that a person should look at."""

    severity: Severity
    message: str
    remedy: str
    page: int | None = None
    weight: int = 10
    """Points that it takes away."""
    places: tuple[tuple[str, str], ...] = ()
    """The targets that it is about, by contest and option; the option is empty for a contest."""


def score(findings: Iterable[Finding]) -> int:
    """How fit a form is, 0..100, after all that was found about it."""
    return max(0, BEST_SCORE - sum(finding.weight for finding in findings))


def ids_of(targets: Targets) -> tuple[tuple[str, str], ...]:
    """Targets by contest and option, as a finding names its places."""
    return tuple((contest.id, option.id) for contest, option in targets)


def name_targets(targets: Targets) -> str:
    """The first targets of a list by contest and option, and how many more there are."""
    return shorten([f"{contest.id}/{option.id}" for contest, option in targets])


def shorten(names: list[str]) -> str:
    """The first names of a list, and how many more there are."""
    more = len(names) - _LISTED
    shown = ", ".join(names[:_LISTED])
    return shown + (_(" and {more} more").format(more=more) if more > 0 else "")
