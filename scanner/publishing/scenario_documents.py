"""The documents of a sample: those for which its facts are given, and the pile as one PDF."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.store import Store
from scanner.errors import CountError
from scanner.messages import gettext as _
from scanner.publishing.bundle import write_bundle
from scanner.publishing.documents.compose import write_document
from scanner.publishing.documents.contradictions import contradictions
from scanner.publishing.documents.facts import Facts, Kind
from scanner.publishing.documents.gather import (
    facts_of_count,
    facts_of_sum,
    facts_of_tally,
    see_that_it_is_final,
)
from scanner.publishing.documents.unit import Unit, read_unit
from scanner.publishing.scenarios import UNITS_FILE, CountedPile, file_name

UNIT_FILE = "unit.yaml"


@dataclass(frozen=True, slots=True)
class SampleDocument:
    """One document of a sample."""

    path: Path
    refusal: str = ""
    """Why it was not written: a final document must not say what cannot be."""


def write_documents(
    sample: Path, piles: Sequence[CountedPile], output: Path, at: datetime
) -> list[SampleDocument]:
    """Write the documents of a sample that was gone through.

    Minutes are those of the pile that was counted last; everything else is of all piles together.

    Args:
        sample: Its folder.
        piles: What came out.
        output: Where its ``tallies`` lie; gets ``documents``.
        at: When they are made, with a time zone.

    Raises:
        UnreadableFileError: The facts about the unit cannot be read.
        TallyMismatchError: The tallies cannot be added up.
        StorageError: A document cannot be written.
    """
    folder = output / "documents"
    unit = read_unit(sample / UNIT_FILE)
    last = max(piles, key=lambda pile: (pile.count is not None, pile.pile.counted_on or date.min))
    paths = [output / "tallies" / f"{file_name(pile.pile, sample)}.json" for pile in piles]

    @cache
    def gather(language: str, *, of_last: bool) -> Facts:
        if not of_last:
            return facts_of_sum(paths, sample / UNITS_FILE, unit, language, at)
        if last.count is None:
            return facts_of_tally(paths[piles.index(last)], unit, language)
        with Store(last.count) as store:
            return facts_of_count(store, load_kept_forms(store), unit, language, at)

    written = []
    for kind in _kinds(unit, many=len(piles) > 1):
        facts = gather(kind.language, of_last=kind is Kind.MINUTES or len(piles) == 1)
        suffixes = (".html",) if kind is Kind.PAGE else (".docx", ".pdf")
        found = contradictions(kind, facts)
        try:
            see_that_it_is_final(facts, found, sample / UNIT_FILE)
        except CountError as error:
            why = " ".join((str(error), *(one.text for one in found)))
            written.append(SampleDocument(folder / f"{kind}{suffixes[0]}", why))
            continue
        for suffix in suffixes:
            path = folder / f"{kind}{suffix}"
            write_document(kind, facts, path, at)
            written.append(SampleDocument(path))
    counted = [pile for pile in piles if pile.count is not None]
    if len(counted) == 1 and last.count is not None:
        path = folder / "bundle.pdf"
        with Store(last.count) as store:
            write_bundle(store, load_kept_forms(store), path)
        written.append(SampleDocument(path))
    return written


def show_documents(documents: Sequence[SampleDocument]) -> Iterator[RenderableType]:
    """Where the documents are, and which could not be made."""
    for one in documents:
        if one.refusal:
            words = _("{file} was not made. {reason}").format(
                file=one.path.stem, reason=one.refusal
            )
            yield Text(words, style="yellow")
        else:
            yield Text(str(one.path))


def _kinds(unit: Unit, *, many: bool) -> Iterator[Kind]:
    if unit.minutes.number is not None:
        yield Kind.MINUTES
    if unit.report.number is not None:
        yield Kind.REPORT
    if unit.notice.number is not None:
        yield Kind.NOTICE
    if unit.posting.start is not None:
        yield Kind.POSTING
    if many:
        yield Kind.ROLLUP
    yield Kind.ENGLISH
    yield Kind.PAGE
