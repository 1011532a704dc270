"""How well a page was scanned: what went wrong at the scanner shows on each page a little.

Nothing here decides anything: what is usual in a batch and what is not is told from the pages of
the whole batch (:mod:`scanner.counting.scan_health`). Scale and skew are in the transform that a
reading has anyway.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from scanner.reading.align import AlignedPage, nodes_over
from scanner.reading.blank import BlankPage
from scanner.reading.evidence import Evidence
from scanner.reading.ink import Tone
from scanner.reading.spots import Spots

_COLUMNS, _ROWS = 8, 16
_INNER = (0.06, 0.94)
"""Share of the page on which paper is judged: at its very edge lies the scanner's own."""
_ALONG_EDGE = (0.25, 0.5, 0.75)
_PRINT_POINTS = 300
_PROBES = 16
_BORDER_MM = 3.0
"""So near the edge of a scan a line is the shadow of the paper's edge."""


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """Where a page is looked at, in working pixels, in one array."""

    points: Spots
    edges: slice
    """Along its left edge, its upper, right and lower one."""
    print_: slice
    """Solid print."""
    grid: slice
    """Rows and columns all over it."""


def describe_condition(
    aligned: AlignedPage, tone: Tone, streaks: NDArray[np.uint8] | None
) -> dict[str, float | str]:
    """The condition of a scanned page, under the names of :class:`Evidence`.

    Args:
        aligned: The page.
        tone: How bright paper and print are on it.
        streaks: Lines of dust, shape as ``aligned.small``, as
            :func:`scanner.reading.stray.find_streaks` gives them.
    """
    places = _find_places(aligned.blank)
    on_small = aligned.to_small(places.points)
    papers = tone.paper_at(on_small)
    edges = on_small[places.edges].reshape(4, -1, 2)
    across, down = _px_per_mm(aligned.blank, edges)
    measures = {
        **_image_size(aligned, across, down),
        **_edges(aligned, edges, (across + down) / 2),
        **_print(aligned, on_small[places.print_], (papers[places.print_] + tone.black) / 2),
        **_light(papers[places.grid].reshape(_ROWS, _COLUMNS)),
        Evidence.PRINT_LEVEL: tone.black,
    }
    rounded: dict[str, float | str] = {str(name): round(v, 3) for name, v in measures.items()}
    return rounded | _streaks(streaks, (across + down) / 2)


@lru_cache(maxsize=512)
def _find_places(blank: BlankPage) -> _Places:
    along = np.array(_ALONG_EDGE)
    none, full = np.zeros(len(along)), np.ones(len(along))
    ways = ((none, along), (along, none), (full, along), (along, full))
    edges = np.concatenate([np.stack(way, axis=1) for way in ways])
    u, v = np.meshgrid(np.linspace(*_INNER, _COLUMNS), np.linspace(*_INNER, _ROWS))
    grid = np.stack([u.ravel(), v.ravel()], axis=1)
    size = np.array([blank.width_px, blank.height_px], np.float64)
    print_ = blank.print_points[:: max(len(blank.print_points) // _PRINT_POINTS, 1)]
    first, second = len(edges), len(edges) + len(print_)
    points = Spots.of(np.concatenate([edges * size, print_, grid * size]), nodes_over(blank))
    return _Places(points, slice(first), slice(first, second), slice(second, None))


def _px_per_mm(blank: BlankPage, edges: NDArray[np.float64]) -> tuple[float, float]:
    """Pixels of ``small`` in a millimetre of the form, along its width and its height."""
    left, top, right, bottom = edges[:, len(_ALONG_EDGE) // 2]
    width, height = blank.width_px / blank.px_per_mm, blank.height_px / blank.px_per_mm
    return math.dist(left, right) / width, math.dist(top, bottom) / height


def _image_size(aligned: AlignedPage, across: float, down: float) -> dict[Evidence, float]:
    height, width = aligned.small.shape
    if abs(aligned.homography[1, 0]) > abs(aligned.homography[0, 0]):
        # The form lies on its side in the scan.
        height, width = width, height
    return {Evidence.IMAGE_WIDTH_MM: width / across, Evidence.IMAGE_HEIGHT_MM: height / down}


def _edges(
    aligned: AlignedPage, edges: NDArray[np.float64], px_per_mm: float
) -> dict[Evidence, float]:
    """How far each edge of the form's page lies beyond the scan."""
    limits = np.array(aligned.small.shape[::-1]) - 0.5
    out = np.maximum(-0.5 - edges, edges - limits).max(axis=(1, 2)) / px_per_mm
    names = (
        Evidence.BEYOND_LEFT_MM,
        Evidence.BEYOND_TOP_MM,
        Evidence.BEYOND_RIGHT_MM,
        Evidence.BEYOND_BOTTOM_MM,
    )
    return {name: max(float(mm), 0.0) for name, mm in zip(names, out, strict=True)}


def _print(
    aligned: AlignedPage, points: NDArray[np.float64], halfway: NDArray[np.float64]
) -> dict[Evidence, float]:
    """How much of the form's solid print is on the scan, and dark there."""
    height, width = aligned.small.shape
    x, y = np.rint(points).astype(int).T
    there = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    seen = int(np.count_nonzero(there))
    dark = int(np.count_nonzero(aligned.small[y[there], x[there]] < halfway[there]))
    return {
        Evidence.PRINT_OUTSIDE: 1.0 - seen / max(len(points), 1),
        Evidence.PRINT_FOUND: dark / max(seen, 1),
    }


def _light(levels: NDArray[np.float64]) -> dict[Evidence, float]:
    """How bright the paper is, and by how much that changes over the page."""
    down, across = levels.mean(axis=1), levels.mean(axis=0)
    return {
        Evidence.PAPER_LEVEL: float(np.sort(levels, axis=None)[levels.size // 2]),
        Evidence.PAPER_DARKEST: float(levels.min()),
        Evidence.DRIFT_ACROSS: float(across.max() - across.min()),
        Evidence.DRIFT_DOWN: float(down.max() - down.min()),
    }


def _streaks(streaks: NDArray[np.uint8] | None, px_per_mm: float) -> dict[str, float | str]:
    """Where lines of dust run, measured from the edges of the scan: there is the glass."""
    down = across = ""
    if streaks is not None:
        height, width = streaks.shape
        rows, columns = max(height // _PROBES, 1), max(width // _PROBES, 1)
        down = _middles(np.asarray(streaks[::rows].all(axis=0)), px_per_mm)
        across = _middles(np.asarray(streaks[:, ::columns].all(axis=1)), px_per_mm)
    return {Evidence.STREAKS_DOWN_MM.value: down, Evidence.STREAKS_ACROSS_MM.value: across}


def _middles(line: NDArray[np.bool_], px_per_mm: float) -> str:
    """The middle of each run of what is true, in millimetres; not at the edges of the scan."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], line, [False]]).astype(np.int8)))
    middles = edges.reshape(-1, 2).mean(axis=1) / px_per_mm
    length = len(line) / px_per_mm
    return " ".join(f"{mm:.1f}" for mm in middles if _BORDER_MM < mm < length - _BORDER_MM)
