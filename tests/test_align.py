"""A scan is laid on its form to a fraction of a pixel, however it went through the feeder."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from scanner.forms.damage import Damage, transform_matrix
from scanner.geometry import Homography, apply_homography
from scanner.reading.align import AlignedPage, align_page, lay_whole
from scanner.reading.blank import BlankPage
from scanner.settings import Settings
from tests.synthetic import (
    Gray,
    align,
    blank_of,
    draw_small_form,
    foreign_page,
    identify,
    mark,
    random_choices,
    scan_like,
)

DPI = 150
MEDIAN_PX = 0.3
LARGEST_PX = 1.0


@dataclass(frozen=True)
class Feed:
    """A page drawn through a feeder that lags and hurries: the scan, and where it shows what."""

    matrix: Homography
    """Pixels of the page to pixels of the scan."""
    lag_px: float = 0.0
    """How far the feed is off at most, down the scan."""
    height: int = 1240

    def _lag(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.lag_px * np.sin(2 * np.pi * y / self.height)

    def scan(self, page: Gray, shape: tuple[int, int] | None = None) -> Gray:
        height, width = shape or page.shape
        x, y = np.meshgrid(np.arange(width, dtype=float), np.arange(height, dtype=float))
        there = np.stack([x, y + self._lag(y)], axis=-1).reshape(-1, 2)
        source = apply_homography(np.linalg.inv(self.matrix), there).astype(np.float32)
        across, down = source.reshape(height, width, 2).transpose(2, 0, 1)
        scan = cv2.remap(
            page,
            np.ascontiguousarray(across),
            np.ascontiguousarray(down),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=255,
        )
        noise = np.random.default_rng(3).normal(0, 1.5, scan.shape)
        noisy = np.asarray(scan, float) * (215 / 255) + 28 + noise
        return np.clip(noisy, 0, 255).astype(np.uint8)

    def where(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where points of the page lie on the scan."""
        there = apply_homography(self.matrix, points)
        y = there[:, 1].copy()
        for _ in range(20):
            y = there[:, 1] - self._lag(y)
        return np.stack([there[:, 0], y], axis=1)


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> BlankPage:
    return blank_of(draw_small_form(tmp_path_factory.mktemp("forms")))


@pytest.fixture(scope="module")
def filled(blank: BlankPage) -> Gray:
    return mark(blank.form, random_choices(blank.form, 3))


def corners_of_targets(blank: BlankPage) -> NDArray[np.float64]:
    """All corners of all targets' outlines, in working pixels, shape (n, 2)."""
    return np.array(
        [
            corner
            for box in blank.target_boxes
            for corner in (
                (box.x, box.y),
                (box.right, box.y),
                (box.x, box.bottom),
                (box.right, box.bottom),
            )
        ]
    )


def errors_px(aligned: AlignedPage, feed: Feed) -> NDArray[np.float64]:
    """How far, in working pixels, each corner of a target is from where it truly lies."""
    points = corners_of_targets(aligned.blank)
    scale = abs(np.linalg.det(feed.matrix[:2, :2])) ** 0.5
    away = aligned.to_scan(points) - feed.where(points)
    distance: NDArray[np.float64] = np.linalg.norm(away, axis=1) / scale
    return distance


def matrix(rotation_deg: float = 0.0, scale: float = 1.0, shift_mm: float = 0.0) -> Homography:
    damage = Damage(
        rotation_deg=rotation_deg, scale=scale, shift_x_mm=shift_mm, shift_y_mm=-shift_mm
    )
    return transform_matrix(damage, (1240, 874), DPI)


@pytest.mark.parametrize("lag_px", [0.0, 1.5, 3.0])
@pytest.mark.parametrize(
    "known",
    [
        matrix(),
        matrix(rotation_deg=1.5),
        matrix(rotation_deg=-2.5, shift_mm=2),
        matrix(scale=0.96, shift_mm=-1.5),
        matrix(scale=0.9, rotation_deg=0.7),
        matrix(scale=1.1, rotation_deg=-0.4),
    ],
    ids=["straight", "turned", "turned-moved", "printed-at-96", "small", "large"],
)
def test_a_known_transform_is_recovered_to_a_fraction_of_a_pixel(
    blank: BlankPage, filled: Gray, known: Homography, lag_px: float
) -> None:
    feed = Feed(known, lag_px)
    found = errors_px(align(blank, feed.scan(filled)), feed)
    assert np.median(found) <= MEDIAN_PX
    assert found.max() <= LARGEST_PX


