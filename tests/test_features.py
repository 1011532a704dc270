"""Points of the print are found again on any scan of it, and not on anything else."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from scanner.geometry import apply_homography
from scanner.reading.features import (
    FEATURE_COUNT,
    FEATURE_SIDE_PX,
    Features,
    find_features,
    match_features,
)
from tests.synthetic import (
    Gray,
    blank_page,
    draw_small_form,
    foreign_page,
    mark,
    photo_of_a_cat,
    random_choices,
    scan_like,
)

CORNERS = np.array([[60.0, 60.0], [800.0, 80.0], [70.0, 1150.0], [790.0, 1100.0]])


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Gray:
    return blank_page(draw_small_form(tmp_path_factory.mktemp("forms")))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Gray:
    form = draw_small_form(tmp_path_factory.mktemp("forms"))
    return mark(form, random_choices(form, 2))


def resized(image: Gray, zoom: float) -> Gray:
    method = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
    return cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=method).astype(np.uint8)


@pytest.mark.parametrize("shape", [(1240, 874), (40, 40), (3000, 20)])
def test_bare_paper_has_no_features(shape: tuple[int, int]) -> None:
    found = find_features(np.full(shape, 245, np.uint8))
    assert found.points.shape == (0, 2)
    assert found.descriptors.shape == (0, 32)


@pytest.mark.parametrize("count", [100, 700, FEATURE_COUNT])
def test_features_lie_on_the_page_and_are_no_more_than_asked_for(blank: Gray, count: int) -> None:
    found = find_features(blank, count=count)
    assert 0.5 * min(count, 600) <= len(found.points) <= count
    assert found.descriptors.shape == (len(found.points), 32)
    height, width = blank.shape
    assert (found.points >= 0).all()
    assert (found.points < (width, height)).all()


def test_features_are_kept_all_over_the_page_not_only_in_dense_text(blank: Gray) -> None:
    crowded = blank.copy()
    rng = np.random.default_rng(1)
    crowded[800:1000, 100:300] = rng.integers(0, 2, (200, 200)) * 255
    points = find_features(crowded, count=300).points
    in_the_crowd = (points[:, 0] < 310) & (points[:, 1] > 790) & (points[:, 1] < 1010)
    assert in_the_crowd.mean() < 0.3


@pytest.mark.parametrize("zoom", [0.6, 1.0, 2.0])
@pytest.mark.parametrize("turn", [0, 3, 90, 178, 270])
def test_a_page_is_found_on_its_blank_at_any_turn_and_resolution(
    blank: Gray, filled: Gray, turn: float, zoom: float
) -> None:
    height, width = filled.shape
    side = 1600
    known = np.vstack(
        [cv2.getRotationMatrix2D((width / 2, height / 2), turn, 1.0), [0.0, 0.0, 1.0]]
    )
    known[0, 2] += (side - width) / 2
    known[1, 2] += (side - height) / 2
    scan = cv2.warpAffine(filled, known[:2], (side, side), borderValue=250).astype(np.uint8)
    scan = resized(scan, zoom)
    match = match_features(find_features(scan, count=900), find_features(blank))
    assert match is not None
    assert match.inliers >= 20
    # Enlarging keeps the corner of the first pixel in place, not its centre.
    there = (apply_homography(known, CORNERS) + 0.5) * zoom - 0.5
    away = np.linalg.norm(apply_homography(match.homography, there) - CORNERS, axis=1)
    # Within reach of the search for patches of print, which does the rest.
    assert away.max() < 8.0


@pytest.mark.parametrize(
    "wrong",
    [
        foreign_page(),
        photo_of_a_cat(),
        np.random.default_rng(2).integers(0, 256, (1240, 874)).astype(np.uint8),
    ],
    ids=["foreign", "cat", "noise"],
)
def test_a_wrong_picture_agrees_in_far_fewer_features(
    blank: Gray, filled: Gray, wrong: Gray
) -> None:
    target = find_features(blank)
    right = match_features(find_features(scan_like(filled), count=700), target)
    other = match_features(find_features(scan_like(wrong), count=700), target)
    assert right is not None
    assert right.inliers > 100
    assert other is None or other.inliers < 0.2 * right.inliers


def test_too_few_features_are_no_match(blank: Gray) -> None:
    target = find_features(blank)
    few = Features(target.points[:7], target.descriptors[:7])
    none = find_features(np.full((500, 500), 250, np.uint8))
    for source in (few, none):
        assert match_features(source, target) is None
        assert match_features(target, source) is None


def test_the_same_picture_gives_the_same_features_and_match(blank: Gray, filled: Gray) -> None:
    scan = scan_like(filled)
    one, two = find_features(scan), find_features(scan.copy())
    assert np.array_equal(one.points, two.points)
    assert np.array_equal(one.descriptors, two.descriptors)
    first, second = (match_features(each, find_features(blank)) for each in (one, two))
    assert first is not None
    assert second is not None
    assert np.array_equal(first.homography, second.homography)


def test_a_large_scan_is_no_more_work_than_a_small_one(filled: Gray) -> None:
    """The picture the features are looked for on has a fixed size; so has their number."""
    small = find_features(resized(filled, FEATURE_SIDE_PX / filled.shape[0]))
    large = find_features(resized(filled, 3.0))
    assert len(large.points) < 1.3 * len(small.points)
