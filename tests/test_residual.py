"""The residual of a target bounds how far it lies from where it was measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.alignment import FAR_MM, Placed, main, place_known, row
from scanner.forms.catalog import list_forms
from scanner.reading.interpret import Reader
from scanner.reading.residual import bound_residuals

FORMS = Path(__file__).parents[1] / "form_templates"
TARGETS = 1000
REACH = 8
COUNT = 12
PLACES = np.stack([np.full(COUNT, 50.0), 40.0 * np.arange(COUNT)], axis=1)
SPREAD_PX = 0.3
RASTER_PX = 0.5**0.5 + 0.5
"""What is left where page and outline agree on a pixel."""


def peaks(
    shifts: NDArray[np.floating], widths: tuple[float, float] = (1.0, 1.0)
) -> NDArray[np.float64]:
    """Correlations that fall off on all sides of each shift, by so many pixels."""
    steps = np.arange(-REACH, REACH + 1)
    x = (steps - shifts[:, :1]) / widths[0]
    y = (steps - shifts[:, 1:]) / widths[1]
    return np.asarray(0.95 * np.exp(-0.5 * (x[:, None, :] ** 2 + y[:, :, None] ** 2)))


def bound(
    shifts: NDArray[np.floating],
    scores: NDArray[np.float64] | None = None,
    *,
    lost: tuple[int, ...] = (),
    spread_px: float = SPREAD_PX,
) -> NDArray[np.float64]:
    is_found = np.ones(COUNT, bool)
    is_found[list(lost)] = False
    found = peaks(shifts) if scores is None else scores
    return bound_residuals(found, shifts, is_found, PLACES, spread_px)


def still() -> NDArray[np.float64]:
    return np.zeros((COUNT, 2))


def test_where_page_and_outline_agree_only_the_raster_is_left() -> None:
    assert bound(still()) == pytest.approx(RASTER_PX * np.ones(COUNT))


def test_where_all_outlines_lie_off_alike_the_page_is_off_and_no_target_is_doubted() -> None:
    assert bound(still() + np.array([4, -3])) == pytest.approx(RASTER_PX * np.ones(COUNT))


def test_an_outline_that_contradicts_its_neighbours_is_as_doubtful_as_it_is_far() -> None:
    shifts = still()
    shifts[5] = 6, 0
    found = bound(shifts)
    assert found[5] >= 6
    assert np.delete(found, 5).max() < 2


def test_a_line_alone_says_nothing_of_where_along_it_the_target_is() -> None:
    along = peaks(still(), (50.0, 0.5))
    assert bound(still(), along).min() >= 2
    assert bound(still(), along, spread_px=1.5).min() > bound(still(), along).max()


def test_where_the_outline_is_not_found_only_the_page_tells() -> None:
    found = bound(still(), lost=(4,))
    assert found[4] > 2 * SPREAD_PX + found[3]
    looser = bound(still(), lost=(4,), spread_px=1.0)
    assert looser[4] == pytest.approx(found[4] + 3 * 0.7)


def test_without_a_field_and_without_neighbours_nothing_is_known() -> None:
    lost = tuple(range(COUNT))
    assert bound(still(), lost=lost, spread_px=float("inf")).min() >= REACH


def test_a_page_without_targets_has_no_residuals() -> None:
    empty = np.empty((0, 2))
    scores = np.empty((0, 2 * REACH + 1, 2 * REACH + 1))
    assert bound_residuals(scores, empty, np.empty(0, bool), empty, 0.1).shape == (0,)


@pytest.fixture(scope="module")
def placed() -> list[Placed]:
    """Sheets turned, resized, stretched, curled, folded, streaked and marked over outlines."""
    forms = list_forms(FORMS)
    return list(place_known(forms, Reader(forms), range(70, 1070), TARGETS))


def test_the_residual_bounds_the_true_one_in_999_of_1000_targets(placed: list[Placed]) -> None:
    assert all(sheet.status == "read" for sheet in placed)
    errors = np.concatenate([sheet.errors_mm for sheet in placed])
    residuals = np.concatenate([sheet.residuals_mm for sheet in placed])
    assert len(errors) >= TARGETS
    assert (errors > residuals).sum() <= 0.001 * len(errors)
    assert np.median(residuals) < 0.5, "a bound that is always large says nothing"


def test_no_target_is_misplaced_without_a_reason(placed: list[Placed]) -> None:
    for sheet in placed:
        assert not ((sheet.errors_mm > FAR_MM) & ~sheet.has_reason).any(), sheet.name


def test_a_row_counts_what_lies_outside_and_what_is_far_without_a_reason() -> None:
    sheet = Placed(
        "a sheet",
        "a group",
        "read",
        np.array([0.1, 0.3, 1.2, 1.3]),
        np.array([0.2, 0.2, 1.4, 1.4]),
        np.array([False, False, True, False]),
    )
    cells = row("all", [sheet, Placed("another", "a group", "refused")])
    assert cells[:4] == ["all", 2, 1, 4]
    assert cells[-3:] == ["75.000", 2, 1]


def test_the_benchmark_runs_and_says_that_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--targets", "40", "--seed", "5"]) == 0
    assert "100.000" in capsys.readouterr().out
