from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from scanner.forms.damage import Damage, damage_page, office_damage, transform_matrix
from scanner.geometry import apply_homography

DPI = 100
SHAPE = (400, 300)
DOTS = np.array([[60.0, 60.0], [240.0, 70.0], [80.0, 330.0], [230.0, 320.0]])


def dotted_page() -> NDArray[np.uint8]:
    page = np.full(SHAPE, 255, np.uint8)
    for x, y in DOTS.astype(int):
        cv2.circle(page, (int(x), int(y)), 5, 0, -1, cv2.LINE_AA)
    return page


def damaged(damage: Damage, seed: int = 1) -> NDArray[np.uint8]:
    return damage_page(dotted_page(), damage, np.random.default_rng(seed), dpi=DPI)


def dots_found(scan: NDArray[np.uint8]) -> NDArray[np.float64]:
    _n, _labels, stats, centers = cv2.connectedComponentsWithStats((scan < 128).astype(np.uint8))
    return np.asarray(centers[1:][stats[1:, cv2.CC_STAT_AREA] > 20], dtype=np.float64)


@given(
    st.floats(-1.5, 1.5),
    st.floats(0.95, 1.0),
    st.floats(-2, 2),
    st.floats(-2, 2),
    st.booleans(),
)
def test_the_matrix_says_where_the_print_went(
    turn: float, scale: float, right: float, down: float, upside_down: bool
) -> None:
    damage = Damage(
        rotation_deg=turn,
        scale=scale,
        shift_x_mm=right,
        shift_y_mm=down,
        upside_down=upside_down,
    )
    expected = apply_homography(transform_matrix(damage, SHAPE, DPI), DOTS)
    found = dots_found(damaged(damage))
    assert len(found) == 4
    for point in expected:
        assert np.hypot(*(found - point).T).min() < 0.4


def test_no_damage_changes_nothing() -> None:
    assert np.array_equal(damaged(Damage()), dotted_page())


def test_the_same_generator_gives_the_same_scan() -> None:
    damage = office_damage(np.random.default_rng(5))
    assert np.array_equal(damaged(damage, 7), damaged(damage, 7))
    assert not np.array_equal(damaged(damage, 7), damaged(damage, 8))


def test_the_page_that_is_given_is_not_changed() -> None:
    page = dotted_page()
    damage_page(page, Damage(paper=230, specks=9, folds=1), np.random.default_rng(1), dpi=DPI)
    assert np.array_equal(page, dotted_page())


def test_upside_down_is_half_a_turn() -> None:
    damage = Damage(rotation_deg=0.7, paper=240)
    turned = damaged(replace(damage, upside_down=True))
    assert np.array_equal(turned, np.rot90(damaged(damage), 2))


def test_stretch_moves_the_middle_but_not_more_than_it_says() -> None:
    limit_px = 1.0 / 25.4 * DPI
    moved = dots_found(damaged(Damage(stretch_mm=1.0)))
    away = [np.hypot(*(DOTS - point).T).min() for point in moved]
    assert 0.3 < max(away) <= limit_px + 0.4


def test_paper_and_ink_take_their_grey_levels() -> None:
    scan = damaged(Damage(paper=230, black=40))
    assert scan.max() == 230
    assert scan.min() == 40


@pytest.mark.parametrize(
    ("damage", "least"),
    [
        (Damage(specks=12), 5),
        (Damage(streaks=1), 300),
        (Damage(folds=1), 200),
        (Damage(border_mm=1.0), 800),
        (Damage(uneven_light=0.1), 50_000),
        (Damage(noise=4.0), 30_000),
        (Damage(blur_mm=0.3), 100),
    ],
)
def test_each_effect_is_seen(damage: Damage, least: int) -> None:
    changed = np.abs(damaged(damage).astype(int) - dotted_page()) > 1
    assert changed.sum() >= least


def test_the_back_shines_through_mirrored() -> None:
    front = np.full(SHAPE, 255, np.uint8)
    back = front.copy()
    back[100:150, 20:60] = 0
    scan = damage_page(
        front, Damage(show_through=0.1), np.random.default_rng(1), dpi=DPI, back=back
    )
    assert scan[125, SHAPE[1] - 40] < 235
    assert scan[125, 40] == 255


def test_bilevel_is_black_and_white_only() -> None:
    scan = damaged(Damage(bilevel=True, paper=235, black=30, noise=2.0))
    assert set(np.unique(scan)) == {0, 255}
    assert len(dots_found(scan)) == 4


def test_jpeg_of_low_quality_costs_detail() -> None:
    fine, coarse = (
        np.abs(damaged(Damage(jpeg_quality=quality)).astype(int) - dotted_page()).mean()
        for quality in (95, 10)
    )
    assert 0 < fine < coarse


def test_an_office_scanner_stays_within_what_a_reader_must_bear() -> None:
    for seed in range(200):
        damage = office_damage(np.random.default_rng(seed))
        assert abs(damage.rotation_deg) <= 1.5
        assert 0.97 <= damage.scale <= 1.0
        assert damage.paper - damage.black > 150
        assert not damage.upside_down
