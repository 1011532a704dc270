"""Pages that a machine refuses until somebody helps, and a count with some of them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.counting.intake import scan
from scanner.counting.records import BatchRequest
from scanner.forms.template import Form
from tests.synthetic import (
    Design,
    Gray,
    draw_small_form,
    foreign_page,
    mark,
    photo_of_a_cat,
    scan_like,
    write_scan_pdf,
)

Corners = NDArray[np.float64]
"""Shape (4, 2), clockwise from the page's upper left."""

TABLE = (2200, 1900)
FAR_AWAY: Corners = np.array([[1456, 1112], [2016, 1144], [2080, 1800], [1408, 1760]], np.float64)
"""A page in a corner of a large photograph, taken from the side."""
CUT_OFF: Corners = FAR_AWAY + np.array([60.0, 240.0])
"""The same, its lower edge beyond the picture."""
STEEP: Corners = FAR_AWAY + np.array([[100, 50], [-50, 0], [60, 40], [-100, 0]], np.float64)
"""From further aside."""


def on_table(
    page: Gray,
    corners: Corners,
    size: tuple[int, int] = TABLE,
    *,
    contrast: float = 1.0,
    noise: float = 3.0,
) -> Gray:
    """A page as it is photographed on a rough table, where no machine finds it.

    Args:
        page: The page.
        corners: Where its corners come to lie.
        size: (width, height) of the photograph.
        contrast: How much of its darkness is left of the print, 0..1.
        noise: Deviation of each pixel, in grey levels.
    """
    height, width = page.shape
    rng = np.random.default_rng(7)
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    way = cv2.getPerspectiveTransform(flat, corners.astype(np.float32))
    faint = (0.92 * (255 - (255 - page.astype(np.float32)) * contrast)).astype(np.float32)
    there = cv2.warpPerspective(np.ones_like(faint), way, size)
    seen = cv2.warpPerspective(faint, way, size)
    table = cv2.GaussianBlur(rng.normal(120, 360, size[::-1]).astype(np.float32), (0, 0), 2.0)
    photo = seen * there + table * (1 - there)
    return np.clip(photo + rng.normal(0, noise, photo.shape), 0, 255).astype(np.uint8)


def roughly(corners: Corners, scan: Gray, by_px: float = 8.0) -> list[tuple[float, float]]:
    """Corners as a person gives them: some pixels off, as shares of the scan."""
    height, width = scan.shape
    off = by_px * np.array([[0.6, -0.8], [-0.9, 0.4], [0.7, 0.7], [-0.5, 0.9]])
    return [(float(x / width), float(y / height)) for x, y in corners + off]


CHOICES = {f"q{number}": [f"o{1 + number % 3}"] for number in range(1, 9)}


def draw_forms(folder: Path) -> tuple[Form, Form]:
    """A form of two pages and one of a single page."""
    two = Design("OPINION OF THE WARD", pages=2, questions=4, seed=2)
    one = Design("SURVEY OF THE MARKET", questions=6, seed=5)
    return draw_small_form(folder, "ward", two), draw_small_form(folder, "market", one)


def scan_loose(folder: Path) -> Path:
    """A count with sheets to be put right, in the order of the scan.

    Sheet 1 is whole; 2 is a front whose back, 3, is far away on a photograph; 4 is a cat, 5 a
    foreign page, 6 a good page of the other form, 7 a file that cannot be opened.

    Returns:
        The folder of the count.
    """
    two, one = draw_forms(folder / "forms")
    sides = ((1, 11), (2, 12), (1, 13))
    pages = [scan_like(mark(two, CHOICES, number=n, seed=seed), seed=seed) for n, seed in sides]
    pages.append(on_table(mark(two, CHOICES, number=2, seed=14), FAR_AWAY))
    pages += [photo_of_a_cat(), foreign_page(), scan_like(mark(one, CHOICES, seed=4), seed=4)]
    files = [write_scan_pdf(folder / "scan.pdf", pages), folder / "broken.pdf"]
    files[1].write_bytes(b"no pdf at all")
    request = BatchRequest(files=tuple(map(str, files)), forms=(two.id, one.id))
    scan(folder / "count", request, folder / "forms")
    return folder / "count"
