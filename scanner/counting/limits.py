"""The two limits between which a target is doubtful, and the range of them that is priced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from scanner.counting.store import Store
from scanner.errors import BadArgumentsError
from scanner.messages import gettext as _
from scanner.settings import Settings

_TIMES_THE_ERRORS = (20.0, 10.0, 5.0, 2.0, 1.0, 1 / 2, 1 / 5, 1 / 10, 1 / 100, 1 / 1000)
"""Loose to tight: how many errors for a right reading are allowed, against the present limits."""
_LEAST_ODDS = 1e-4
"""Where the present limits allow no error at all, looser ones start here."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the reading is sure of: outside of these probabilities of being marked."""

    marked: float
    """A target this probable is marked, 0.5..1."""
    unmarked: float
    """A target less probable than this is not marked, 0..0.5."""

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """The limits among some settings."""
        return cls(settings.clearly_marked, settings.clearly_unmarked)

    def put_into(self, settings: Settings) -> Settings:
        """The same settings with these limits.

        Raises:
            pydantic.ValidationError: A limit lies outside its range.
        """
        changed = {"clearly_marked": self.marked, "clearly_unmarked": self.unmarked}
        return Settings.model_validate(settings.model_dump() | changed)


def ladder(present: Limits) -> list[Limits]:
    """Limits from loose to tight around the present ones, which are among them unchanged.

    Both limits move together: the odds of an error that each allows are multiplied by the same
    number. So each pair lies within the next, and what is doubtful under one is so under all
    that follow.
    """
    return [present if n == 1 else _times(present, n) for n in _TIMES_THE_ERRORS]


def settings_in_force(store: Store) -> dict[int, Settings]:
    """The settings that the targets of each batch are decided with, by batch."""
    stored = store.settings_in_force()
    return {batch: Settings.model_validate_json(text) for batch, text in stored.items()}


def common_limits(settings: Mapping[int, Settings]) -> Limits | None:
    """The limits that all batches have; None where they differ, or where there is no batch."""
    found = {Limits.of(each) for each in settings.values()}
    return found.pop() if len(found) == 1 else None


def limits_to_set(store: Store, marked: float | None, unmarked: float | None) -> Limits | None:
    """The limits that somebody asks for; one that is not named stays as it is in the last batch.

    Args:
        store: The count.
        marked: From this probability on a target is marked, 0.5..1.
        unmarked: Up to this one it is not, 0..0.5.

    Returns:
        None where neither is named.

    Raises:
        BadArgumentsError: Nothing has been scanned yet.
    """
    if marked is None and unmarked is None:
        return None
    in_force = [Limits.of(settings) for settings in settings_in_force(store).values()]
    if not in_force:
        raise BadArgumentsError(_("Nothing has been scanned yet."))
    present = in_force[-1]
    return Limits(
        present.marked if marked is None else marked,
        present.unmarked if unmarked is None else unmarked,
    )


def settings_for_new_batch(store: Store) -> Settings:
    """The settings to read with from now on: a change of the limits holds for what follows."""
    changes = store.limit_changes()
    if not changes:
        return Settings()
    return Limits.of(Settings.model_validate_json(changes[-1].settings)).put_into(Settings())


def _times(present: Limits, number: float) -> Limits:
    marked = _share_of_errors(1 - Decimal(str(present.marked)), number)
    unmarked = _share_of_errors(Decimal(str(present.unmarked)), number)
    return Limits(float(1 - marked), float(unmarked))


def _share_of_errors(share: Decimal, number: float) -> Decimal:
    """A share of errors, 0..0.5, whose odds are so many times those of another; two digits."""
    if share >= 1 and number > 1:
        return Decimal("0.5")
    odds = float(share / (1 - share))
    if number > 1:
        odds = max(odds, _LEAST_ODDS)
    odds *= number
    return min(Decimal(f"{odds / (1 + odds):.2g}"), Decimal("0.5"))
