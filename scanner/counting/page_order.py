"""The order in which the pages of a sheet come out of the scanner: told, or read off the pile.

Read off, an order is believed when every other one would need more pages to be missing than one
fault can leave (a page missing, moved or turned, a leaf missing, two pages of a double feed), or
is ruled out by how crooked the pages lie. A pile that is flawless as printed is believed too.

A pile in another order than printed can look like that as well: if its first page lies at the
very end, or if the first and the last are both missing. No order of pages shows it; where the
skew does, the order is not believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from scanner.ballot import Reason
from scanner.counting.paper import PageSlot, Paper
from scanner.counting.skew import Angles, lie_together

Pattern = tuple[int, ...]
"""The ranks of a sheet's pages (from 0) in the order in which they are scanned."""

BLANK_BACKS_SHARE = 0.8
"""From this share of pages followed by a blank one, blank pages are the backs of the paper."""


class PageOrder(StrEnum):
    """In which order the pages of a sheet come out of the scanner."""

    LEARNED = "learned"
    FRONTS_FIRST = "fronts_first"
    """As printed: 1 2 3 4."""
    BACKS_FIRST = "backs_first"
    """Each leaf turned over: 2 1 4 3."""
    LAST_LEAF_FIRST = "last_leaf_first"
    """3 4 1 2."""
    LAST_PAGE_FIRST = "last_page_first"
    """4 3 2 1."""


ORDERS: tuple[PageOrder, ...] = tuple(PageOrder)[1:]
FRONTS_BEFORE_BACKS: frozenset[PageOrder] = frozenset(
    {PageOrder.FRONTS_FIRST, PageOrder.LAST_LEAF_FIRST}
)


@dataclass(frozen=True, slots=True)
class KnownOrder:
    """The order of a pile."""

    order: PageOrder
    """Never ``LEARNED``."""
    is_certain: bool


def told_order(*, fronts_first: bool | None, last_leaf_first: bool) -> PageOrder:
    """The order of a scan from what a user says about it.

    Args:
        fronts_first: Which side of a leaf comes first; None if nothing is said.
        last_leaf_first: The leaves of a sheet come from the last to the first.
    """
    if last_leaf_first:
        is_turned = fronts_first is False
        return PageOrder.LAST_PAGE_FIRST if is_turned else PageOrder.LAST_LEAF_FIRST
    if fronts_first is None:
        return PageOrder.LEARNED
    return PageOrder.FRONTS_FIRST if fronts_first else PageOrder.BACKS_FIRST


def pattern_of(order: PageOrder, count: int) -> Pattern:
    """The order of the pages of a sheet with so many pages, two to a leaf."""
    leaves = [list(range(count))[i : i + 2] for i in range(0, count, 2)]
    if order in {PageOrder.LAST_LEAF_FIRST, PageOrder.LAST_PAGE_FIRST}:
        leaves.reverse()
    if order in {PageOrder.BACKS_FIRST, PageOrder.LAST_PAGE_FIRST}:
        leaves = [leaf[::-1] for leaf in leaves]
    return tuple(rank for leaf in leaves for rank in leaf)


def drop_blank_backs(slots: Sequence[PageSlot]) -> list[PageSlot]:
    """A pile without its blank pages, if these are the backs of paper printed on one side."""
    followers = [b for a, b in pairwise(slots) if a.form]
    blanks = sum(slot.refusal is Reason.BLANK_PAGE for slot in followers)
    printed = sum(slot.form is not None for slot in slots)
    if blanks == 0 or blanks < BLANK_BACKS_SHARE * (printed - 1):
        return list(slots)
    return [slot for slot in slots if slot.refusal is not Reason.BLANK_PAGE]


