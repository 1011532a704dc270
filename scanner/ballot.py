"""The words of a count as frozen types, and the closed lists.

Nothing here knows an image or a database; the rules of an election are tested on these types
as tables of numbers. The words are those of ``docs/words.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class MarkState(StrEnum):
    """What was read at one target."""

    MARKED = "marked"
    UNMARKED = "unmarked"
    DOUBTFUL = "doubtful"


class ContestState(StrEnum):
    """What the marks of one contest on one sheet amount to."""

    VOTED = "voted"
    UNDERVOTE = "undervote"
    BLANK = "blank"
    OVERVOTE = "overvote"
    IN_DOUBT = "in_doubt"


class SheetStatus(StrEnum):
    """Where a sheet stands. Every sheet scanned has exactly one of these."""

    CLEAN = "clean"
    IN_DOUBT = "in_doubt"
    DECIDED = "decided"
    REFUSED = "refused"


class Reason(StrEnum):
    """Why a sheet needs a person, or why it is refused: the closed list.

    A new reason needs a line here, a sentence in both languages, and a test.
    """

    # At a target or a contest.
    UNCLEAR_MARK = "unclear_mark"
    MARK_BESIDE_BOX = "mark_beside_box"
    INK_WITHOUT_MARK = "ink_without_mark"
    POSSIBLE_CORRECTION = "possible_correction"
    OVERVOTE = "overvote"
    PRINT_MISMATCH = "print_mismatch"
    MISALIGNED = "misaligned"
    OUTSIDE_SCAN = "outside_scan"
    # At a sheet.
    FORM_UNCERTAIN = "form_uncertain"
    OTHER_VERSION = "other_version"
    PAGE_MISSING = "page_missing"
    PAGE_TWICE = "page_twice"
    PAGE_ORDER = "page_order"
    SAME_IMAGE = "same_image"
    # Worth knowing; no person needed unless the form asks for it.
    UNDERVOTE = "undervote"
    BLANK_CONTEST = "blank_contest"
    BLANK_SHEET = "blank_sheet"
    # A page or a file that is not counted.
    UNKNOWN_FORM = "unknown_form"
    BLANK_PAGE = "blank_page"
    UNREADABLE_FILE = "unreadable_file"
    ENCRYPTED_FILE = "encrypted_file"
    IMAGE_TOO_LARGE = "image_too_large"


REFUSING = frozenset(
    {
        Reason.UNKNOWN_FORM,
        Reason.BLANK_PAGE,
        Reason.UNREADABLE_FILE,
        Reason.ENCRYPTED_FILE,
        Reason.IMAGE_TOO_LARGE,
    }
)
"""A page with one of these is refused: it is listed with its evidence and never counted."""

IGNORED_BY_DEFAULT = frozenset({Reason.UNDERVOTE, Reason.BLANK_CONTEST, Reason.BLANK_SHEET})
"""Kept with the sheet, but no person is asked unless the form's rule says so."""


@dataclass(frozen=True, slots=True)
class TargetMeasures:
    """The ink added at one target, compared with the blank. Decides nothing.

    All shares are of an area and lie in 0..1; lengths are in millimetres on the form.
    """

    inside: float
    """Share of the inside of the printed outline that is covered by added ink; in a target larger
    than an ordinary box, the share of such a box that it would cover."""
    weight: float
    """Mean darkness of that inside that the blank does not have, 0 white .. 1 black."""
    outline: float
    """Share of the band on and beside the outline that is covered by added ink."""
    outside: float
    """Share of the ring around the target that is covered by added ink."""
    label_mm: float
    """Longer side of the largest piece of added ink around the option's label."""
    extent_mm: float
    """Longer side of the largest connected piece of added ink that touches the inside."""
    through: float
    """1 where the ink inside seems to be part of something that is no mark of this target: a
    straight line across its surroundings, the tail of a stroke in the next target, a stamp, a
    seal; else 0."""
    residual_mm: float
    """How far the print next to the target lies from where the alignment put it."""
    print_match: float
    """How alike the print of the label, the question and the outline is to the blank's, 0..1."""


@dataclass(frozen=True, slots=True)
class TargetReading:
    """One target of one page: what was measured, and what that is taken for."""

    contest: str
    option: str
    state: MarkState
    probability: float
    """Probability of being marked, 0..1."""
    measures: TargetMeasures
    reasons: tuple[Reason, ...] = ()

    @property
    def target(self) -> str:
        """The target's id, unique in its form."""
        return f"{self.contest}/{self.option}"


@dataclass(frozen=True, slots=True)
class ContestReading:
    """One contest of one sheet."""

    contest: str
    state: ContestState
    marked: tuple[str, ...]
    """Ids of the options read as marked, also when the state is overvote or in doubt."""
    reasons: tuple[Reason, ...] = ()
    """Every reason found, also those that policy ignores."""


@dataclass(frozen=True, slots=True)
class PageReading:
    """One page image of a known form, read."""

    form: str
    form_hash: str
    page: int
    rotation: int
    """Quarter turns clockwise, in degrees, by which the scan had to be turned upright."""
    homography: tuple[float, ...]
    """Nine numbers, row by row: pixels of the full-size scan to millimetres on the form."""
    targets: tuple[TargetReading, ...]
    reasons: tuple[Reason, ...] = ()
    """Reasons of the page as a whole."""
    serial: str | None = None
    """The sheet's serial number from its printed code, if it has one."""
    alternatives: tuple[str, ...] = ()
    """Ids of other forms that fit this page as well; empty when it can be told."""
    evidence: dict[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UnreadablePage:
    """A page that cannot be counted: the reason is a value, not an exception."""

    reason: Reason
    evidence: dict[str, float | str] = field(default_factory=dict)
