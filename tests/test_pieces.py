"""Pieces looked for all at once are found where each is found by itself."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from scanner.reading.pieces import PieceStack, find_peaks


def noisy_print(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.uint8]:
    picture = rng.integers(0, 2, shape).astype(np.float32) * 220
    return cv2.GaussianBlur(picture, (0, 0), 1.5).astype(np.uint8)


@pytest.mark.parametrize(("height", "width", "reach"), [(21, 21, 3), (16, 24, 14), (48, 40, 8)])
def test_scores_are_those_of_one_correlation_after_another(
    height: int, width: int, reach: int
) -> None:
    rng = np.random.default_rng(height)
    windows = np.stack(
        [noisy_print(rng, (height + 2 * reach, width + 2 * reach)) for _ in range(5)]
    )
    pieces = [
        np.ascontiguousarray(window[y : y + height, x : x + width])
        for window, (x, y) in zip(windows, rng.integers(0, 2 * reach + 1, (5, 2)), strict=True)
    ]
    scores = PieceStack(pieces, reach).find(windows)
    for window, piece, ours in zip(windows, pieces, scores, strict=True):
        theirs = cv2.matchTemplate(window, piece, cv2.TM_CCOEFF_NORMED)
        assert np.abs(ours - theirs).max() < 1e-3


def test_peaks_lie_to_a_fraction_of_a_pixel() -> None:
    rng = np.random.default_rng(1)
    soft = cv2.GaussianBlur(rng.standard_normal((400, 400)), (0, 0), 8)
    fine = np.interp(soft, (soft.min(), soft.max()), (0, 255)).astype(np.uint8)
    for moved in range(-15, 16, 3):
        window = cv2.resize(fine[80:320, 80 + moved : 320 + moved], (30, 30), interpolation=3)
        piece = cv2.resize(fine, (50, 50), interpolation=3)[15:35, 15:35]
        stack = PieceStack([piece.astype(np.uint8)], 5)
        shifts, scores, within = find_peaks(stack.find(window.astype(np.uint8)[None]))
        assert within.all()
        assert scores[0] > 0.9
        assert abs(shifts[0, 0] + moved / 8) < 0.15
        assert abs(shifts[0, 1]) < 0.15


def test_a_peak_at_the_edge_is_not_taken_for_the_place() -> None:
    rng = np.random.default_rng(2)
    picture = noisy_print(rng, (40, 60))
    stack = PieceStack([picture[10:30, 0:20]], 5)
    _, _, within = find_peaks(stack.find(picture[5:35, 0:30][None]))
    assert not within.any()


@pytest.mark.parametrize("flat", ["piece", "window"])
def test_bare_paper_is_like_nothing(flat: str) -> None:
    rng = np.random.default_rng(3)
    bare, print_ = np.full((30, 30), 240, np.uint8), noisy_print(rng, (30, 30))
    piece, window = (bare, print_) if flat == "piece" else (print_, bare)
    assert not PieceStack([piece[5:25, 5:25]], 5).find(window[None]).any()
