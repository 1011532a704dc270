"""What documents are made of: the tally, the facts about the unit, and what people decided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from scanner.counting.merge import RollUp
from scanner.counting.rules import describe_rule, percent_text, share
from scanner.counting.tally_file import TallyFile
from scanner.messages import speaking
from scanner.publishing.documents.blocks import Block, Look, Notice, Paragraph, SealMark
from scanner.publishing.documents.figures import Wording, returned
from scanner.publishing.documents.phrasing import day_text
from scanner.publishing.documents.unit import Unit
from scanner.publishing.documents.words import EN, VI, TableWords


class Kind(StrEnum):
    """The documents there are."""

    MINUTES = "minutes"
    REPORT = "report"
    NOTICE = "notice"
    POSTING = "posting"
    ROLLUP = "rollup"
    ELECTION = "election"
    ENGLISH = "english"
    PAGE = "page"

    @property
    def language(self) -> str:
        """The language that it is written in."""
        return "en" if self is Kind.ENGLISH else "vi"


@dataclass(frozen=True, slots=True)
class Decided:
    """What people decided about one doubt, for the list in the minutes."""

    sheet: str
    question: str
    result: str
    by: str


@dataclass(frozen=True, slots=True)
class Seal:
    """What is printed of the seal of a count."""

    fingerprint: str
    code: str
    """What the QR code says."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a document is composed of."""

    unit: Unit
    tally: TallyFile
    language: str = "vi"
    decided: tuple[Decided, ...] = ()
    roll_up: RollUp | None = None
    """The tree of units, where the tally is their sum."""
    seal: Seal | None = None
    points: tuple[str, ...] = ()
    """Why the count is not final, in the language of the user."""

    @property
    def words(self) -> TableWords:
        """The fixed words of the document's language."""
        return VI if self.language == "vi" else EN

    @property
    def wording(self) -> Wording:
        """Figures as texts of the document's language."""
        return Wording(self.language)

    @property
    def is_final(self) -> bool:
        """Whether nothing waits and everything closes, or two people let it pass."""
        return self.tally.is_final

    def rule_note(self) -> Paragraph:
        """How the percentages are made, as it stands under each table."""
        with speaking(self.language):
            return Paragraph(describe_rule(self.tally.rule), Look.NOTE)

    def warning(self) -> Iterator[Block]:
        """The frame that says that the figures are provisional; nothing where they are final."""
        if self.is_final:
            return
        if self.tally.is_provisional:
            waiting = self.wording.number(self.tally.sheets.in_doubt)
            yield Notice(self.words.provisional.format(waiting=waiting))
        else:
            yield Notice(self.words.open_count)

    def override_note(self) -> Iterator[Block]:
        """Who let a count pass that does not close, and why."""
        for one in self.tally.overrides if self.is_final else ():
            when = day_text(one.at.date(), self.language)
            yield Paragraph(self.words.override.format(who=one.by, why=one.why, at=when))

    def seal_mark(self) -> Iterator[Block]:
        """The fingerprint of the sealed count; nothing where it is not sealed."""
        if self.seal is not None:
            yield SealMark(self.words.fingerprint, self.seal.fingerprint, self.seal.code)

    def return_text(self) -> str:
        """Papers that came back of those handed out, in percent; empty where that is unknown."""
        issued = self.tally.sheets.issued
        if not issued:
            return ""
        rate = share(returned(self.tally.sheets), issued, self.tally.rule)
        return percent_text(rate, self.language)
