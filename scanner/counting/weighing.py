"""Weighted totals: each ballot of a unit counts as often as the unit's weight says.

Where a survey takes as many papers from a small ward as from a large one, weights such as
inhabitants for each paper make the total speak for the inhabitants (Horvitz & Thompson 1952). The
counts stay what they are; only shares are weighted, and they are worked out from whole numbers.
"""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

from scanner.counting.adding import BY_UNIT
from scanner.counting.rules import Denominator, answer_shares
from scanner.counting.tally_file import TallyContest, TallyFile, TallyForm, TallyGroup
from scanner.counting.unit_tree import UnitTree
from scanner.errors import BadArgumentsError
from scanner.messages import gettext as _


def is_weighted(tree: UnitTree) -> bool:
    """Whether some unit weighs more than another."""
    return len({unit.weight for unit in tree.unit.all_units() if unit.is_filing}) > 1


def weighted_shares(
    total: TallyFile, form: TallyForm, contest: TallyContest, tree: UnitTree
) -> list[Decimal]:
    """The shares of the options of a contest, each ballot weighing what its unit weighs.

    Args:
        total: A sum of units.
        form: One of its forms.
        contest: One of the form's contests.
        tree: The units with their weights; a unit that it lacks weighs what the one weighs
            by whose sum it came in.

    Raises:
        BadArgumentsError: The rule of the sum, or what it shows, allows no weights.
    """
    votes = [Fraction(0) for _option in contest.options]
    rest = [Fraction(0), Fraction(0)]
    whole = Fraction(0)
    for group in _groups(total, form):
        figures = next((one for one in group.contests or () if one.id == contest.id), None)
        if figures is None:
            raise BadArgumentsError(
                _("The figures of {unit} are not shown, so nothing can be weighted.").format(
                    unit=group.label
                )
            )
        weight = _weight(total, group.id, tree)
        for place, option in enumerate(figures.options):
            votes[place] += weight * option.votes
        for place, number in enumerate((figures.blank, figures.overvote)):
            rest[place] += weight * number
        whole += weight * _whole(total, group, figures)
    scale = math.lcm(*(figure.denominator for figure in (whole, *votes, *rest)))
    options, _rest = answer_shares(
        [int(figure * scale) for figure in votes],
        [int(figure * scale) for figure in rest],
        int(whole * scale),
        total.rule,
        most=contest.max,
    )
    return options


def _groups(total: TallyFile, form: TallyForm) -> tuple[TallyGroup, ...]:
    return next(
        (one.groups for one in total.breakdowns if one.form == form.id and one.by == BY_UNIT),
        (),
    )


def _weight(total: TallyFile, unit_id: str, tree: UnitTree) -> Fraction:
    """The weight of a unit, or of the nearest one above it that the tree has."""
    by_hash = {source.sha256: source for source in total.sources}
    while (unit := tree.find(unit_id)) is None:
        sums = [one.within for one in total.sources if one.unit.id == unit_id and one.within]
        if not sums or by_hash[sums[0]].unit.id == unit_id:
            raise BadArgumentsError(
                _("The unit {unit} is not in the tree, so its weight is unknown.").format(
                    unit=unit_id
                )
            )
        unit_id = by_hash[sums[0]].unit.id
    return unit.weight


def _whole(total: TallyFile, group: TallyGroup, contest: TallyContest) -> int:
    """Of how many the votes of one unit are shares."""
    match total.rule.denominator:
        case Denominator.VALID:
            return contest.counted
        case Denominator.ANSWERED:
            return contest.answered
        case Denominator.RETURNED:
            if len(total.forms) > 1:
                raise BadArgumentsError(
                    _("Shares of all papers returned cannot be weighted where forms differ.")
                )
            sums = {one.within for one in total.sources}
            own = [one for one in total.sources if one.unit.id == group.id]
            return sum(one.returned or 0 for one in own if one.sha256 not in sums)
        case Denominator.MEMBERS:
            raise BadArgumentsError(_("Shares of all members cannot be weighted by units."))
