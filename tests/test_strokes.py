"""Ink in a cell that cannot have come from beyond it; and ends of marks, which always can."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from scanner.reading.strokes import follow, is_cross, is_made_here

PX_PER_MM = 6.0
HIGH, WIDE = 52, 96
Line = Sequence[tuple[float, float]]
TICK: Sequence[Line] = [[(0.3, 0.5), (0.4, 0.9), (0.7, 0.1)]]


def drawn(lines: Sequence[Line], thick: int) -> NDArray[np.bool_]:
    """Where lines run in a cell, and beyond it; points in cells, from its upper left corner."""
    page = np.zeros((3 * HIGH, 3 * WIDE), np.uint8)
    for line in lines:
        points = np.rint((np.array(line) + 1) * (WIDE, HIGH)).astype(np.int32)
        cv2.polylines(page, [points], isClosed=False, color=255, thickness=thick)
    return page[HIGH : 2 * HIGH, WIDE : 2 * WIDE] > 0


def is_own(ink: NDArray[np.bool_]) -> bool:
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    return is_made_here(pieces == largest, np.ones_like(ink), PX_PER_MM)


ends = st.builds(
    lambda x, slant, reach, below: (
        [(x - slant, 1.9), (x + slant, 1 - reach)] if below else [(x - slant, -0.9), (x, reach)]
    ),
    st.floats(0.1, 0.9),
    st.floats(-0.5, 0.5),
    st.floats(0.1, 0.6),
    st.booleans(),
)
"""A stroke that comes in from above or below and reaches up to 0.6 into the cell."""


@given(st.lists(ends, min_size=1, max_size=2), st.integers(2, 9))
def test_ends_of_marks_in_other_rows_never_seem_to_be_made_here(
    lines: Sequence[Line], thick: int
) -> None:
    ink = drawn(lines, thick)
    assert not ink.any() or not is_own(ink)


@given(st.floats(0.2, 0.8), st.floats(0.05, 0.4), st.floats(0.3, 0.6), st.integers(2, 9))
def test_the_foot_of_a_tick_in_the_row_above_never_seems_to_be_made_here(
    x: float, arm: float, reach: float, thick: int
) -> None:
    ink = drawn([[(x - arm / 2, reach - arm), (x, reach), (x + 0.3, -0.8)]], thick)
    assert not ink.any() or not is_own(ink)


@pytest.mark.parametrize("thick", [2, 5, 8])
def test_arms_of_crosses_above_and_below_never_seem_to_be_made_here(thick: int) -> None:
    for off in (-0.1, 0.0, 0.1):
        above = [[(0.0, -1.0), (1.0, 0.55)], [(1.0, -1.0), (0.0, 0.55)]]
        below = [[(off, 0.45), (1.0, 2.0)], [(1.0 + off, 0.45), (0.0, 2.0)]]
        assert not is_own(drawn([*above, *below], thick))


@pytest.mark.parametrize("thick", [2, 5, 8])
@pytest.mark.parametrize("high", [0.7, 1.0, 1.3])
@pytest.mark.parametrize("off", [-0.1, 0.0, 0.1])
def test_a_cross_with_its_middle_in_that_of_the_cell_is_made_here(
    off: float, high: float, thick: int
) -> None:
    top, bottom = 0.5 + off - high / 2, 0.5 + off + high / 2
    ink = drawn([[(0.2, top), (0.8, bottom)], [(0.8, top), (0.2, bottom)]], thick)
    assert is_cross(ink)
    assert is_own(ink)


def test_a_mark_that_no_border_touches_is_made_here() -> None:
    ink = drawn(TICK, 4)
    assert not is_cross(ink)
    assert is_own(ink)


def test_a_scribble_that_touches_the_border_with_a_tip_is_made_here() -> None:
    turns = [(0.3 + 0.05 * n, 0.2 if n % 2 else 0.8) for n in range(9)]
    assert is_own(drawn([[(0.2, 1.3), *turns]], 3))


def lost_behind_print(
    lines: Sequence[Line], thick: int, *, is_printed: bool = True
) -> tuple[list[int], list[int]]:
    """What a stroke goes on as above a band that hides it; and the pieces that are there."""
    page = np.zeros((3 * HIGH, 3 * WIDE), np.uint8)
    for line in lines:
        points = np.rint((np.array(line) + 1) * (WIDE, HIGH)).astype(np.int32)
        cv2.polylines(page, [points], isClosed=False, color=255, thickness=thick)
    free = np.ones(page.shape, bool)
    free[HIGH - 3 : HIGH + 3] = not is_printed
    page[HIGH - 3 : HIGH + 3] = 0
    _, labels = cv2.connectedComponents(page, connectivity=8)
    below = np.argwhere(labels == labels[HIGH + 6 :].max())
    above = np.unique(labels[: HIGH - 3])
    return follow(below, np.asarray(labels, np.int32), free, PX_PER_MM), above[above > 0].tolist()


@pytest.mark.parametrize("slope", [0.15, 0.3, 1.0])
@pytest.mark.parametrize("thick", [2, 5])
def test_a_stroke_is_followed_straight_ahead_behind_print(slope: float, thick: int) -> None:
    """At 0.15 it is hidden for 5 mm, as an arm is that meets a crossing of ruled lines."""
    run = 0.6 / slope * HIGH / WIDE
    stroke = [(0.5 - run, -0.6), (0.5 + run, 0.6)]
    found, above = lost_behind_print([stroke], thick)
    assert found == above != []


def test_a_stroke_is_not_followed_over_bare_paper() -> None:
    found, above = lost_behind_print([[(0.2, -0.6), (0.8, 0.6)]], 3, is_printed=False)
    assert above
    assert found == []


def test_another_stroke_that_meets_it_behind_print_does_not_go_on_from_it() -> None:
    """The tips of two crosses at the line between their rows: > and not /."""
    found, above = lost_behind_print([[(0.2, 0.6), (0.5, 0.0)], [(0.5, 0.0), (0.2, -0.6)]], 3)
    assert above
    assert found == []
