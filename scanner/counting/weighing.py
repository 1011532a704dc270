"""Weighted totals: each ballot of a unit counts as often as the unit's weight says.

Where a survey takes as many papers from a small ward as from a large one, weights such as
inhabitants for each paper make the total speak for the inhabitants (Horvitz & Thompson 1952). The
counts stay what they are; only shares are weighted. They are worked out from whole numbers: all
weights are brought to whole ones that stand to each other as the weights do, which alters no share.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from scanner.counting.adding import BY_UNIT, add_contests
from scanner.counting.rules import Denominator, answer_shares
from scanner.counting.tally_file import (
    TallyContest,
    TallyFile,
    TallyForm,
    TallyGroup,
    TallyUnit,
    TallyWeight,
)
from scanner.counting.unit_tree import UnitTree
from scanner.errors import BadArgumentsError
from scanner.messages import gettext as _


def is_weighted(tree: UnitTree) -> bool:
    """Whether some unit weighs more than another."""
    return len({unit.weight for unit in tree.unit.all_units() if unit.is_filing}) > 1


def weigh(total: TallyFile, tree: UnitTree) -> TallyFile:
    """A sum of units that says what each of them weighs; the same where all weigh alike.

    Args:
        total: A sum of units.
        tree: The units with their weights; a unit that it lacks weighs what the one weighs
            by whose sum it came in.

    Raises:
        BadArgumentsError: The weight of a unit is not known.
    """
    if not is_weighted(tree):
        return total
    units = {
        group.id: TallyUnit(group.id, group.label)
        for breakdown in total.breakdowns
        if breakdown.by == BY_UNIT
        for group in breakdown.groups
    }
    weights = tuple(TallyWeight(unit, _weight(total, unit.id, tree)) for unit in units.values())
    return replace(total, weights=weights)


def weighted_contest(total: TallyFile, form: TallyForm, contest: TallyContest) -> TallyContest:
    """A contest of a weighted sum with every figure times whole weights, as no paper counts it.

    Only what its figures are of each other means anything.

    Raises:
        BadArgumentsError: What the sum shows of its units allows no weights.
    """
    factors = _factors(total)
    parts = [
        _times(factors[group.id], figures, contest)
        for group, figures in _of_units(total, form, contest)
    ]
    return add_contests(parts) if parts else contest


def weighted_answers(
    total: TallyFile, form: TallyForm, contest: TallyContest
) -> tuple[list[Decimal], list[Decimal | None]]:
    """The shares of a contest, each ballot weighing what its unit weighs.

    Args:
        total: A sum that says what its units weigh.
        form: One of its forms.
        contest: One of the form's contests.

    Returns:
        Those of the options, and those of blanks and overvotes; None for what has no share.

    Raises:
        BadArgumentsError: The rule of the sum, or what it shows, allows no weights.
    """
    factors = _factors(total)
    whole = sum(
        factors[group.id] * _whole(total, group, figures)
        for group, figures in _of_units(total, form, contest)
    )
    heavy = weighted_contest(total, form, contest)
    return answer_shares(
        [option.votes for option in heavy.options],
        [heavy.blank, heavy.overvote],
        whole,
        total.rule,
        most=contest.max,
    )


def weighted_shares(total: TallyFile, form: TallyForm, contest: TallyContest) -> list[Decimal]:
    """The shares of the options alone; see :func:`weighted_answers`."""
    options, _rest = weighted_answers(total, form, contest)
    return options


def describe_weights() -> str:
    """How weighted shares are made, as it stands under a table."""
    return _(
        "Weighted shares: each ballot counts as often as the weight of its unit says; worked out"
        " from the counts in whole numbers, and rounded once. The counts are not weighted."
    )


def weight_text(weight: Fraction) -> str:
    """A weight as it is written in a tree of units: ``4``, or ``3/2``."""
    return str(weight)


def _factors(total: TallyFile) -> Mapping[str, int]:
    """Whole numbers, as small as can be, that stand to each other as the weights do."""
    scale = math.lcm(*(one.weight.denominator for one in total.weights))
    whole = {one.unit.id: int(one.weight * scale) for one in total.weights}
    common = math.gcd(*whole.values())
    return {unit: factor // common for unit, factor in whole.items()}


def _of_units(
    total: TallyFile, form: TallyForm, contest: TallyContest
) -> list[tuple[TallyGroup, TallyContest]]:
    """What each unit has of a contest; units that were not asked are left out."""
    found = []
    for group in _groups(total, form):
        if group.contests is None:
            raise BadArgumentsError(
                _("The figures of {unit} are not shown, so nothing can be weighted.").format(
                    unit=group.label
                )
            )
        found += [(group, one) for one in group.contests if one.id == contest.id]
    if sum(figures.counted for _group, figures in found) != contest.counted:
        raise BadArgumentsError(
            _("The figures of the units do not make the sum, so nothing can be weighted.")
        )
    return found


def _times(factor: int, figures: TallyContest, text: TallyContest) -> TallyContest:
    """The figures of a unit so many times, with the options as the sum words and orders them."""
    votes = {option.id: option.votes for option in figures.options}
    return replace(
        text,
        counted=factor * figures.counted,
        options=tuple(replace(one, votes=factor * votes.get(one.id, 0)) for one in text.options),
        blank=factor * figures.blank,
        overvote=factor * figures.overvote,
        undervotes=factor * figures.undervotes,
        in_doubt=0,
    )


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