def learn_order(paper: Paper, slots: Sequence[PageSlot]) -> KnownOrder:
    """Read the order of a pile off its pages.

    Args:
        paper: What the forms say.
        slots: The pages of a pile in scan order, without blank backs.

    Returns:
        The order that leaves the fewest pages missing, and whether no other can be meant.
    """
    forms = {form for slot in slots for form in paper.candidates(slot)}
    counts = sorted({paper.page_count(form) for form in forms})
    alike = {tuple(pattern_of(order, count) for count in counts): order for order in ORDERS[::-1]}
    missing = {
        order: sum(_missing(paper, slots, order, forms))
        for order in ORDERS
        if order in alike.values()
    }
    is_flawless = missing[PageOrder.FRONTS_FIRST] == 0
    wrong_side = _ruled_out_by_skew(paper, slots)
    if is_flawless:
        is_certain = PageOrder.FRONTS_FIRST not in wrong_side
        return KnownOrder(PageOrder.FRONTS_FIRST, is_certain)
    possible = {order: number for order, number in missing.items() if order not in wrong_side}
    best = min(possible, key=possible.__getitem__)
    most = max(_most_missing_by_one_fault(paper, forms), possible[best] + 1)
    others = [number for order, number in possible.items() if order is not best]
    return KnownOrder(best, is_certain=all(number > most for number in others))


def _most_missing_by_one_fault(paper: Paper, forms: Iterable[str]) -> int:
    """How many pages can seem to be missing in a pile with one fault, in its true order.

    One page for one that is missing, two for a leaf or a double feed. A page that was moved is
    missing in one place; in the other it parts two neighbours, and between them and it the rest
    of a sheet, or of two of different forms, seems to be missing.
    """
    counts = sorted(count for form in forms if (count := paper.page_count(form)) > 1)
    return max(2, sum(counts[-2:]))


def _missing(
    paper: Paper, slots: Sequence[PageSlot], order: PageOrder, forms: Iterable[str]
) -> Iterator[int]:
    """How many pages would have to be missing, at the least, between neighbours in a pile."""
    patterns = {form: pattern_of(order, paper.page_count(form)) for form in forms}
    places = {form: {rank: n for n, rank in enumerate(p)} for form, p in patterns.items()}
    last: dict[str, int] = {}
    strangers = 0
    for slot in slots:
        if slot.form is None:
            strangers += 1
            continue
        here = {form: places[form][paper.rank(slot, form)] for form in paper.candidates(slot)}
        # A page that could not be read may be any page.
        yield max(0, _gap(last, here, patterns) - strangers)
        last, strangers = here, 0
    yield max(0, _gap(last, {}, patterns) - strangers)


def _gap(last: Mapping[str, int], here: Mapping[str, int], patterns: Mapping[str, Pattern]) -> int:
    """Pages missing between two, each given by its place in the pattern of any of its forms."""
    to_the_end = min((len(patterns[form]) - 1 - place for form, place in last.items()), default=0)
    from_the_start = min(here.values(), default=0)
    inside = [here[form] - place - 1 for form, place in last.items() if form in here]
    return min([to_the_end + from_the_start, *(missing for missing in inside if missing >= 0)])


def _ruled_out_by_skew(paper: Paper, slots: Sequence[PageSlot]) -> set[PageOrder]:
    """The orders that put pages side by side which are not two sides of one leaf."""
    pairs: dict[bool, list[Angles]] = {True: [], False: []}
    for one, other in pairwise(slots):
        if one.form is None or one.form != other.form:
            continue
        ranks = paper.rank(one, one.form), paper.rank(other, one.form)
        is_one_leaf = ranks[0] // 2 == ranks[1] // 2 and ranks[0] != ranks[1]
        if is_one_leaf and one.skew_deg is not None and other.skew_deg is not None:
            pairs[ranks[0] < ranks[1]].append((one.skew_deg, other.skew_deg))
    if lie_together(pairs[True], pairs[False]):
        return set(ORDERS) - FRONTS_BEFORE_BACKS
    if lie_together(pairs[False], pairs[True]):
        return set(FRONTS_BEFORE_BACKS)
    return set()
