"""How crooked two pages lie tells whether they are one paper, or nothing at all."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.counting.skew import LEAST_PAIRS, lie_together, skew_degrees


@given(st.floats(-40, 40), st.sampled_from([0, 90, 180, 270]), st.floats(0.01, 1))
def test_the_skew_is_that_of_the_paper_whichever_way_up(
    skew: float, turn: int, mm_per_px: float
) -> None:
    angle = math.radians(skew + turn)
    cos, sin = mm_per_px * math.cos(angle), mm_per_px * math.sin(angle)
    homography = np.array([[cos, -sin, 3], [sin, cos, 8], [0, 0, 1]])
    assert skew_degrees([float(v) for v in homography.ravel()]) == pytest.approx(skew, abs=1e-6)


def leaves(count: int, seed: int) -> tuple[list[float], list[float]]:
    """The skew of fronts, and of their backs."""
    draw = random.Random(seed)
    fronts = [draw.uniform(-0.7, 0.7) for _ in range(count)]
    return fronts, [0.1 - front + draw.gauss(0, 0.06) for front in fronts]


def test_two_sides_of_a_paper_lie_mirrored() -> None:
    fronts, backs = leaves(20, seed=1)
    right, wrong = list(zip(fronts, backs, strict=True)), list(zip(fronts[1:], backs, strict=False))
    assert lie_together(right, wrong)
    assert not lie_together(wrong, right)


def test_a_few_papers_prove_nothing() -> None:
    fronts, backs = leaves(LEAST_PAIRS, seed=2)
    right, wrong = list(zip(fronts, backs, strict=True)), list(zip(fronts[1:], backs, strict=False))
    assert not lie_together(right, wrong)


def test_pages_that_lie_straight_prove_nothing() -> None:
    straight = [(0.0, 0.0)] * 30
    assert not lie_together(straight, straight)


@pytest.mark.parametrize("sign", [-1, 1])
def test_chance_proves_nothing_nor_do_pages_that_lean_the_same_way(sign: int) -> None:
    for seed in range(300):
        draw = random.Random(seed)
        fronts, backs = ([draw.gauss(0, 0.4) for _ in range(60)] for _ in range(2))
        if sign > 0:
            backs = [front + draw.gauss(0, 0.05) for front in fronts]
        one, other = (
            list(zip(fronts, backs, strict=True)),
            list(zip(fronts[1:], backs, strict=False)),
        )
        assert not lie_together(one, other)
        assert not lie_together(other, one)
