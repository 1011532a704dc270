"""What a test deck says: which option of which sheet is marked, how, and where a doubt is meant.

A deck is planned for any registered form and written beside the marked sheets, so that what a
count has read can be compared with it, target by target.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from scanner.errors import StorageError, UnreadableFileError
from scanner.messages import gettext as _


class DeckMark(StrEnum):
    """How a target of a deck is marked."""

    CROSS = "cross"
    TICK = "tick"
    FILL = "fill"
    SLASH = "slash"
    DOT = "dot"
    FAINT = "faint"
    """A light pencil cross: meant as a mark, but a person may be asked."""
    CANCELLED = "cancelled"
    """A mark taken back as the form's rule says: meant as none, and a person is asked."""
    STRIKE = "strike"
    """A name struck out: the option is not chosen."""
    RING = "ring"
    """A label circled."""
    UNDERLINE = "underline"
    """A label underlined."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DeckTarget(_Part):
    """What is meant at one target of one sheet."""

    marked: bool = False
    """Whether the option is chosen: marked, or left where names are struck out."""
    mark: DeckMark | None = None
    """What is drawn; None for nothing."""
    doubt: bool = False
    """Whether a person may be asked about it."""


class DeckSheet(_Part):
    """One marked sheet."""

    sheet: int = Field(ge=1)
    """Its number in the deck, from 1."""
    doubt: bool = False
    """Whether the form's rule puts it before a person as a whole."""
    contests: dict[str, dict[str, DeckTarget]]
    """Contest id -> option id -> what is meant there; every target of the form."""

    def targets(self) -> set[tuple[str, str]]:
        """Contest and option of each target."""
        return {(contest, option) for contest, all_ in self.contests.items() for option in all_}

    def marked(self, contest: str) -> tuple[str, ...]:
        """Ids of the options that the voter means."""
        return tuple(option for option, one in self.contests[contest].items() if one.marked)


class DeckSums(_Part):
    """What a contest adds up to when every doubt is decided as it was meant."""

    options: dict[str, int]
    blank: int
    overvote: int


class Deck(_Part):
    """A pile of marked sheets with a known tally."""

    schema_: Literal[1] = Field(alias="schema", default=1)
    form: str
    form_hash: str
    """Of the form it was drawn on."""
    pages: int = Field(ge=1)
    """Pages of one sheet."""
    seed: int
    scan: bool = False
    """Whether the pages look as a scanner gives them."""
    scale_percent: float = 100.0
    onto: str = ""
    """The paper that the pages were laid on, if it is larger than they are."""
    tally: dict[str, DeckSums]
    sheets: tuple[DeckSheet, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        wanted = self.sheets[0].targets()
        for number, sheet in enumerate(self.sheets, start=1):
            if sheet.sheet != number:
                raise ValueError(f"sheet {sheet.sheet} stands where sheet {number} should")
            if sheet.targets() != wanted:
                raise ValueError(f"sheet {number} has other targets than the first")
        return self


def description_path(pdf: Path) -> Path:
    """Where the description of a deck lies."""
    return pdf.with_suffix(".json")


def write_deck(deck: Deck, path: Path) -> None:
    """Write what a deck says as JSON, one sheet a line.

    Raises:
        StorageError: It cannot be written there.
    """
    head = deck.model_dump_json(by_alias=True, exclude={"sheets"}, indent=1)[:-2]
    lines = ",\n".join("  " + sheet.model_dump_json(exclude_none=True) for sheet in deck.sheets)
    try:
        path.write_text(f'{head},\n "sheets": [\n{lines}\n ]\n}}\n', encoding="utf-8", newline="\n")
    except OSError as error:
        raise StorageError(
            _("The file cannot be written ({reason}).").format(reason=error.strerror or error),
            path=path,
        ) from error


def read_deck(path: Path) -> Deck:
    """Read what a deck says.

    Raises:
        UnreadableFileError: There is no such file, or it is no deck.
    """
    try:
        return Deck.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UnreadableFileError(
            _("There is no description of a test deck here ({reason}).").format(
                reason=error.strerror or error
            ),
            remedy=_("Name the file that was written beside its PDF: --deck FILE.json."),
            path=path,
        ) from error
    except ValidationError as error:
        fault = error.errors()[0]
        raise UnreadableFileError(
            _("This is no description of a test deck ({field}: {reason}).").format(
                field=".".join(str(step) for step in fault["loc"]) or "deck", reason=fault["msg"]
            ),
            path=path,
        ) from error
