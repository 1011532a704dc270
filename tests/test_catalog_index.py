"""The pages most alike are found by votes, whatever the number of pages."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.reading.catalog_index import CatalogIndex
from scanner.reading.features import Features

PAGES = 120
EACH = 400


def random_page(seed: int, count: int = EACH) -> Features:
    rng = np.random.default_rng(seed)
    return Features(
        rng.uniform(0, 1000, (count, 2)).astype(np.float32),
        rng.integers(0, 256, (count, 32), dtype=np.uint8),
    )


def seen_again(page: Features, seed: int, *, flipped: float, share: float) -> Features:
    """Some features of a page with some of their bits flipped, among as many foreign ones."""
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(page.points))[: round(share * len(page.points))]
    flips = np.packbits(rng.random((len(chosen), 256)) < flipped, axis=1)
    foreign = random_page(seed + 1_000_000, EACH - len(chosen))
    return Features(
        np.vstack([page.points[chosen], foreign.points]),
        np.vstack([page.descriptors[chosen] ^ flips, foreign.descriptors]),
    )


@pytest.fixture(scope="module")
def pages() -> list[Features]:
    return [random_page(seed) for seed in range(PAGES)]


@pytest.fixture(scope="module")
def index(pages: list[Features]) -> CatalogIndex:
    return CatalogIndex(pages)


@given(st.integers(0, PAGES - 1), st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_a_page_seen_again_among_many_comes_first(
    index: CatalogIndex, pages: list[Features], number: int, seed: int
) -> None:
    again = seen_again(pages[number], seed, flipped=0.08, share=0.5)
    assert index.rank(again, 6)[0] == number


@given(st.integers(0, 10_000), st.integers(1, 20))
@settings(max_examples=20, deadline=None)
def test_no_more_than_the_limit_each_only_once(index: CatalogIndex, seed: int, limit: int) -> None:
    ranked = index.rank(random_page(seed), limit)
    assert len(ranked) <= limit
    assert len(set(ranked)) == len(ranked)
    assert all(0 <= number < PAGES for number in ranked)


def test_a_longer_list_begins_with_the_shorter_one(
    index: CatalogIndex, pages: list[Features]
) -> None:
    again = seen_again(pages[3], 5, flipped=0.1, share=0.6)
    assert index.rank(again, PAGES)[:4] == index.rank(again, 4)


@pytest.mark.parametrize("twins", [2, 3])
def test_pages_that_share_their_print_come_together(twins: int) -> None:
    shared = random_page(1)
    pages = [random_page(seed) for seed in range(10, 40)]
    for number in range(twins):
        pages.insert(7 * number, shared)
    again = seen_again(shared, 2, flipped=0.05, share=0.7)
    assert set(CatalogIndex(pages).rank(again, twins)) == {7 * number for number in range(twins)}


def test_one_page_alone_is_found() -> None:
    page = random_page(1)
    assert CatalogIndex([page]).rank(seen_again(page, 1, flipped=0.05, share=0.5), 6) == [0]


def test_print_that_every_page_has_does_not_hide_the_page_that_is_meant() -> None:
    letterhead = random_page(0, 200)
    pages = [
        Features(
            np.vstack([letterhead.points, own.points]),
            np.vstack([letterhead.descriptors, own.descriptors]),
        )
        for own in (random_page(seed, 150) for seed in range(1, 101))
    ]
    again = seen_again(pages[42], 9, flipped=0.06, share=0.8)
    assert CatalogIndex(pages).rank(again, 6)[0] == 42


def test_no_page_and_no_feature_give_no_answer() -> None:
    nothing = random_page(1, 0)
    assert CatalogIndex([]).rank(random_page(1), 6) == []
    assert CatalogIndex([nothing]).rank(random_page(1), 6) == []
    assert CatalogIndex([random_page(1)]).rank(nothing, 6) == []


def test_the_same_pages_give_the_same_order(pages: list[Features]) -> None:
    again = seen_again(pages[50], 4, flipped=0.1, share=0.4)
    assert CatalogIndex(pages).rank(again, PAGES) == CatalogIndex(pages).rank(again, PAGES)
