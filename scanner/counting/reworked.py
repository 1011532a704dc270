"""What is kept of sheets that were put together anew: which were made of which, by whom, why.

A sheet is never changed. A new one is made of its pages, or of new readings of them, and from then
on the former sheet counts no more; undone, it counts again, and what was made of it does not. So
each page that was scanned is on one standing sheet at any time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from scanner.ballot import ContestReading, ContestState, PageReading, Reason, TargetReading
from scanner.counting.adjudication import SheetRecord
from scanner.counting.paper import PageSlot
from scanner.counting.records import PageSource


class ReworkKind(StrEnum):
    """What was done with a sheet: the closed list."""

    READ_AGAIN = "read_again"
    PAIRED = "paired"
    TAKEN_APART = "taken_apart"
    TYPED = "typed"
    """Its answers are typed by hand."""
    FOREIGN = "foreign"
    """It is no ballot of this count."""
    COPY = "copy"
    """It is a copy of another sheet."""
    VOID = "void"
    UNDONE = "undone"


SET_ASIDE: Mapping[ReworkKind, Reason] = {
    ReworkKind.FOREIGN: Reason.FOREIGN_SHEET,
    ReworkKind.COPY: Reason.COPY_OF_SHEET,
    ReworkKind.VOID: Reason.VOID_SHEET,
}
"""What refuses a sheet that a person sets aside."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One page as a part of a sheet: one that is in the count, or a new reading of one."""

    id: int
    """Id of the page; of a new reading, that of the page that was read again."""
    batch: int
    number: int
    """Page of its file from 1; 0 stands for a file that cannot be opened."""
    slot: PageSlot
    reasons: tuple[Reason, ...]
    """Doubts about the page as a whole."""
    image_hash: str
    reading: PageReading | None = None
    """A new reading, which the count does not have yet."""
    told: str = "{}"
    """What a person said of it, as JSON."""
    targets: tuple[TargetReading, ...] = ()

    def read_as(self, reading: PageReading, targets: tuple[TargetReading, ...], told: str) -> Leaf:
        """The same page, read again."""
        slot = replace(
            self.slot,
            form=reading.form,
            page=reading.page,
            serial=reading.serial,
            alternatives=reading.alternatives,
            refusal=None,
        )
        return replace(
            self,
            slot=slot,
            reasons=reading.reasons,
            reading=replace(reading, targets=targets),
            told=told,
            targets=targets,
        )


@dataclass(frozen=True, slots=True)
class NewSheet:
    """A sheet that is to be made; it gets its number when it is written."""

    record: SheetRecord
    leaves: tuple[Leaf, ...]
    """In the order of its pages."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written, all of it or nothing."""

    kind: ReworkKind
    former: tuple[int, ...]
    """Sheets that count no more."""
    sheets: tuple[NewSheet, ...]
    by: str
    why: str
    told: Mapping[str, Any] = field(default_factory=dict)
    """What else the person said; plain JSON."""
    before: tuple[Mapping[str, Any], ...] = ()
    """What the former sheets counted as; plain JSON."""
    after: tuple[Mapping[str, Any], ...] = ()
    """What the new ones count as."""


@dataclass(frozen=True, slots=True)
class Rework:
    """One rework as it is kept."""

    id: int
    kind: ReworkKind
    former: tuple[int, ...]
    made: tuple[int, ...]
    """The sheets that count in place of the former ones; of an undoing, those that count again."""
    told: Mapping[str, Any]
    by: str
    why: str
    at: datetime
    undoes: int | None = None
    """The id of the rework that holds no more, for an undoing."""

    def stands(self, gone: Collection[int]) -> bool:
        """Whether it still holds, and is no undoing itself.

        Args:
            gone: The sheets of the count that count no more.
        """
        return self.kind is not ReworkKind.UNDONE and not any(one in gone for one in self.made)


@dataclass(frozen=True, slots=True)
class LoosePage:
    """One page of a sheet that waits for somebody to put it right."""

    source: PageSource
    batch: int
    form: str | None
    page: int
    refusal: Reason | None
    evidence: Mapping[str, float | str]


@dataclass(frozen=True, slots=True)
class LooseSheet:
    """A sheet that was refused, or whose pages may not belong together."""

    sheet: int
    batch: int
    form: str | None
    reasons: tuple[Reason, ...]
    pages: tuple[LoosePage, ...]

    @property
    def is_set_aside(self) -> bool:
        """Whether a person has said that it is no ballot of its own."""
        return any(reason in SET_ASIDE.values() for reason in self.reasons)


def typed(record: SheetRecord, contests: Iterable[str]) -> SheetRecord:
    """A sheet some contests of which are typed by hand, since nothing was read of them."""
    by_hand = {*contests}
    if not by_hand:
        return record
    return replace(
        record,
        reasons=tuple(reason for reason in record.reasons if reason is not Reason.BLANK_SHEET),
        contests=tuple(
            ContestReading(one.contest, ContestState.IN_DOUBT, (), (Reason.TYPED_BY_HAND,))
            if one.contest in by_hand
            else one
            for one in record.contests
        ),
    )


def typed_contests(record: SheetRecord) -> set[str]:
    """The contests of a sheet that are typed by hand."""
    return {one.contest for one in record.contests if Reason.TYPED_BY_HAND in one.reasons}
