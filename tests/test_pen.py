from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from scanner.forms.pen import MarkKind, MarkStyle, Pen, draw_handwriting, draw_mark
from scanner.geometry import Box

DPI = 200
BOX = Box(60, 60, 36, 36)


AROUND = {MarkKind.CIRCLE, MarkKind.UNDERLINE}
"""Marks that go around a target or below it."""


def drawn(style: MarkStyle, seed: int = 1, box: Box = BOX) -> tuple[NDArray[np.uint8], Box]:
    page = np.full((160, 160), 255, np.uint8)
    bounds = draw_mark(page, box, DPI, style, np.random.default_rng(seed))
    return page, bounds


def inside(page: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return page[64:92, 64:92]


@pytest.mark.parametrize("pen", list(Pen))
@pytest.mark.parametrize("kind", sorted(set(MarkKind) - AROUND))
def test_any_ordinary_mark_is_seen_inside_its_box(kind: MarkKind, pen: Pen) -> None:
    for seed in range(5):
        page, _bounds = drawn(MarkStyle(kind, pen), seed)
        assert np.mean(inside(page) < 190) > 0.03


@pytest.mark.parametrize("kind", list(MarkKind))
def test_all_ink_lies_in_the_reported_box(kind: MarkKind) -> None:
    for seed in range(5):
        page, bounds = drawn(MarkStyle(kind, Pen.FELT, reach=0.3), seed)
        rows, columns = np.nonzero(page < 250)
        assert rows.size
        assert bounds.x - 2 <= columns.min()
        assert columns.max() <= bounds.right + 2
        assert bounds.y - 2 <= rows.min()
        assert rows.max() <= bounds.bottom + 2


def test_the_same_generator_draws_the_same_mark_and_another_does_not() -> None:
    style = MarkStyle()
    assert np.array_equal(drawn(style, 3)[0], drawn(style, 3)[0])
    assert not np.array_equal(drawn(style, 3)[0], drawn(style, 4)[0])


def test_a_light_hand_leaves_less_ink_that_can_still_be_seen() -> None:
    ordinary, _ = drawn(MarkStyle(MarkKind.CROSS, Pen.PENCIL))
    light, _ = drawn(MarkStyle(MarkKind.CROSS, Pen.PENCIL, pressure=0.45))
    assert light.min() > ordinary.min()
    assert np.mean(inside(light) < 225) > 0.05


def test_a_felt_pen_is_broader_than_a_ballpoint() -> None:
    felt = np.mean(drawn(MarkStyle(MarkKind.SLASH, Pen.FELT))[0] < 128)
    thin = np.mean(drawn(MarkStyle(MarkKind.SLASH, Pen.BALLPOINT))[0] < 128)
    assert felt > 1.5 * thin


def test_a_filled_box_has_more_ink_than_a_cross_and_a_blackened_one_most() -> None:
    share = {
        kind: np.mean(inside(drawn(MarkStyle(kind, Pen.GEL))[0]) < 128)
        for kind in (MarkKind.CROSS, MarkKind.FILL, MarkKind.BLACKENED)
    }
    assert share[MarkKind.CROSS] < share[MarkKind.FILL] < share[MarkKind.BLACKENED]
    assert share[MarkKind.BLACKENED] > 0.75


def test_a_circle_leaves_the_inside_empty() -> None:
    page, bounds = drawn(MarkStyle(MarkKind.CIRCLE, Pen.GEL))
    assert inside(page).min() > 240
    assert bounds.w > BOX.w


def test_the_tail_of_a_tick_leaves_the_box() -> None:
    _page, bounds = drawn(MarkStyle(MarkKind.TICK, reach=0.4))
    assert bounds.right > BOX.right + 5
    assert bounds.y < BOX.y - 5


def test_a_mark_beyond_the_edge_of_the_page_is_cut_off() -> None:
    page, bounds = drawn(MarkStyle(reach=0.4), box=Box(-10, 130, 36, 36))
    assert bounds.x < 0
    assert (page < 200).any()
    untouched, _ = drawn(MarkStyle(), box=Box(-300, 20, 36, 36))
    assert untouched.min() == 255


def test_ink_never_makes_print_lighter() -> None:
    page = np.zeros((160, 160), np.uint8)
    draw_mark(page, BOX, DPI, MarkStyle(MarkKind.FILL, Pen.PENCIL), np.random.default_rng(1))
    assert page.max() == 0


def test_handwriting_stays_on_its_line() -> None:
    page = np.full((120, 900), 255, np.uint8)
    line = Box(50, 40, 700, 40)
    draw_handwriting(page, line, DPI, MarkStyle(), np.random.default_rng(2))
    rows, columns = np.nonzero(page < 200)
    assert columns.min() >= 40
    assert columns.max() <= 780
    assert rows.min() >= 30
    assert rows.max() <= 92
    assert np.ptp(columns) > 400
