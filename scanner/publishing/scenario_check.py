"""A sample's figures beside those expected of it: counts, sums, percentages, quotas, deadlines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from scanner.counting.merge import RollUp, merge
from scanner.counting.rules import (
    Denominator,
    Rounding,
    Satisfaction,
    ShareRule,
    answer_shares,
    index_of,
    number_text,
    percent_text,
    share,
)
from scanner.counting.tally_file import TallyContest, TallyFile, TallyForm
from scanner.counting.unit_tree import UnitTree
from scanner.errors import UnreadableFileError
from scanner.messages import gettext as _
from scanner.publishing.scenarios import CountedPile, read_expected, read_tree

VIETNAMESE = "vi"
"""In which the published figures are written."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure beside the one it ought to be."""

    where: str
    """Pile or sum, and what is counted."""
    counted: str
    expected: str

    @property
    def is_right(self) -> bool:
        """Whether they are the same."""
        return self.counted == self.expected


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """A sample gone through."""

    piles: tuple[CountedPile, ...]
    figures: tuple[Figure, ...]
    """Every figure that is expected, with the one that came out."""

    @property
    def differences(self) -> tuple[Figure, ...]:
        """Those that are not the expected ones."""
        return tuple(figure for figure in self.figures if not figure.is_right)

    @property
    def silent_errors(self) -> int:
        """Sheets that were read wrongly, and nobody was asked."""
        return sum(len(pile.silent_errors) for pile in self.piles)


def check_scenario(sample: Path, piles: Sequence[CountedPile], at: datetime) -> ScenarioResult:
    """Compare what came out with what is written down beside the sample.

    Args:
        sample: Its folder.
        piles: What came out.
        at: When the sums are made, with a time zone.

    Raises:
        UnreadableFileError: What is expected cannot be read, or names what there is not.
    """
    expected = read_expected(sample)
    check = _Check(tuple(piles), read_tree(sample), at)
    try:
        figures = tuple(check.all_figures(expected))
    except (KeyError, StopIteration) as error:
        raise UnreadableFileError(
            _("The sample is faulty: {reason}.").format(reason=error), path=sample
        ) from error
    return ScenarioResult(tuple(piles), figures)


def show_scenario(result: ScenarioResult) -> Iterator[RenderableType]:
    """What was counted, and every figure that differs."""
    table = Table()
    table.add_column(_("Pile"))
    for name in (_("Papers"), _("valid"), _("void"), _("decided by a person")):
        table.add_column(name, justify="right")
    for one in result.piles:
        sheets = one.tally.sheets
        settled = str(one.settled) if one.count is not None else _("only figures")
        figures = (str(sheets.paper), str(sheets.valid), str(sheets.void))
        table.add_row(one.pile.name, *figures, settled)
    yield table
    for figure in result.differences:
        words = _("{where}: {counted}, expected {expected}").format(
            where=figure.where, counted=figure.counted, expected=figure.expected
        )
        yield Text(words, style="bold red")
    if result.silent_errors:
        words = _("Sheets read wrongly that nobody was asked about: {number}").format(
            number=result.silent_errors
        )
        yield Text(words, style="bold red")
    if not result.differences:
        words = _("All {number} figures are the expected ones.")
        yield Text(words.format(number=len(result.figures)), style="bold green")


class _Check:
    def __init__(self, piles: Sequence[CountedPile], tree: UnitTree | None, at: datetime) -> None:
        self._tallies = [pile.tally for pile in piles]
        self._tree = tree
        self._at = at
        self._sums: dict[tuple[str, tuple[str, ...]], RollUp] = {}

    def all_figures(self, expected: Mapping[str, Any]) -> Iterator[Figure]:
        for entry in expected.get("tallies", ()):
            tally = self._tally(entry)
            where = f"{entry['unit']} {entry['period']}"
            yield from _sheets(where, tally, entry)
            yield from _contests(where, tally, entry.get("contests", {}))
        for entry in expected.get("shares", ()):
            yield from _shares(self._tally(entry), entry)
        for entry in expected.get("indices", ()):
            yield _index(self._tally(entry), entry)
        for entry in expected.get("standings", ()):
            yield from self._standing(entry)

    def _tally(self, entry: Mapping[str, Any]) -> TallyFile:
        """The tally of a unit and period: of a pile, or the sum of all within it."""
        unit, period = entry["unit"], entry["period"]
        for tally in self._tallies:
            is_own = tally.unit is not None and tally.unit.id == unit
            if is_own and tally.period == period and not entry.get("is_sum", False):
                return tally
        total = _find(self._rolled_up(period, ()), unit).total
        if total is None:
            raise KeyError(f"{unit} {period}")
        return total

    def _rolled_up(self, period: str, without: Sequence[str]) -> RollUp:
        if self._tree is None:
            raise KeyError("units.yaml")
        key = period, tuple(without)
        if key not in self._sums:
            some = [tally for tally in self._tallies if tally.period not in without]
            self._sums[key] = merge(some, self._tree, period, at=self._at)
        return self._sums[key]

    def _standing(self, entry: Mapping[str, Any]) -> Iterator[Figure]:
        """What a unit filed: papers, quota, in time or not, and what is worked out of a total."""
        rolled_up = self._rolled_up(entry["period"], entry.get("without", ()))
        if entry["unit"] == "*":
            standings = list(rolled_up.standings())
            quota = sum(one.quota or 0 for one in standings)
            late = sum(bool(one.late) for one in standings)
            short = sum(one.is_short for one in standings)
            found = {"quota": quota, "late": late, "short": short, "units": len(standings)}
            found["returned"] = sum(one.returned for one in standings)
        else:
            one = next(s for s in rolled_up.standings() if s.unit.id == entry["unit"])
            found = {
                "quota": one.quota or 0,
                "late": len(one.late),
                "short": int(one.is_short),
                "returned": one.returned,
                "worked_out": sum(papers for _period, papers in one.worked_out),
            }
        where = f"{entry['unit']} {entry['period']}"
        for name, value in found.items():
            if name in entry:
                yield Figure(f"{where}: {name}", str(value), str(entry[name]))
        for decimals, name in ((0, "rate"), (2, "exact_rate")):
            if name in entry:
                rate = share(found["returned"], found["quota"], ShareRule(decimals=decimals))
                yield Figure(f"{where}: {name}", percent_text(rate, VIETNAMESE), entry[name])


