"""What is worked out once for all scans of a form puts its places where the field says."""

from __future__ import annotations

import numpy as np

from scanner.reading.spots import GRID_PX, HalfWindows, Spots, corners_of, ways_of


def test_between_its_nodes_a_field_is_bilinear() -> None:
    across, down = np.meshgrid(np.arange(6.0), np.arange(4.0))
    field = np.stack([2 * across - down + across * down, 3 + down], axis=-1)
    points = np.random.default_rng(1).uniform((0, 0), (5 * GRID_PX, 3 * GRID_PX), (50, 2))
    x, y = points.T / GRID_PX
    there = Spots.of(points, field.shape).between(field)
    assert np.abs(there - np.stack([2 * x - y + x * y, 3 + y], axis=1)).max() < 0.02


def test_beyond_a_field_its_edge_goes_on() -> None:
    field = np.random.default_rng(2).normal(size=(3, 4, 2))
    far = np.array([[-500.0, -500.0], [9000.0, 9000.0]])
    there = Spots.of(far, field.shape).between(field)
    assert np.abs(there - field[[0, -1], [0, -1]]).max() < 0.01


def test_a_long_window_is_cut_into_strips_that_make_it_up() -> None:
    windows = HalfWindows.of([(-7, 5, 293, 40), (10, 20, 30, 60)], (4, 6))
    assert windows.sizes == ((300, 35), (20, 40))
    assert windows.strips == ((0, 0, 128), (0, 128, 256), (0, 256, 300), (1, 0, 20))
    assert windows.strip_sizes.tolist() == [[128, 35], [128, 35], [44, 35], [20, 40]]
    origin = windows.corners.points.reshape(-1, 3, 2)[:, 0]
    assert origin.tolist() == [[-13.5, 10.5], [242.5, 10.5], [498.5, 10.5], [20.5, 40.5]]


def test_a_way_maps_the_corners_of_a_window_to_where_they_lie() -> None:
    corners = corners_of([(0, 0, 20, 10), (5, 7, 25, 17)])
    laid = corners @ np.array([[1.1, 0.1], [-0.2, 0.9]]) + 3.0
    ways = ways_of(laid, np.array([[20, 10]]))
    ends = np.array([[0.0, 0, 1], [20, 0, 1], [0, 10, 1]])
    assert np.allclose(ends @ np.moveaxis(ways, 1, 2), laid.reshape(-1, 3, 2))
