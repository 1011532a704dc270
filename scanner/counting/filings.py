"""Which counts a tally file brings, and whether two files bring the same.

A tally of a count brings the counts of its unit and period. A sum brings those of all tallies that
it was made of, which it names. No count may be brought twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from scanner.counting.adding import as_source
from scanner.counting.notices import Notice, NoticeKind
from scanner.counting.periods import Period, read_period
from scanner.counting.tally_file import TallyFile, TallySource
from scanner.counting.unit_tree import Unit, UnitTree
from scanner.errors import TallyMismatchError
from scanner.messages import gettext as _


@dataclass(frozen=True, slots=True)
class Filing:
    """Counts of one unit and period that came by one file."""

    unit: str
    period: Period
    source: TallySource
    is_whole: bool
    """They are those of all units below as well, which are not told apart."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file with what it has in it."""

    tally: TallyFile
    unit: Unit
    period: Period
    filings: tuple[Filing, ...]
    files: frozenset[str]
    """Hashes of the tallies of counts behind it."""


def enter(tally: TallyFile, tree: UnitTree) -> Entry:
    """A tally with its place in the tree.

    Raises:
        TallyMismatchError: It has none.
    """
    told = _("Tell it with --as FILE UNIT PERIOD.")
    if tally.unit is None or not tally.period:
        raise TallyMismatchError(
            _("{file} does not say of which unit and period it is.").format(file=tally.file),
            remedy=told,
        )
    unit = tree.find(tally.unit.id)
    if unit is None:
        raise TallyMismatchError(
            _("{file} is of the unit {unit}, which is not in the tree.").format(
                file=tally.file, unit=tally.unit.id
            ),
            remedy=_("Add it to the tree, or leave the file out."),
        )
    try:
        period = read_period(tally.period)
        filings = tuple(_filings(tally, unit, tree))
    except ValueError as error:
        raise TallyMismatchError(f"{tally.file}: {error}", remedy=told) from error
    return Entry(tally, unit, period, filings, frozenset(_counted_hashes(tally)))


def _filings(tally: TallyFile, unit: Unit, tree: UnitTree) -> Iterator[Filing]:
    """What a tally has in it, by unit and period; of units that the tree has, where it has them."""
    own = as_source(tally)
    if not tally.sources:
        is_whole = bool(unit.units) and not unit.own_tally
        yield Filing(unit.id, read_period(own.period), own, is_whole)
        return
    hashes = set(_counted_hashes(tally))
    below = {one.id for one in unit.all_units()}
    for source in tally.sources:
        if source.sha256 not in hashes:
            continue
        period = read_period(source.period)
        if source.unit.id in below:
            known = tree.find(source.unit.id)
            is_whole = known is not None and bool(known.units) and not known.own_tally
            yield Filing(source.unit.id, period, source, is_whole)
        else:
            by_sum = replace(own, period=source.period, returned=source.returned)
            yield Filing(unit.id, period, by_sum, is_whole=False)


def _counted_hashes(tally: TallyFile) -> Iterator[str]:
    """Hashes of the tallies of counts in it: of all sources that are no sums themselves."""
    sums = {source.within for source in tally.sources}
    if not tally.sources:
        yield tally.sha256
    for source in tally.sources:
        if source.sha256 not in sums:
            yield source.sha256


def leave_repeated_out(entries: Sequence[Entry], notices: list[Notice]) -> list[Entry]:
    """The files that add something to the others: the larger of two sums, the first of equals.

    Raises:
        TallyMismatchError: Two sums of the same tallies have different figures.
    """
    kept: list[Entry] = []
    in_turn = sorted(entries, key=lambda one: (-len(one.files), one.tally.sha256))
    for entry in in_turn:
        same = next((one for one in kept if one.tally.sha256 == entry.tally.sha256), None)
        larger = next((one for one in kept if entry.files <= one.files), None)
        if same is not None:
            notices.append(Notice(NoticeKind.SAME_FILE, entry.tally.file, same.tally.file))
        elif larger is None:
            kept.append(entry)
        elif entry.files == larger.files and not _has_same_figures(entry, larger):
            raise _conflict(entry, larger)
        else:
            notices.append(Notice(NoticeKind.WITHIN, entry.tally.file, larger.tally.file))
    return kept


def _has_same_figures(one: Entry, other: Entry) -> bool:
    first, second = one.tally, other.tally
    return one.unit.id == other.unit.id and (first.sheets, first.forms) == (
        second.sheets,
        second.forms,
    )


def refuse_conflicts(entries: Sequence[Entry], tree: UnitTree) -> None:
    """See that no two files have counts of the same unit and period.

    Raises:
        TallyMismatchError: Two have; the message names both.
    """
    lines = lines_of(tree.unit, ())
    met: dict[str, list[Entry]] = {}
    for entry in entries:
        for place in sorted(_places(entry, tree)):
            others = met.setdefault(place, [])
            for other in others:
                if _clash(entry, other, lines):
                    raise _conflict(other, entry)
            others.append(entry)


def _places(entry: Entry, tree: UnitTree) -> set[str]:
    """Units and files that two entries must share to speak for the same."""
    places = {entry.unit.id, *entry.files, *(filing.unit for filing in entry.filings)}
    for filing in entry.filings:
        unit = tree.find(filing.unit) if filing.is_whole else None
        places |= {one.id for one in unit.all_units()} if unit is not None else set()
    return places


def lines_of(unit: Unit, above: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """The ids of each unit and of those above it."""
    line = (*above, unit.id)
    found = {unit.id: line}
    for one in unit.units:
        found |= lines_of(one, line)
    return found


def _clash(one: Entry, other: Entry, lines: dict[str, tuple[str, ...]]) -> bool:
    if one.unit.id == other.unit.id and one.period.overlaps(other.period):
        is_own_and_sum = bool(one.tally.sources) != bool(other.tally.sources)
        if not (is_own_and_sum and one.unit.own_tally):
            return True
    if one.files & other.files:
        return True
    return any(
        first.period.overlaps(second.period)
        and (
            first.unit == second.unit
            or (first.is_whole and first.unit in lines[second.unit])
            or (second.is_whole and second.unit in lines[first.unit])
        )
        for first in one.filings
        for second in other.filings
    )


def _conflict(one: Entry, other: Entry) -> TallyMismatchError:
    return TallyMismatchError(
        _(
            "Two different files speak for the same unit and period: {file} ({unit}, {period},"
            " SHA-256 {hash}…) and {other} ({other_unit}, {other_period}, SHA-256 {other_hash}…)."
        ).format(
            file=one.tally.file,
            unit=one.unit.name,
            period=one.period.id,
            hash=one.tally.sha256[:12],
            other=other.tally.file,
            other_unit=other.unit.name,
            other_period=other.period.id,
            other_hash=other.tally.sha256[:12],
        ),
        remedy=_("Ask the unit which one counts, and leave the other out."),
    )