def _sheets(where: str, tally: TallyFile, entry: Mapping[str, Any]) -> Iterator[Figure]:
    sheets = tally.sheets
    known = {
        "issued": sheets.issued,
        "collected": sheets.collected,
        "scanned": sheets.paper,
        "valid": sheets.valid,
        "void": dict(sheets.void_by_reason),
        "in_review": sheets.in_review,
    }
    for name, figure in known.items():
        if name in entry:
            yield Figure(f"{where}: {name}", str(figure), str(entry[name]))
    if "text" in entry:
        written = number_text(sheets.collected or 0, VIETNAMESE)
        yield Figure(f"{where}: {_('as it is written')}", written, entry["text"])
    if "rate" in entry:
        rate = share(sheets.collected or 0, sheets.issued or 0, ShareRule())
        yield Figure(f"{where}: {_('returned')}", percent_text(rate, VIETNAMESE), entry["rate"])


def _contests(where: str, tally: TallyFile, expected: Mapping[str, Any]) -> Iterator[Figure]:
    for contest_id, figures in expected.items():
        _form, contest = _contest(tally, contest_id)
        found = [option.votes for option in contest.options]
        blanks = [contest.blank, contest.overvote]
        yield Figure(f"{where}: {contest_id}", str([*found, *blanks]), str(figures))


def _shares(tally: TallyFile, entry: Mapping[str, Any]) -> Iterator[Figure]:
    form, contest = _contest(tally, entry["contest"])
    rule = _rule(entry)
    whole = rule.whole(returned=form.returned, valid=contest.counted, answered=contest.answered)
    votes = [option.votes for option in contest.options]
    rest = (contest.blank, contest.overvote)
    found, _rest = answer_shares(votes, rest, whole, rule, most=contest.max)
    texts = [percent_text(one, VIETNAMESE).removesuffix(" %") for one in found]
    where = f"{entry['unit']} {entry['period']}: {contest.id} ({rule.denominator})"
    yield Figure(where, str(texts), str(entry["percent"]))
    if "adds_up_to" in entry:
        yield Figure(f"{where} +", str(sum(found)), entry["adds_up_to"])


def _index(tally: TallyFile, entry: Mapping[str, Any]) -> Figure:
    _form, contest = _contest(tally, entry["contest"])
    satisfied = sum(one.votes for one in contest.options if one.id in entry["satisfied"])
    answers = sum(one.votes for one in contest.options)
    index = index_of([Satisfaction(satisfied, answers)], _rule(entry))
    where = f"{entry['unit']} {entry['period']}: {_('satisfaction index')}"
    counted = f"{satisfied}/{answers} {percent_text(index, VIETNAMESE)}"
    return Figure(where, counted, entry["index"])


def _rule(entry: Mapping[str, Any]) -> ShareRule:
    return ShareRule(
        Denominator(entry.get("denominator", "valid")),
        entry.get("decimals", 0),
        Rounding(entry.get("rounding", "half_up")),
    )


def _contest(tally: TallyFile, contest_id: str) -> tuple[TallyForm, TallyContest]:
    """The first form's contest of that id; an id can name its form: ``form/contest``."""
    form_id, _slash, name = contest_id.rpartition("/")
    return next(
        (form, contest)
        for form in tally.forms
        for contest in form.contests
        if contest.id == name and form_id in {"", form.id}
    )


def _find(rolled_up: RollUp, unit: str) -> RollUp:
    if rolled_up.unit.id == unit:
        return rolled_up
    for part in rolled_up.parts:
        try:
            return _find(part, unit)
        except KeyError:
            continue
    raise KeyError(unit)
