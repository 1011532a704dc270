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
    ALL_STRUCK = "all_struck"
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
    SAME_PAPER = "same_paper"
    TYPED_BY_HAND = "typed_by_hand"
    # What people left.
    FLAGGED = "flagged"
    READERS_DISAGREE = "readers_disagree"
    # Worth knowing; no person needed unless the form asks for it.
    UNDERVOTE = "undervote"
    BLANK_CONTEST = "blank_contest"
    BLANK_SHEET = "blank_sheet"
    NOTHING_STRUCK = "nothing_struck"
    # A page or a file that is not counted.
    UNKNOWN_FORM = "unknown_form"
    BLANK_PAGE = "blank_page"
    UNREADABLE_FILE = "unreadable_file"
    ENCRYPTED_FILE = "encrypted_file"
    IMAGE_TOO_LARGE = "image_too_large"
    # A sheet that a person has set aside.
    FOREIGN_SHEET = "foreign_sheet"
    COPY_OF_SHEET = "copy_of_sheet"
    VOID_SHEET = "void_sheet"


REFUSING = frozenset(
    {
        Reason.UNKNOWN_FORM,
        Reason.BLANK_PAGE,
        Reason.UNREADABLE_FILE,
        Reason.ENCRYPTED_FILE,
        Reason.IMAGE_TOO_LARGE,
        Reason.FOREIGN_SHEET,
        Reason.COPY_OF_SHEET,
        Reason.VOID_SHEET,
    }
)
"""A page or a sheet with one of these is refused: it is listed with its evidence, never counted."""

IGNORED_BY_DEFAULT = frozenset(
    {Reason.UNDERVOTE, Reason.BLANK_CONTEST, Reason.BLANK_SHEET, Reason.NOTHING_STRUCK}
)
"""Kept with the sheet, but no person is asked unless the form's rule says so."""


@dataclass(frozen=True, slots=True)
class TargetMeasures:
    """The ink added at one target, compared with the blank. Decides nothing.

    All shares are of an area and lie in 0..1; lengths are in millimetres on the form. Where
    printed words are the target, ``reading/label_marks.py`` says what each field means.
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
    """How far at most the target lies from where it was measured, but for one in a thousand."""
    print_match: float
    """How alike the print of the label, the question and the outline is to the blank's, 0..1."""
    stroke_mm: float = 0.0
    """Length of the dark strokes inside; measured only where the first look leaves a doubt."""
    label_struck: float = 0.0
    """Share of the length of the option's label through which a stroke runs; measured only where
    a box may be marked and there is ink around its label."""


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
    """Ids of the options read as chosen, also when the state is overvote or in doubt: those that
    are marked, or where names are struck out those that are left."""
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
