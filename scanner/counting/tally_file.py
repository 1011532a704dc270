"""What a tally says, as frozen types: the figures of one count, or of many units added up.

It stands alone: it names its unit, its period and its forms, and it carries no vote of a single
sheet. ``publishing/tally_json.py`` writes and reads it; ``counting/merge.py`` adds several up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any

from scanner.counting.rules import ShareRule
from scanner.counting.tally import Gap


@dataclass(frozen=True, slots=True)
class TallyUnit:
    """Whose count it is: a ward, a town, a department."""

    id: str
    """As in the tree of units."""
    name: str = ""


@dataclass(frozen=True, slots=True)
class TallyOption:
    """One answer of a contest."""

    id: str
    label: str
    votes: int


@dataclass(frozen=True, slots=True)
class TallyContest:
    """The sums of one contest, over valid sheets.

    With one choice options + blank + overvote = counted; always
    votes + undervotes + max × overvote = max × counted.
    """

    id: str
    title: str
    max: int
    counted: int
    """Valid sheets of the form."""
    options: tuple[TallyOption, ...]
    blank: int
    overvote: int
    undervotes: int
    in_doubt: int
    """Sheets of the form that wait for a person; in none of the other figures."""
    is_breakdown: bool = False
    """It says who answers, and is no question."""

    @property
    def answered(self) -> int:
        """Valid sheets with an answer that counts."""
        return self.counted - self.blank - self.overvote

    @property
    def closes(self) -> bool:
        """Whether every choice of every valid sheet is accounted for."""
        votes = sum(option.votes for option in self.options)
        whole = votes + self.undervotes + self.overvote * self.max == self.max * self.counted
        return whole and (self.max > 1 or votes + self.blank + self.overvote == self.counted)


@dataclass(frozen=True, slots=True)
class TallyForm:
    """The sums of one form."""

    id: str
    title: str
    version: str
    hash: str
    """SHA-256 over what the form says and over its blanks, in hexadecimal digits."""
    clean: int
    decided: int
    in_doubt: int
    valid: int
    void: int
    """Read and void all the same, such as wholly blank; clean + decided = valid + void."""
    returned: int
    """Papers of the form that came back, void ones and those in review among them."""
    contests: tuple[TallyContest, ...]
    straight_lines: int | None = None
    """Valid sheets with the same column throughout; None where it makes no sense or is unknown."""

    @property
    def counted(self) -> int:
        """Sheets whose votes could be added up: valid + void."""
        return self.clean + self.decided


@dataclass(frozen=True, slots=True)
class TallySheets:
    """Where the papers went.

    scanned = clean + decided + in doubt + refused, where a refused page is a sheet of its own;
    paper = valid + void + in review, where what is no paper that was collected is left out.
    """

    issued: int | None
    collected: int | None
    hand_count: int | None
    """Counted by hand before scanning."""
    clean: int
    decided: int
    in_doubt: int
    refused: int
    blank_pages: int
    """Of the refused: unprinted backs."""
    not_paper: int
    """Of the refused: unprinted backs, foreign sheets, copies; no paper that was collected."""
    valid: int
    void: int
    in_review: int
    """Sheets in doubt, and papers that were refused without that a person has seen them."""
    void_by_reason: Mapping[str, int] = field(default_factory=dict)
    refused_by_reason: Mapping[str, int] = field(default_factory=dict)

    @property
    def scanned(self) -> int:
        """Every sheet that came in."""
        return self.clean + self.decided + self.in_doubt + self.refused

    @property
    def counted(self) -> int:
        """Sheets that were read without doubt or decided."""
        return self.clean + self.decided

    @property
    def paper(self) -> int:
        """The papers among what was scanned: valid + void + in review."""
        return self.scanned - self.not_paper

    @property
    def closes(self) -> bool:
        """Whether every paper that was scanned is valid, void or in review."""
        return self.paper == self.valid + self.void + self.in_review


@dataclass(frozen=True, slots=True)
class TallyGroup:
    """The sums of the sheets of one group, such as one field of service or one batch."""

    id: str
    label: str
    valid: int
    contests: tuple[TallyContest, ...] | None
    """None where the group is too small to be shown by itself."""


@dataclass(frozen=True, slots=True)
class TallyBreakdown:
    """The figures of one form, parted into groups."""

    form: str
    by: str
    """``batch``, ``channel``, ``day``, or ``contest:ID`` for the answers to a contest that says who
    answers; in sums also ``unit`` and ``period``."""
    groups: tuple[TallyGroup, ...]


@dataclass(frozen=True, slots=True)
class TallyDecider:
    """How much a person decided."""

    by: str
    decisions: int
    sheets: int


@dataclass(frozen=True, slots=True)
class TallyBatch:
    """Sheets that were scanned together, and the settings in force."""

    batch: int
    files: int
    pages: int
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TallyLimitChange:
    """One change of the limits of a batch after reading."""

    at: datetime
    by: str
    why: str
    batch: int
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TallyOverride:
    """One person let a count pass as it stands; it takes two for it to be final."""

    by: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TallySource:
    """A tally that was added into this one."""

    unit: TallyUnit
    period: str
    sha256: str
    """Of the bytes of its file, in hexadecimal digits."""
    file: str = ""
    """Its name without a folder."""
    within: str = ""
    """SHA-256 of the sum by which it came in; empty where it was given itself."""
    generated_at: datetime | None = None
    """When it was made: what a deadline is held against."""
    returned: int | None = None
    """Papers collected, or found among what was scanned: what a quota is held against."""


@dataclass(frozen=True, slots=True)
class TallyWeight:
    """How often each ballot of a unit counts in the weighted shares of a sum."""

    unit: TallyUnit
    weight: Fraction
    """Above 0."""


@dataclass(frozen=True, slots=True)
class TallyFile:
    """A tally as it is mailed, read or made."""

    unit: TallyUnit | None
    """None in tallies of before, and where nobody has said whose it is."""
    period: str
    """Such as 2026-Q1; empty where nobody has said."""
    program: str
    """Version of the program that made it."""
    generated_at: datetime
    count: str
    """Name of the count's folder; of a sum that of its unit."""
    created_at: datetime
    created_with: str
    """Version of the program that began the count."""
    rule: ShareRule
    """How percentages are made from its counts."""
    sheets: TallySheets
    forms: tuple[TallyForm, ...]
    gaps: tuple[Gap, ...] = ()
    """Figures that ought to agree and do not."""
    breakdowns: tuple[TallyBreakdown, ...] = ()
    decisions: tuple[TallyDecider, ...] = ()
    batches: tuple[TallyBatch, ...] = ()
    limit_changes: tuple[TallyLimitChange, ...] = ()
    is_final: bool = False
    """Nothing is open, or two people have let it pass."""
    overrides: tuple[TallyOverride, ...] = ()
    """Who let it pass."""
    smallest_group: int = 0
    """Groups of fewer sheets have no figures of their own; 0 where all have."""
    log_head: str = ""
    """Hash of the last entry of the count's record; empty for a sum, or where it is unknown."""
    sources: tuple[TallySource, ...] = ()
    """What was added up; empty for the tally of a count."""
    weights: tuple[TallyWeight, ...] = ()
    """Of each unit of a sum; empty where all ballots weigh alike. No count is weighted."""
    sha256: str = field(default="", compare=False)
    """Of the bytes it was read from; empty where it was made here."""
    file: str = field(default="", compare=False)
    """Name of the file it was read from, without a folder."""

    @property
    def is_provisional(self) -> bool:
        """True as long as a paper waits for a person."""
        return self.sheets.in_review > 0

    @property
    def closes(self) -> bool:
        """Whether no figures disagree."""
        return not self.gaps

    def form(self, form_id: str) -> TallyForm | None:
        """The sums of the form with that id, or None."""
        return next((form for form in self.forms if form.id == form_id), None)

    def whole(self, form: TallyForm, contest: TallyContest) -> int:
        """Of how many the votes of a contest are shares, by the tally's rule.

        Args:
            form: One of its forms.
            contest: One of the form's contests.
        """
        return self.rule.whole(
            returned=form.returned, valid=contest.counted, answered=contest.answered
        )
