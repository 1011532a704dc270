"""What documents are made of: the tally, the facts about the unit, and what people decided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from scanner.counting.merge import RollUp
from scanner.counting.rules import describe_rule, percent_text, share
from scanner.counting.tally_file import TallyFile
from scanner.counting.weighing import describe_weights
from scanner.messages import speaking
from scanner.publishing.documents.blocks import (
    Align,
    Block,
    Column,
    Look,
    Notice,
    Paragraph,
    Row,
    SealMark,
    Table,
)
from scanner.publishing.documents.figures import Wording, returned
from scanner.publishing.documents.phrasing import day_text
from scanner.publishing.documents.unit import Unit
from scanner.publishing.documents.words import EN, VI, TableWords

MOST_CODES = 4
"""So many seals at most are printed with their QR codes; of more, the list says them all."""


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
    """What is printed of the seal of a count, or of a tally that was sealed with one."""

    fingerprint: str
    code: str
    """What the QR code says."""
    is_of_tally: bool = False


@dataclass(frozen=True, slots=True)
class AddedTally:
    """A tally that was added into the figures of a document."""

    unit: str
    period: str
    seal: Seal | None
    """None where nobody sealed it."""


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
    """One that holds; None where nothing was sealed."""
    added: tuple[AddedTally, ...] = ()
    """What was added up, where several tallies were given."""
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

    def rule_note(self, *, is_weighted: bool = False) -> Paragraph:
        """How the percentages are made, as it stands under each table.

        Args:
            is_weighted: Whether weighted shares are among them.
        """
        with speaking(self.language):
            rule = describe_rule(self.tally.rule)
            weights = f" {describe_weights()}" if is_weighted else ""
            return Paragraph(rule + weights, Look.NOTE)

    def warning(self) -> Iterator[Block]:
        """The frame that says that the figures are provisional; nothing where they are final."""
        if self.is_final:
            return
        if self.tally.is_provisional:
            waiting = self.wording.number(self.tally.sheets.in_review)
            yield Notice(self.words.provisional.format(waiting=waiting))
        else:
            yield Notice(self.words.open_count)

    def override_note(self) -> Iterator[Block]:
        """Who let a count pass that does not close, and why."""
        for one in self.tally.overrides if self.is_final else ():
            when = day_text(one.at.date(), self.language)
            yield Paragraph(self.words.override.format(who=one.by, why=one.why, at=when))

    def seal_mark(self) -> Iterator[Block]:
        """The fingerprint of what was sealed with its code; nothing where nothing is sealed.

        Of several tallies all are listed; their codes are printed where they fill half a page at
        most.
        """
        if self.seal is not None:
            yield self._mark(self.seal, "")
        sealed = [one for one in self.added if one.seal is not None]
        if not sealed:
            return
        words = self.words
        yield Paragraph(words.sealed_tallies, Look.CLAUSE)
        yield Table(
            (
                Column(words.number, 6, Align.CENTRE),
                Column(words.unit, 34),
                Column(words.period, 20),
                Column(words.seal_number, 40),
            ),
            tuple(
                Row((str(place), one.unit, one.period,
                     one.seal.fingerprint if one.seal is not None else words.not_sealed))
                for place, one in enumerate(self.added, start=1)
            ),
        )  # fmt: skip
        for one in sealed if len(sealed) <= MOST_CODES else ():
            if one.seal is not None:
                yield self._mark(one.seal, f" – {one.unit}, {one.period}")

    def _mark(self, seal: Seal, whose: str) -> SealMark:
        words = self.words
        text = words.tally_fingerprint.format(whose=whose)
        return SealMark(
            text if seal.is_of_tally else words.fingerprint, seal.fingerprint, seal.code
        )

    def return_text(self) -> str:
        """Papers that came back of those handed out, in percent; empty where that is unknown."""
        issued = self.tally.sheets.issued
        if not issued:
            return ""
        rate = share(returned(self.tally.sheets), issued, self.tally.rule)
        return percent_text(rate, self.language)
