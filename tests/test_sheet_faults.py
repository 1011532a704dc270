"""Whatever one fault does to a pile: a sheet is flagged, or its pages are one voter's.

Left out is only what no order of pages can show: a pile that the fault leaves without a break,
in the order that was told, or as printed where none was told.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.ballot import Reason
from scanner.counting.page_order import ORDERS, PageOrder, pattern_of
from scanner.counting.paper import PageSlot
from scanner.counting.sheets import Assembly, assemble
from scanner.forms.template import Form
from tests.test_sheets import form

FORMS = {pages: form(f"of-{pages}", pages) for pages in range(1, 6)}
TWIN = form("twin", 2)
ALL_FORMS = (*FORMS.values(), TWIN)

Leaf = tuple[int, str, int | None]
"""Voter, form, and rank of the page; no rank if it cannot be read."""


def pile(forms: Sequence[Form], order: PageOrder) -> list[Leaf]:
    """A sheet of each form, one a voter, as they come out of the scanner."""
    return [
        (voter, paper.id, rank)
        for voter, paper in enumerate(forms)
        for rank in pattern_of(order, len(paper.pages))
    ]


def one_fault(leaves: list[Leaf]) -> Iterator[list[Leaf]]:
    """The pile with a page missing, unreadable or moved, a leaf moved, two pages fed as one."""
    for i, leaf in enumerate(leaves):
        without = leaves[:i] + leaves[i + 1 :]
        yield without
        yield leaves[:i] + leaves[i + 2 :]
        yield [*leaves[:i], (leaf[0], leaf[1], None), *leaves[i + 1 :]]
        for j in range(len(leaves)):
            yield [*without[:j], leaf, *without[j:]]
        both = leaves[i : i + 2]
        if len({(voter, (rank or 0) // 2) for voter, _form, rank in both}) == 1:
            rest = leaves[:i] + leaves[i + 2 :]
            yield from ([*rest[:j], *both, *rest[j:]] for j in range(len(rest) + 1))


def put_together(leaves: Sequence[Leaf], told: PageOrder) -> Assembly:
    slots = [
        PageSlot(position, refusal=Reason.UNKNOWN_FORM)
        if rank is None
        else PageSlot(position, form=name, page=rank + 1)
        for position, (_voter, name, rank) in enumerate(leaves)
    ]
    return assemble(slots, ALL_FORMS, told)


def is_unbroken(leaves: Sequence[Leaf], told: PageOrder) -> bool:
    """Nothing but whole sheets in order, one after the other (unreadable pages fit anywhere)."""
    order = PageOrder.FRONTS_FIRST if told is PageOrder.LEARNED else told
    rest = list(leaves)
    while rest:
        names = {name for _voter, name, rank in rest[:1]}
        pattern = pattern_of(order, len(next(f for f in ALL_FORMS if f.id in names).pages))
        sheet = rest[: len(pattern)]
        fits = len(sheet) == len(pattern) and all(
            found is None or (name in names and found == rank)
            for (_voter, name, found), rank in zip(sheet, pattern, strict=True)
        )
        if not fits:
            return False
        rest = rest[len(pattern) :]
    return True


def check(leaves: Sequence[Leaf], told: PageOrder) -> None:
    sheets = put_together(leaves, told).sheets
    assert sorted(p for sheet in sheets for p in sheet.pages) == list(range(len(leaves)))
    for sheet in sheets:
        voters = {leaves[position][0] for position in sheet.pages}
        assert sheet.reasons or len(voters) == 1 or is_unbroken(leaves, told), leaves


@pytest.mark.parametrize("pages", [2, 3, 4, 5])
@pytest.mark.parametrize("order", ORDERS)
def test_after_any_one_fault_no_unflagged_sheet_has_pages_of_two_voters(
    pages: int, order: PageOrder
) -> None:
    for voters in range(1, 5 if pages < 4 else 4):
        for leaves in one_fault(pile([FORMS[pages]] * voters, order)):
            for told in (PageOrder.LEARNED, order):
                check(leaves, told)


some_forms = st.lists(st.sampled_from(ALL_FORMS), min_size=1, max_size=3)


@given(some_forms, st.sampled_from(ORDERS), st.booleans(), st.data())
def test_nor_in_a_large_pile_of_several_forms(
    forms: list[Form], order: PageOrder, is_told: bool, data: st.DataObject
) -> None:
    voters = data.draw(st.lists(st.sampled_from(forms), min_size=2, max_size=12))
    leaves = pile(voters, order)
    kind = data.draw(st.sampled_from(["missing", "double feed", "unreadable", "moved"]))
    at = data.draw(st.integers(0, len(leaves) - 1))
    if kind == "unreadable":
        leaves[at] = (leaves[at][0], leaves[at][1], None)
    else:
        taken = leaves[at : at + (2 if kind == "double feed" else 1)]
        del leaves[at : at + len(taken)]
        if kind == "moved":
            to = data.draw(st.integers(0, len(leaves)))
            leaves[to:to] = taken
    check(leaves, order if is_told else PageOrder.LEARNED)


@given(some_forms, st.sampled_from(ORDERS), st.data())
def test_an_undisturbed_pile_in_an_order_that_was_told_has_no_doubt(
    forms: list[Form], order: PageOrder, data: st.DataObject
) -> None:
    voters = data.draw(st.lists(st.sampled_from(forms), max_size=12))
    leaves = pile(voters, order)
    sheets = put_together(leaves, order).sheets
    assert [{leaves[p][0] for p in sheet.pages} for sheet in sheets] == [
        {voter} for voter in range(len(voters))
    ]
    assert not any(sheet.reasons for sheet in sheets)


@given(st.integers(2, 5), st.integers(8, 30), st.data())
def test_a_page_missing_inside_a_pile_never_shifts_the_sheets_after_it(
    pages: int, voters: int, data: st.DataObject
) -> None:
    leaves = pile([FORMS[pages]] * voters, PageOrder.FRONTS_FIRST)
    lost = leaves.pop(data.draw(st.integers(pages, len(leaves) - pages - 1)))
    sheets = put_together(leaves, PageOrder.LEARNED).sheets
    flagged = {leaves[sheet.pages[0]][0] for sheet in sheets if sheet.reasons}
    assert lost[0] in flagged
    assert flagged <= {lost[0] - 1, lost[0], lost[0] + 1}


@given(st.integers(2, 30), st.booleans())
def test_where_an_end_is_missing_the_order_told_confines_the_break(
    voters: int, is_first: bool
) -> None:
    leaves = pile([FORMS[2]] * voters, PageOrder.FRONTS_FIRST)
    leaves.pop(0 if is_first else -1)
    assembly = put_together(leaves, PageOrder.LEARNED)
    assert assembly.needs_order
    assert all(sheet.reasons for sheet in assembly.sheets)
    told = put_together(leaves, PageOrder.FRONTS_FIRST)
    assert not told.needs_order
    assert sum(bool(sheet.reasons) for sheet in told.sheets) == 1


def test_ten_thousand_pages_are_put_together_in_a_moment() -> None:
    leaves = pile([FORMS[2]] * 5000, PageOrder.FRONTS_FIRST)
    del leaves[777]
    started = time.monotonic()
    sheets = put_together(leaves, PageOrder.LEARNED).sheets
    assert time.monotonic() - started < 2
    assert sum(bool(sheet.reasons) for sheet in sheets) == 2
