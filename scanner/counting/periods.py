"""The period of a tally: a year, half a year, a quarter, a month, or from one day to another.

Written ``2026``, ``2026-H1``, ``2026-Q3``, ``2026-09``, ``2026-06-07/2026-09-05``. Offices count
from any day to any other, so a quarter on paper need not be one of the calendar.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from scanner.messages import gettext as _

_CALENDAR = re.compile(
    r"(?P<year>\d{4})(?:-(?:H(?P<half>[12])|Q(?P<quarter>[1-4])|(?P<month>0[1-9]|1[0-2])))?"
)
_DAYS = re.compile(r"(\d{4}-\d\d-\d\d)/(\d{4}-\d\d-\d\d)")


@dataclass(frozen=True, slots=True)
class Period:
    """From one day to another, both included."""

    id: str
    """As it is written in tallies."""
    first: date
    last: date

    def contains(self, other: Period) -> bool:
        """Whether every day of the other is one of this."""
        return self.first <= other.first and other.last <= self.last

    def overlaps(self, other: Period) -> bool:
        """Whether some day is one of both."""
        return self.first <= other.last and other.first <= self.last


def read_period(text: str) -> Period:
    """The period that a text names.

    Raises:
        ValueError: It names none; the message is for the user.
    """
    days = _DAYS.fullmatch(text)
    if days is not None:
        return _from_days(text, *days.groups())
    match = _CALENDAR.fullmatch(text)
    if match is None or match["year"] == "0000":
        raise ValueError(
            _(
                "{text!r} is no period; write 2026, 2026-H1, 2026-Q3, 2026-09 or"
                " 2026-06-07/2026-09-05."
            ).format(text=text)
        )
    months = 12
    start = 1
    for name, length in (("half", 6), ("quarter", 3), ("month", 1)):
        if match[name] is not None:
            months, start = length, (int(match[name]) - 1) * length + 1
    year = int(match["year"])
    return Period(text, date(year, start, 1), _last_day(year, start + months - 1))


def smallest_around(periods: Sequence[Period]) -> Period | None:
    """The period itself if all are one; else the smallest of the calendar that has them all.

    Returns:
        None where they reach over more than a year.
    """
    if len({period.id for period in periods}) == 1:
        return periods[0]
    if not periods:
        return None
    year = min(period.first for period in periods).year
    quarters = [f"{year:04}-Q{number}" for number in (1, 2, 3, 4)]
    for text in (*quarters, f"{year:04}-H1", f"{year:04}-H2", f"{year:04}"):
        around = read_period(text)
        if all(around.contains(period) for period in periods):
            return around
    return None


def _from_days(text: str, first: str, last: str) -> Period:
    try:
        period = Period(text, date.fromisoformat(first), date.fromisoformat(last))
    except ValueError as error:
        raise ValueError(_("There is no such day in {text!r}.").format(text=text)) from error
    if period.last < period.first:
        raise ValueError(_("The period {text!r} ends before it begins.").format(text=text))
    return period


def _last_day(year: int, month: int) -> date:
    if month == 12:
        return date(year, 12, 31)
    return date(year, month + 1, 1) - timedelta(days=1)
