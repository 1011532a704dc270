"""The people of a count: who they are, what they may do, and how they prove it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from scanner.errors import BadArgumentsError
from scanner.messages import gettext as _

SHORTEST_PIN = 4
LONGEST_PIN = 128
LONGEST_NAME = 80
FREE_ATTEMPTS = 3
"""So many wrong PINs in a row cost no time."""
FIRST_WAIT = timedelta(seconds=4)
LONGEST_WAIT = timedelta(minutes=10)

# A twentieth of a second on an office PC, and little enough memory for several people at once.
_HASHER = PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1)


class Role(StrEnum):
    """What a person may do."""

    READER = "reader"
    """Decides what is in doubt."""
    COMMITTEE = "committee"
    """Decides also what readers hand on, and says who takes part."""
    OBSERVER = "observer"
    """Sees all and changes nothing."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who takes part in a count."""

    id: int
    name: str
    role: Role
    is_active: bool


def tidy_name(name: str) -> str:
    """A name as it is kept: one space between its words, its letters composed.

    Raises:
        BadArgumentsError: It is empty, too long, or holds what is no letter of a name.
    """
    tidy = " ".join(unicodedata.normalize("NFC", name).split())
    is_printable = all(unicodedata.category(letter)[0] != "C" for letter in tidy)
    if not tidy or len(tidy) > LONGEST_NAME or not is_printable:
        raise BadArgumentsError(
            _("A name has 1 to {most} letters.").format(most=LONGEST_NAME),
            remedy=_("Give the name by which the others know this person."),
        )
    return tidy


def is_same_name(one: str, other: str) -> bool:
    """Whether two names are one person's, however they are capitalised and spaced."""
    return _folded(one) == _folded(other)


def hash_pin(pin: str) -> str:
    """What is kept of a PIN.

    Raises:
        BadArgumentsError: It is too short or too long.
    """
    if not SHORTEST_PIN <= len(pin) <= LONGEST_PIN:
        raise BadArgumentsError(
            _("A PIN has at least {least} digits.").format(least=SHORTEST_PIN),
            remedy=_("Choose a longer one."),
        )
    return _HASHER.hash(pin)


def is_pin(pin: str, kept: str) -> bool:
    """Whether a PIN is the one of which this was kept.

    Args:
        pin: As typed.
        kept: What :func:`hash_pin` gave; empty for nobody's, which takes as long.
    """
    try:
        return _HASHER.verify(kept or _nobodys(), pin) and bool(kept)
    except (VerificationError, InvalidHashError):
        return False


def wait_after(wrong_pins: int) -> timedelta:
    """How long a person waits after so many wrong PINs in a row: twice as long each time."""
    doublings = wrong_pins - FREE_ATTEMPTS
    if doublings < 0:
        return timedelta()
    return min(FIRST_WAIT * (1 << min(doublings, 20)), LONGEST_WAIT)


_kept: list[str] = []


def _nobodys() -> str:
    if not _kept:
        _kept.append(_HASHER.hash("nobody's"))
    return _kept[0]


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())