def test_uneven_stretch_is_more_than_one_transform_can_undo(blank: BlankPage, filled: Gray) -> None:
    """Else the test above would say nothing about the local alignment."""
    feed = Feed(matrix(), 3.0)
    page = identify(blank, feed.scan(filled))
    points = corners_of_targets(blank)
    whole = apply_homography(np.linalg.inv(page.homography), points)
    assert np.linalg.norm(whole - feed.where(points), axis=1).max() > LARGEST_PX


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_any_of_the_four_ways_up_is_laid_upright(
    blank: BlankPage, filled: Gray, turns: int
) -> None:
    scan = np.ascontiguousarray(np.rot90(Feed(matrix(rotation_deg=0.5)).scan(filled), turns))
    height, width = filled.shape
    turn = {
        0: np.eye(3),
        1: np.array([[0, 1, 0], [-1, 0, width - 1], [0, 0, 1.0]]),
        2: np.array([[-1, 0, width - 1], [0, -1, height - 1], [0, 0, 1.0]]),
        3: np.array([[0, -1, height - 1], [1, 0, 0], [0, 0, 1.0]]),
    }[turns]
    found = errors_px(align(blank, scan), Feed(turn @ matrix(rotation_deg=0.5)))
    assert np.median(found) <= MEDIAN_PX
    assert found.max() <= LARGEST_PX


@pytest.mark.parametrize("margin", [(0, 0), (366, 514), (150, 300)])
def test_small_paper_on_a_large_glass_is_found_wherever_it_lies(
    blank: BlankPage, filled: Gray, margin: tuple[int, int]
) -> None:
    moved = np.array([[1, 0, margin[0]], [0, 1, margin[1]], [0, 0, 1.0]])
    feed = Feed(moved @ matrix(rotation_deg=0.8))
    found = errors_px(align(blank, feed.scan(filled, (1754, 1240))), feed)
    assert np.median(found) <= MEDIAN_PX
    assert found.max() <= LARGEST_PX


@pytest.mark.parametrize("turn", [0.0, 0.6])
def test_a_page_copied_down_to_71_per_cent_is_laid_on_its_form(
    blank: BlankPage, filled: Gray, turn: float
) -> None:
    feed = Feed(matrix(scale=0.71, rotation_deg=turn))
    found = errors_px(align(blank, feed.scan(filled)), feed)
    assert np.median(found) <= MEDIAN_PX
    assert found.max() <= LARGEST_PX


@pytest.mark.parametrize("dpi", [100, 200, 300])
def test_the_resolution_of_the_scan_does_not_matter(
    blank: BlankPage, filled: Gray, dpi: int
) -> None:
    zoom = dpi / DPI
    # Pixel centres are whole numbers: the corner of the first pixel stays where it is.
    to_scan = np.array([[zoom, 0, (zoom - 1) / 2], [0, zoom, (zoom - 1) / 2], [0, 0, 1]])
    straight = Feed(matrix(rotation_deg=0.7)).scan(filled)
    method = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
    scan = cv2.resize(straight, None, fx=zoom, fy=zoom, interpolation=method).astype(np.uint8)
    found = errors_px(align(blank, scan), Feed(to_scan @ matrix(rotation_deg=0.7)))
    assert np.median(found) <= MEDIAN_PX
    assert found.max() <= LARGEST_PX


@pytest.mark.parametrize("edge", ["left", "right", "top", "bottom"])
def test_a_black_border_pulls_nothing_towards_it(blank: BlankPage, filled: Gray, edge: str) -> None:
    feed = Feed(matrix(rotation_deg=-0.8, scale=0.98))
    scan = feed.scan(filled)
    width = 30
    side = {"left": scan, "right": scan[:, ::-1], "top": scan.T, "bottom": scan[::-1].T}[edge]
    side[:, :width] = 20
    found = errors_px(align(blank, scan), feed)
    assert np.median(found) <= MEDIAN_PX
    assert found.max() <= LARGEST_PX


