"""A page photographed from the side is laid flat before it is looked at."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from scanner.ballot import Reason, UnreadablePage
from scanner.forms.catalog import find_form
from scanner.geometry import apply_homography
from scanner.reading.blank import BlankPage
from scanner.reading.features import Features, Match, match_features
from scanner.reading.identify import FormIndex
from scanner.reading.interpret import Reader
from scanner.reading.perspective import find_sheet, rectify
from scanner.reading.raster import PageImage
from scanner.settings import Settings
from tests.world.canvas import chance
from tests.world.geometry import Geometry
from tests.world.phones import hold_camera, photograph
from tests.world.sheets import printed_form

FORMS = Path(__file__).parents[1] / "form_templates"
DPI = 150
LONG_SIDE_PX = 1700
STEEP = (5, 11, 19)
FAR_MM = 2.4
"""So near, the pieces of print that an alignment looks for are found."""


@cache
def blank(name: str = "sxd_5muc") -> BlankPage:
    form = find_form(FORMS, name)
    return BlankPage(form, form.pages[0], DPI)


def photo(
    seed: int, tilt: float, name: str = "sxd_5muc", *, bulge: float = 0.5
) -> tuple[NDArray[np.uint8], Geometry]:
    """A photograph of a blank, tilted by up to 30 degrees at a tilt of 1."""
    page = blank(name).page
    print_ = printed_form(blank(name).form.blank_path(page), page.width_mm, DPI)
    strengths = {"tilt": tilt, "turn": 0.5, "dim": 0.7, "noise": 0.6, "bulge": bulge}
    geometry = hold_camera((page.width_mm, page.height_mm), LONG_SIDE_PX, strengths, seed)
    return photograph(print_, DPI / 25.4, geometry, strengths, seed), geometry


def recognise(features: Features) -> tuple[BlankPage, Match] | None:
    match = match_features(features, blank().features)
    return None if match is None else (blank(), match)


def off_mm(homography: NDArray[np.float64], geometry: Geometry, page: BlankPage) -> float:
    """How far the worst target is from where a transform puts it."""
    centers = np.array([option.box.center for _, option in page.targets])
    there = apply_homography(homography, geometry.to_scan(centers))
    distances = np.linalg.norm(there - (centers * page.px_per_mm - 0.5), axis=1)
    return float(distances.max()) / page.px_per_mm


@pytest.mark.parametrize("seed", range(4))
def test_a_page_tilted_by_thirty_degrees_is_laid_flat(seed: int) -> None:
    gray, geometry = photo(seed, 1.0)
    found = rectify(gray, None, recognise)
    assert found is not None
    assert off_mm(found.match.homography, geometry, blank()) < FAR_MM


def test_a_rough_first_guess_is_made_better() -> None:
    gray, geometry = photo(2, 0.8, bulge=0.0)
    corners = np.array([[0, 0], [210, 0], [210, 297], [0, 297]], np.float64)
    wrong_by_mm = np.array([[6, 0], [0, 7], [-6, 0], [0, 5]])
    rough = cv2.getPerspectiveTransform(
        geometry.to_scan(corners).astype(np.float32),
        ((corners + wrong_by_mm) * blank().px_per_mm).astype(np.float32),
    )
    assert off_mm(np.asarray(rough, np.float64), geometry, blank()) > FAR_MM
    first = blank(), Match(np.asarray(rough, np.float64), 12)
    found = rectify(gray, first, lambda features: None)
    assert found is not None
    assert off_mm(found.match.homography, geometry, blank()) < FAR_MM


def test_features_are_given_where_they_lie_on_the_photograph() -> None:
    gray, _ = photo(1, 0.9)
    found = rectify(gray, None, recognise)
    assert found is not None
    laid = apply_homography(found.match.homography, found.features.points)
    ours = Features(laid.astype(np.float32), found.features.descriptors)
    match = match_features(ours, blank().features)
    assert match is not None
    assert match.inliers >= 0.3 * len(ours.points)


def test_a_wrong_first_guess_is_given_up_for_the_edges_of_the_paper() -> None:
    gray, geometry = photo(3, 0.9)
    upside_down = np.array([[-0.6, 0, 1100.0], [0, -0.6, 1500.0], [0, 0, 1.0]])
    found = rectify(gray, (blank(), Match(upside_down, 14)), recognise)
    assert found is not None
    assert off_mm(found.match.homography, geometry, blank()) < FAR_MM


def test_a_picture_without_print_is_no_page() -> None:
    noise = chance(1, "noise").integers(0, 255, (900, 700)).astype(np.uint8)
    assert rectify(cv2.GaussianBlur(noise, (0, 0), 6).astype(np.uint8), None, recognise) is None


@pytest.mark.parametrize("seed", range(3))
def test_a_sheet_is_found_by_its_edges(seed: int) -> None:
    width, height = 900, 1200
    corners = np.array([[150, 120], [780, 200], [820, 1050], [90, 1080]], np.float64)
    corners += chance(seed, "corners").uniform(-40, 40, (4, 2))
    gray = np.full((height, width), 90, np.uint8)
    cv2.fillConvexPoly(gray, np.rint(corners).astype(np.int32), (225,))
    gray = (gray + chance(seed, "noise").normal(0, 4, gray.shape)).clip(0, 255).astype(np.uint8)
    sheet = find_sheet(gray)
    assert sheet is not None
    high, wide = sheet.gray.shape
    frame = np.array([[0, 0], [wide, 0], [wide, high], [0, high]]) - 0.5
    there = apply_homography(sheet.homography, corners)
    distances = np.linalg.norm(there[:, None] - frame, axis=2).min(axis=1)
    assert distances.max() < 0.006 * high


def test_a_table_without_a_sheet_has_none() -> None:
    table = chance(4, "table").normal(120, 6, (1200, 900)).clip(0, 255).astype(np.uint8)
    assert find_sheet(table) is None


@pytest.mark.parametrize("seed", STEEP)
def test_a_steep_photograph_is_identified(seed: int) -> None:
    gray, geometry = photo(seed, 1.0)
    page = FormIndex([blank()], Settings()).identify_page(gray)
    assert not isinstance(page, UnreadablePage)
    assert off_mm(page.homography, geometry, blank()) < FAR_MM


@pytest.mark.parametrize("seed", STEEP)
def test_a_steep_photograph_of_a_form_that_is_not_registered_is_refused(seed: int) -> None:
    gray, _ = photo(seed, 1.0, "bao_lam_xa")
    height, width = gray.shape
    found = Reader([blank().form]).read(PageImage(gray, 1, (width, height), ""))
    assert isinstance(found, UnreadablePage)
    assert found.reason is Reason.UNKNOWN_FORM
