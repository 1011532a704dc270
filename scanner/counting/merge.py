"""Tallies of many units become one: wards add up to towns, towns to provinces, quarters to years.

Counts are added, never percentages. No ballot is added twice: a file that is there twice, or that a
sum has in it already, is left out with a notice; two different files for one unit and period are
refused. Each sum names every file it was made from by its SHA-256.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from scanner import __version__
from scanner.counting.adding import SumHeading, add_tallies, as_part
from scanner.counting.filings import (
    Entry,
    Filing,
    enter,
    leave_repeated_out,
    lines_of,
    refuse_conflicts,
)
from scanner.counting.form_map import FormMapping, map_forms
from scanner.counting.notices import Notice, NoticeKind
from scanner.counting.periods import Period, read_period, smallest_around
from scanner.counting.tally_file import TallyFile, TallySource, TallyUnit
from scanner.counting.unit_tree import Unit, UnitTree
from scanner.counting.weighing import weigh
from scanner.errors import BadArgumentsError, TallyMismatchError
from scanner.messages import gettext as _


@dataclass(frozen=True, slots=True)
class Standing:
    """What a unit filed of what is awaited of it."""

    unit: Unit
    filed: tuple[TallySource, ...]
    """One for each tally that has counts of this unit, by period."""
    missing: tuple[str, ...]
    """Periods for which nothing has come."""
    late: tuple[TallySource, ...]
    """Filed after the deadline of their period."""
    quota: int | None
    """Papers that it has to bring back in all awaited periods."""
    returned: int
    """Papers that came back."""
    period_quota: int | None = None
    """The quota of one awaited period."""
    short_periods: tuple[tuple[str, int], ...] = ()
    """Periods for which something came, but less than the quota of one; with the papers."""
    worked_out: tuple[tuple[str, int], ...] = ()
    """Papers of the one missing period, as the known total less those filed; in no sum."""

    @property
    def is_short(self) -> bool:
        """Whether fewer papers came back than its quota."""
        return self.quota is not None and self.returned < self.quota


@dataclass(frozen=True, slots=True)
class RollUp:
    """A unit with all below it, added up."""

    unit: Unit
    period: Period
    total: TallyFile | None
    """The sum of all that came of it and of units below it; None where nothing came."""
    standing: Standing | None
    """What it filed itself; None where it only adds up others."""
    parts: tuple[RollUp, ...] = ()
    """The units right below it."""
    notices: tuple[Notice, ...] = ()
    """Of the whole merge; at the root only."""

    def standings(self) -> Iterator[Standing]:
        """What each unit filed, in the order of the tree."""
        if self.standing is not None:
            yield self.standing
        for part in self.parts:
            yield from part.standings()


def merge(
    tallies: Sequence[TallyFile],
    tree: UnitTree,
    period: str | None = None,
    *,
    at: datetime,
    mapping: FormMapping | None = None,
) -> RollUp:
    """Add tallies up along a tree of units.

    Args:
        tallies: As read from their files, of counts or of sums; in any order.
        tree: Who adds up into whom, and what is awaited.
        period: The whole period; the smallest that has them all if nothing is given.
        at: When it is done, with a time zone.
        mapping: How versions of forms are mapped.

    Raises:
        BadArgumentsError: There is nothing to add, or no such period.
        TallyMismatchError: A tally is of no unit of the tree or of no clear period, reaches beyond
            the period, speaks for the same unit and period as another, or its form differs.
    """
    notices: list[Notice] = []
    entries = [enter(tally, tree) for tally in tallies]
    whole = _choose_period(period, entries)
    entries = _leave_other_periods_out(entries, whole, notices)
    entries = leave_repeated_out(entries, notices)
    refuse_conflicts(entries, tree)
    mapping = mapping or FormMapping()
    mapped = map_forms([entry.tally for entry in entries], mapping)
    notices += _notices_of(entries, mapping)
    entries = [replace(one, tally=tally) for one, tally in zip(entries, mapped, strict=True)]
    order = {unit.id: number for number, unit in enumerate(tree.unit.all_units())}
    heading = SumHeading(TallyUnit(tree.unit.id), whole.id, at, __version__, order)
    result = _roll_up(tree.unit, tree, entries, whole, heading)
    notices += _notices_of_totals(result, whole)
    return replace(result, notices=tuple(notices))


def _choose_period(period: str | None, entries: Sequence[Entry]) -> Period:
    if not entries:
        raise BadArgumentsError(_("There is no tally to add."))
    if period is not None:
        try:
            return read_period(period)
        except ValueError as error:
            raise BadArgumentsError(str(error)) from error
    around = smallest_around([entry.period for entry in entries])
    if around is None:
        raise BadArgumentsError(
            _("The tallies are of more than one year."),
            remedy=_("Say the period with --period."),
        )
    return around


def _leave_other_periods_out(
    entries: Sequence[Entry], whole: Period, notices: list[Notice]
) -> list[Entry]:
    kept = []
    for entry in entries:
        if whole.contains(entry.period):
            kept.append(entry)
        elif whole.overlaps(entry.period):
            raise TallyMismatchError(
                _("{file} is of {period}, which lies partly outside {whole}.").format(
                    file=entry.tally.file, period=entry.period.id, whole=whole.id
                ),
                remedy=_("Leave it out, or choose a period that has all of it."),
            )
        else:
            notices.append(Notice(NoticeKind.OTHER_PERIOD, entry.tally.file, entry.period.id))
    if not kept:
        raise BadArgumentsError(_("None of the tallies is of {period}.").format(period=whole.id))
    return kept


def _roll_up(
    unit: Unit, tree: UnitTree, entries: Sequence[Entry], period: Period, heading: SumHeading
) -> RollUp:
    parts = tuple(_roll_up(one, tree, entries, period, heading) for one in unit.units)
    added = [as_part(one.tally) for one in entries if one.unit.id == unit.id]
    added += [part.total for part in parts if part.total is not None]
    own = replace(heading, unit=TallyUnit(unit.id, unit.name))
    return RollUp(
        unit=unit,
        period=period,
        total=weigh(add_tallies(added, own), tree) if added else None,
        standing=_standing(unit, tree, entries, period) if unit.is_filing else None,
        parts=parts,
    )


def _standing(unit: Unit, tree: UnitTree, entries: Sequence[Entry], period: Period) -> Standing:
    line = lines_of(tree.unit, ())[unit.id]
    filings = [filing for entry in entries for filing in entry.filings]
    own = sorted(
        (filing for filing in filings if filing.unit == unit.id),
        key=lambda filing: (filing.period.first, filing.source.sha256),
    )
    above = [filing for filing in filings if filing.is_whole and filing.unit in line[:-1]]
    awaited = tree.awaited(period)
    missing = tuple(
        one.id
        for one in awaited
        if not any(filing.period.overlaps(one) for filing in (*own, *above))
    )
    quota = tree.quota_of(unit)
    figure = sum(filing.source.returned or 0 for filing in own)
    return Standing(
        unit=unit,
        filed=tuple(filing.source for filing in own),
        missing=missing,
        late=tuple(one.source for one in own if _is_late(one, tree)),
        quota=None if quota is None or above else quota * len(awaited),
        returned=figure,
        period_quota=quota,
        short_periods=() if quota is None or above else tuple(_short_periods(own, awaited, quota)),
        worked_out=_work_out(unit, period, missing, figure),
    )


def _short_periods(
    own: Sequence[Filing], awaited: Sequence[Period], quota: int
) -> Iterator[tuple[str, int]]:
    for period in awaited:
        papers = [one.source.returned or 0 for one in own if period.contains(one.period)]
        if papers and sum(papers) < quota:
            yield period.id, sum(papers)


def _is_late(filing: Filing, tree: UnitTree) -> bool:
    due = tree.due(filing.period)
    made = filing.source.generated_at
    return due is not None and made is not None and made.date() > due


def _work_out(
    unit: Unit, period: Period, missing: Sequence[str], figure: int
) -> tuple[tuple[str, int], ...]:
    known = _known_total(unit, period)
    if known is None or len(missing) != 1 or known < figure:
        return ()
    return ((missing[0], known - figure),)


def _known_total(unit: Unit, period: Period) -> int | None:
    return next((one.returned for one in unit.totals if one.period == period.id), None)


def _notices_of(entries: Sequence[Entry], mapping: FormMapping) -> Iterator[Notice]:
    """What is to be known of the files that were added."""
    versions: dict[str, str] = {}
    told: set[str] = set()
    for entry in entries:
        tally = entry.tally
        for form in tally.forms:
            if mapping.find(form) is not None:
                yield Notice(NoticeKind.MAPPED, tally.file, form.id)
            elif versions.setdefault(form.id, form.hash) != form.hash and form.id not in told:
                told.add(form.id)
                yield Notice(NoticeKind.VERSIONS, tally.file, form.id)
        if tally.is_provisional:
            yield Notice(NoticeKind.PROVISIONAL, tally.file, str(tally.sheets.in_review))
        if not tally.closes:
            yield Notice(NoticeKind.GAPS, tally.file)
        if not tally.is_final:
            yield Notice(NoticeKind.NOT_FINAL, tally.file)
    if len({_bare(entry) for entry in entries}) > 1:
        yield Notice(NoticeKind.RULES, entries[0].tally.file)


def _bare(entry: Entry) -> tuple[str, int, str]:
    """The rule of a tally without its number of members, which are added up."""
    rule = entry.tally.rule
    return (rule.denominator, rule.decimals, rule.rounding)


def _notices_of_totals(result: RollUp, period: Period) -> Iterator[Notice]:
    for standing in result.standings():
        known = _known_total(standing.unit, period)
        if known is None or (standing.missing and known > standing.returned):
            continue
        if known != standing.returned:
            yield Notice(NoticeKind.TOTAL, standing.unit.name, str(known))