def test_writing_across_the_print_does_not_move_the_page(blank: BlankPage, filled: Gray) -> None:
    rng = np.random.default_rng(5)
    page = filled.copy()
    for _ in range(25):
        start, end = rng.integers((0, 0), (874, 1240), (2, 2))
        end = start + (end - start) // 6
        cv2.line(page, start.tolist(), end.tolist(), 40, 4, cv2.LINE_AA)
    feed = Feed(matrix(rotation_deg=0.6, scale=0.985), 1.5)
    found = errors_px(align(blank, feed.scan(page)), feed)
    assert np.median(found) <= MEDIAN_PX
    assert found.max() <= LARGEST_PX


def test_an_undamaged_page_is_laid_on_itself(blank: BlankPage) -> None:
    aligned = align(blank, blank.read_original())
    laid = lay_whole(aligned)
    assert laid.shape == blank.gray.shape
    assert np.abs(laid.astype(int) - blank.gray).mean() < 2
    assert aligned.patches_found == aligned.patches_tried
    assert aligned.spread_px < 0.1


def test_a_crop_shows_the_same_as_the_whole_page(blank: BlankPage, filled: Gray) -> None:
    aligned = align(blank, scan_like(filled))
    laid = lay_whole(aligned)
    for box in blank.target_boxes:
        x0, y0 = round(box.x) - 12, round(box.y) - 12
        x1, y1 = x0 + 60, y0 + 50
        crop = aligned.crop((x0, y0, x1, y1))
        assert crop.shape == (50, 60)
        assert np.abs(crop.astype(int) - laid[y0:y1, x0:x1]).mean() < 4


@pytest.mark.parametrize("zoom", [0.8, 1.0, 1.4, 2.0])
def test_half_size_crops_show_the_half_size_page_however_fine_the_scan_is(
    blank: BlankPage, filled: Gray, zoom: float
) -> None:
    size = (round(filled.shape[1] * zoom), round(filled.shape[0] * zoom))
    scan = cv2.resize(filled, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    aligned = align(blank, scan)
    assert aligned.step == {0.8: 1, 1.0: 2, 1.4: 3, 2.0: 4}[zoom]
    whole = cv2.resize(lay_whole(aligned), blank.half.shape[::-1], interpolation=cv2.INTER_AREA)
    # One window far longer than a strip, one at the edge, one short.
    windows = [(20, 40, 420, 70), (0, 100, 60, 180), (200, 300, 250, 330)]
    for (x0, y0, x1, y1), crop in zip(
        windows, aligned.half_crops(aligned.small, windows), strict=True
    ):
        assert crop.shape == (y1 - y0, x1 - x0)
        assert np.abs(crop.astype(int) - whole[y0:y1, x0:x1]).mean() < 6


def test_beyond_the_scan_a_half_size_crop_is_empty(blank: BlankPage) -> None:
    aligned = align(blank, blank.read_original())
    crop = aligned.half_crops(aligned.small, [(-30, -30, -4, -4)])[0]
    assert not crop.any()


def test_the_print_of_a_wrong_page_is_not_found(blank: BlankPage, filled: Gray) -> None:
    right = align(blank, scan_like(filled))
    wrong = align_page(scan_like(foreign_page()), blank, np.eye(3))
    assert right.patches_found >= 0.9 * right.patches_tried
    assert wrong.patches_found <= 0.45 * wrong.patches_tried


@pytest.mark.parametrize("shift_mm", [6.0, -12.0])
def test_a_page_laid_far_off_its_place_is_not_taken_for_aligned(
    blank: BlankPage, filled: Gray, shift_mm: float
) -> None:
    off = np.array([[1, 0, shift_mm * blank.px_per_mm], [0, 1, 0], [0, 0, 1.0]])
    wrong = align_page(filled, blank, off)
    least = Settings().min_page_print_match * wrong.patches_tried
    assert wrong.patches_found < least


def test_an_empty_scan_is_aligned_to_nothing_and_breaks_nothing(blank: BlankPage) -> None:
    empty = align_page(np.full((1240, 874), 250, np.uint8), blank, np.eye(3))
    assert empty.patches_found == 0
    assert not np.isfinite(empty.spread_px)


def test_what_the_scan_does_not_show_is_not_covered(blank: BlankPage, filled: Gray) -> None:
    cut = scan_like(filled, Damage())[:, :430]
    aligned = align(blank, np.ascontiguousarray(cut))
    inside = np.array([[20.0, 300.0], [420.0, 900.0]])
    outside = np.array([[440.0, 300.0], [800.0, 900.0]])
    assert aligned.covers(inside).all()
    assert not aligned.covers(outside).any()
