"""The words people wrote: what is typed of them, and what of it goes into the record.

Typing is never required and counts for no vote. The record is read by everybody who may see the
count, so of a text it holds only how long it is and a fingerprint. That is taken with a salt,
which stays beside the text: without it, a telephone number would be found by trying all of them.
"""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from scanner.errors import BadArgumentsError
from scanner.messages import gettext as _

MOST_LETTERS = 4000
SALT_BYTES = 16
WRITTEN_MM2 = 0.5
"""Added ink from which a comment zone is taken for written on: less than one letter has."""


class Kind(StrEnum):
    """What a person says of a comment zone."""

    TEXT = "text"
    NOTHING = "nothing"
    """There is ink, but no word."""
    ILLEGIBLE = "illegible"


@dataclass(frozen=True, slots=True)
class Words:
    """What a person typed of one comment zone of one sheet."""

    sheet: int
    comment: str
    """The id of the zone in the sheet's form."""
    kind: Kind
    text: str
    """Empty unless the kind is text."""
    who: str
    at: datetime
    """With its time zone."""
    id: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class WrittenZone:
    """A comment zone of a sheet, and what is known of it."""

    sheet: int
    page: int
    """Id of the page."""
    form: str
    comment: str
    ink_mm2: float
    """How much of it is covered by added ink, in square millimetres."""
    words: Words | None = None
    """What was typed last."""


@dataclass(frozen=True, slots=True)
class Measured:
    """How far the comment zones of a count have been measured."""

    done: int
    """Pages."""
    total: int
    written: int
    """Zones that hold added ink."""
    typed: int
    """Zones of which a person has said something."""


def clean_text(text: str, kind: Kind) -> str:
    """A text as it is kept: composed (NFC), one kind of line break, no space around.

    Raises:
        BadArgumentsError: It is empty where words are typed, or not where there are none, or
            longer than :data:`MOST_LETTERS`.
    """
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept = "\n".join(_printable(line).strip() for line in lines).strip()
    if len(kept) > MOST_LETTERS:
        raise BadArgumentsError(
            _("This text is longer than {most} letters.").format(most=MOST_LETTERS),
            remedy=_("Type only what is written on the paper."),
        )
    if bool(kept) != (kind is Kind.TEXT):
        raise BadArgumentsError(
            _("Type the words, or say that there are none or that they cannot be read.")
        )
    return kept


def new_salt() -> str:
    """Random letters for one fingerprint."""
    return secrets.token_hex(SALT_BYTES)


def text_fingerprint(text: str, salt: str) -> str:
    """SHA-256 of salt and text, 64 hexadecimal digits."""
    return hashlib.sha256(f"{salt}{text}".encode()).hexdigest()


def _printable(line: str) -> str:
    """Without control characters, and without what turns the direction of writing around."""
    return "".join(" " if unicodedata.category(c) in {"Cc", "Cf", "Cs"} else c for c in line)
