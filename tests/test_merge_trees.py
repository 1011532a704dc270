"""Trees of any shape: merged level by level, or all at once, the figures are the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.counting.adding import BY_UNIT
from scanner.counting.merge import merge
from scanner.counting.tally_file import TallyFile, TallyUnit
from scanner.counting.unit_tree import Unit, UnitTree
from tests.mailed_tallies import AT, Ballot, count, filed

QUARTERS = ("2026-Q1", "2026-Q2", "2026-Q3")

shapes = st.recursive(st.just(()), lambda inner: st.lists(inner, min_size=1, max_size=3).map(tuple))
"""A unit as the tuple of those below it."""
ballots = st.lists(
    st.builds(
        Ballot,
        st.sampled_from(((), (0,), (1,), (2,), (0, 1))),
        st.sampled_from(((), (0,), (1, 2), (0, 1, 2))),
        st.sampled_from((None, 0, 1)),
    ),
    max_size=4,
)


def tree_of(shape: tuple[Any, ...], name: str = "u") -> dict[str, Any]:
    return {
        "id": name,
        "name": name.upper(),
        "own_tally": bool(shape) and len(name) % 2 == 1,
        "units": [tree_of(one, f"{name}{number}") for number, one in enumerate(shape)],
    }


def below(unit: Unit) -> set[str]:
    return {one.id for one in unit.all_units()}


def merge_upwards(unit: Unit, counted: list[TallyFile], quarter: str) -> list[TallyFile]:
    """What the unit mails upwards: the sum of what came from below and what it counted itself."""
    own = [one for one in counted if one.unit == TallyUnit(unit.id, unit.id.title())]
    if not unit.units:
        return own
    came = [*own, *(file for one in unit.units for file in merge_upwards(one, counted, quarter))]
    if not came:
        return []
    total = merge(came, UnitTree(unit=unit), quarter, at=AT).total
    assert total is not None
    return [filed(total, f"{unit.id}-{quarter}.json")]


def counted_in(tally: TallyFile) -> set[str]:
    """Hashes of the counts behind a tally."""
    sums = {source.within for source in tally.sources}
    return {source.sha256 for source in tally.sources} - sums


@settings(max_examples=60, deadline=None)
@given(shapes, st.data())
def test_a_tree_merged_level_by_level_and_quarter_by_quarter_is_the_tree_merged_at_once(
    shape: tuple[Any, ...], data: st.DataObject
) -> None:
    tree = UnitTree.model_validate({"unit": tree_of(shape)})
    counted = [
        count(unit.id, quarter, data.draw(ballots))
        for unit in tree.unit.all_units()
        if unit.is_filing
        for quarter in QUARTERS
        if data.draw(st.booleans())
    ]
    if not counted:
        return
    at_once = merge(counted, tree, "2026", at=AT).total
    steps = list(_by_quarter(tree.unit, counted))
    by_steps = merge(steps, tree, "2026", at=AT).total
    assert at_once is not None
    assert by_steps is not None
    assert (by_steps.sheets, by_steps.forms) == (at_once.sheets, at_once.forms)
    assert by_steps.breakdowns == at_once.breakdowns
    assert by_steps.decisions == at_once.decisions
    assert counted_in(by_steps) == counted_in(at_once) == {one.sha256 for one in counted}


def _by_quarter(unit: Unit, counted: list[TallyFile]) -> Iterator[TallyFile]:
    for quarter in QUARTERS:
        own = [one for one in counted if one.period == quarter]
        yield from merge_upwards(unit, own, quarter)


@settings(max_examples=40, deadline=None)
@given(shapes, st.data())
def test_the_sum_of_each_unit_is_that_of_all_ballots_at_it_and_below(
    shape: tuple[Any, ...], data: st.DataObject
) -> None:
    tree = UnitTree.model_validate({"unit": tree_of(shape)})
    piles = {unit.id: data.draw(ballots) for unit in tree.unit.all_units() if unit.is_filing}
    result = merge([count(name, "2026", pile) for name, pile in piles.items()], tree, at=AT)
    waiting = [result]
    while waiting:
        one = waiting.pop()
        waiting += one.parts
        pile = [ballot for name in piles if name in below(one.unit) for ballot in piles[name]]
        assert one.total is not None
        assert one.total.forms == count("x", "2026", pile).forms
        (by_unit,) = [part for part in one.total.breakdowns if part.by == BY_UNIT]
        assert {group.id: group.valid for group in by_unit.groups} == {
            name: len(piles[name]) for name in piles if name in below(one.unit)
        }
