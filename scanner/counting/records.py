"""What a count remembers of its batches, files and pages."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from scanner.ballot import PageReading, Reason, TargetReading, UnreadablePage
from scanner.counting.page_order import PageOrder

DATABASE_FILE = "count.db"
LOCK_FILE = "count.lock"
IMAGES_FOLDER = "images"
FORMS_FOLDER = "forms"
EXPORTS_FOLDER = "exports"
CACHE_FOLDER = "cache"

WHOLE_FILE = 0
"""The page number of the one entry that stands for a file that cannot be opened."""


class BatchState(StrEnum):
    """How far the scanning of a batch has come; each step is taken up where it was left."""

    REGISTERING = "registering"
    READING = "reading"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """What a batch was asked to scan."""

    files: tuple[str, ...] = ()
    """Paths in scan order, as given."""
    fronts: tuple[str, ...] = ()
    backs: tuple[str, ...] = ()
    reversed_: bool = False
    """The backs come from the last sheet to the first."""
    order: PageOrder = PageOrder.LEARNED
    forms: tuple[str, ...] = ()
    """Ids of the forms the pages can be of."""

    def paths(self) -> list[Path]:
        """Every file of the batch, fronts before backs."""
        return [Path(name) for name in (*self.files, *self.fronts, *self.backs)]

    def to_json(self) -> str:
        """For the database; :meth:`from_json` gives an equal request back."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> BatchRequest:
        """The request that :meth:`to_json` wrote."""
        data = json.loads(text)
        return cls(
            files=tuple(data["files"]),
            fronts=tuple(data["fronts"]),
            backs=tuple(data["backs"]),
            reversed_=data["reversed_"],
            order=PageOrder(data["order"]),
            forms=tuple(data["forms"]),
        )


@dataclass(frozen=True, slots=True)
class CountInfo:
    """The count as a whole."""

    program: str
    """Version of the program that began it."""
    created: datetime
    issued: int | None
    collected: int | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Sheets scanned together."""

    id: int
    request: BatchRequest
    settings: str
    """The settings of its reading, as JSON."""
    state: BatchState


@dataclass(frozen=True, slots=True)
class ScannedFile:
    """One file of a batch; its bytes lie in the images folder under its hash."""

    batch: int
    place: int
    """Place among the files of the batch, from 0."""
    hash: str
    name: str
    """The path as it was given."""
    stored: str
    """Name of the copy in the images folder."""
    pages: int
    """Number of pages; 0 for a file that cannot be opened, or one that was known before."""
    known_as: str | None = None
    """Name of the same file in the count, when it was scanned before."""
    refusal: Reason | None = None
    evidence: dict[str, float | str] = field(default_factory=dict)
    id: int = 0


@dataclass(frozen=True, slots=True)
class PlannedPage:
    """One page to be read, at its place in the scan."""

    position: int
    file: int
    """Id of its file."""
    number: int
    """Page in that file from 1, or :data:`WHOLE_FILE`."""
    pile: int
    flags: tuple[Reason, ...] = ()
    refusal: UnreadablePage | None = None
    """Why it is refused before it is read."""


@dataclass(frozen=True, slots=True)
class PageSource:
    """Where a page image is found."""

    page: int
    """Id of the page."""
    path: Path
    number: int
    name: str = ""
    """The file's name as it was given."""
    position: int = 0


@dataclass(frozen=True, slots=True)
class PageResult:
    """What came of reading one page."""

    page: int
    """Id of the page."""
    image_hash: str
    """Empty if the image could not be decoded."""
    result: PageReading | UnreadablePage


@dataclass(frozen=True, slots=True)
class StoredTarget:
    """One target of a sheet at its place in the database."""

    sheet: int
    page: int
    """Id of the page."""
    place: int
    """Its place among the targets of that page, from 0."""
    reading: TargetReading


@dataclass(frozen=True, slots=True)
class LimitChange:
    """One change of the limits of a batch after it was read."""

    batch: int
    settings: str
    """The settings in force from then on, as JSON."""
    by: str
    why: str
    at: datetime
    """With its time zone."""
    program: str
    """Version of the program that decided anew."""


@dataclass(frozen=True, slots=True)
class Box:
    """One target of one page with everything measured there: a row of boxes.csv."""

    batch: int
    file: str
    number: int
    sheet: int
    form: str
    page: int
    target: TargetReading
