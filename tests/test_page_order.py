"""The order of the pages of a pile, told by a user or read off the pile."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from scanner.counting.page_order import (
    KnownOrder,
    PageOrder,
    drop_blank_backs,
    learn_order,
    pattern_of,
    told_order,
)
from scanner.counting.paper import PageSlot, Paper
from tests.test_sheets import FORMS, scan

FRONTS, BACKS = PageOrder.FRONTS_FIRST, PageOrder.BACKS_FIRST


@pytest.mark.parametrize(
    ("order", "count", "pattern"),
    [
        (PageOrder.FRONTS_FIRST, 4, (0, 1, 2, 3)),
        (PageOrder.BACKS_FIRST, 4, (1, 0, 3, 2)),
        (PageOrder.LAST_LEAF_FIRST, 4, (2, 3, 0, 1)),
        (PageOrder.LAST_PAGE_FIRST, 4, (3, 2, 1, 0)),
        (PageOrder.BACKS_FIRST, 3, (1, 0, 2)),
        (PageOrder.LAST_LEAF_FIRST, 2, (0, 1)),
    ],
)
def test_an_order_is_one_of_leaves_and_of_sides(
    order: PageOrder, count: int, pattern: tuple[int, ...]
) -> None:
    assert pattern_of(order, count) == pattern


@pytest.mark.parametrize(
    ("fronts_first", "last_leaf_first", "order"),
    [
        (None, False, PageOrder.LEARNED),
        (True, False, PageOrder.FRONTS_FIRST),
        (False, False, PageOrder.BACKS_FIRST),
        (None, True, PageOrder.LAST_LEAF_FIRST),
        (True, True, PageOrder.LAST_LEAF_FIRST),
        (False, True, PageOrder.LAST_PAGE_FIRST),
    ],
)
def test_a_user_can_tell_every_order(
    fronts_first: bool | None, last_leaf_first: bool, order: PageOrder
) -> None:
    assert told_order(fronts_first=fronts_first, last_leaf_first=last_leaf_first) is order


@pytest.mark.parametrize(
    ("words", "order", "is_certain"),
    [
        ("F1 B1 F2 B2", FRONTS, True),
        ("B1 F1 B2 F2", BACKS, False),
        ("F1 B1 F2 B2 F3", FRONTS, False),
        ("B1 F2 B2 F3 B3", FRONTS, False),
        ("F1 B1 F2 F3 B3", FRONTS, True),
        ("B1 F1 B2 B3 F3", BACKS, True),
        ("F1 B1 F2 ? F3 B3", FRONTS, True),
        # Two sheets turned over among many.
        ("F1 B1 B2 F2 F3 B3 B4 F4 F5 B5", FRONTS, True),
    ],
)
def test_an_order_is_certain_if_no_one_fault_makes_it_look_like_this(
    words: str, order: PageOrder, is_certain: bool
) -> None:
    assert learn_order(Paper(FORMS), scan(words)) == KnownOrder(order, is_certain)


def crooked(words: str, *, noise_deg: float, seed: int = 1) -> list[PageSlot]:
    """A scan whose leaves lie each a little crooked, mirrored on the back."""
    draw = random.Random(seed)
    lean = {word[1:]: draw.uniform(-0.6, 0.6) for word in words.split()}
    slots = []
    for slot, word in zip(scan(words), words.split(), strict=True):
        sign = 1 if slot.page == 1 else -1
        skew = sign * lean[word[1:]] + draw.gauss(0, noise_deg)
        slots.append(replace(slot, skew_deg=skew))
    return slots


def words_of(sheets: int, sides: str) -> list[str]:
    return [f"{side}{n}" for n in range(sheets) for side in sides]


def learn(words: Sequence[str], noise_deg: float = 0.05) -> KnownOrder:
    return learn_order(Paper(FORMS), crooked(" ".join(words), noise_deg=noise_deg))


def test_crooked_leaves_tell_the_order_where_the_ends_are_missing() -> None:
    assert learn(words_of(20, "FB")[:-1]) == KnownOrder(FRONTS, is_certain=True)
    assert learn(words_of(20, "FB")[1:]) == KnownOrder(FRONTS, is_certain=True)
    assert learn(words_of(20, "BF")) == KnownOrder(BACKS, is_certain=True)
    assert learn(words_of(20, "BF")[1:]) == KnownOrder(BACKS, is_certain=True)


def test_a_pile_that_only_looks_as_printed_is_not_believed() -> None:
    backs_first = words_of(20, "BF")
    moved = [*backs_first[1:], backs_first[0]]
    assert learn(moved) == KnownOrder(FRONTS, is_certain=False)


def test_leaves_that_lie_anyhow_tell_nothing() -> None:
    for seed in range(50):
        slots = crooked(" ".join(words_of(20, "FB")[:-1]), noise_deg=9, seed=seed)
        assert not learn_order(Paper(FORMS), slots).is_certain


def test_blank_backs_are_dropped_and_single_blank_pages_are_not() -> None:
    assert [slot.position for slot in drop_blank_backs(scan("S1 _ S2 _ S3 _"))] == [0, 2, 4]
    assert len(drop_blank_backs(scan("F1 B1 F2 _ F3 B3"))) == 6
    assert drop_blank_backs([]) == []
