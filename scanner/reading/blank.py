"""A page of a registered form, made ready for comparing scans with it.

Everything that depends only on the blank is worked out once: its ink, its features, the patches
of print by which a scan is aligned. The places measured at each target are in ``places``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.errors import FormError
from scanner.forms.template import TEXT_SHAPES, Contest, Form, Option, Page
from scanner.geometry import MM_PER_INCH, Box
from scanner.reading.codes import find_code_box
from scanner.reading.features import RECIPE, Features, find_features
from scanner.reading.ink import darkness_of_blank
from scanner.reading.small import SMALL_RECIPE, Halves, SmallPicture, make_small

Arrays = dict[str, NDArray[Any]]

PATCH_MM = 7.0
PATCH_COUNT = 64
PATCH_BLUR_PX = 0.8
_WEAKEST_PATCH = 0.08
"""Share of the strongest patch's corners below which a place has too little print to find."""
_TONE_PIXELS = 1500
_MIN_TARGET_PX = 14.0
_DPI_BETWEEN_LETTERS = 225.0
"""Where names are struck out: a stroke is seen on the paper between their letters."""
_MAX_WORKING_DPI = 300.0


@dataclass(frozen=True, slots=True)
class Patch:
    """A piece of the blank's print that is looked for on the scan."""

    x: int
    y: int
    """Top left corner on the half-size blank, in pixels."""
    picture: NDArray[np.uint8]
    """The half-size blank there, slightly blurred."""


class BlankPage:
    """One page of a form at working resolution.

    Args:
        form: The registered form.
        page: One of its pages.
        working_dpi: Resolution wanted; raised where a target would have too few pixels.
        cache: A folder to keep the features in; None works them out again.

    Raises:
        FormError: The blank cannot be read.
    """

    def __init__(
        self, form: Form, page: Page, working_dpi: float, cache: Path | None = None
    ) -> None:
        self.form = form
        self.page = page
        self._cache = cache
        self.targets: list[tuple[Contest, Option]] = form.targets_on(page.number)
        self.dpi = self._resolution(working_dpi)
        self.width_px = round(page.width_mm * self.px_per_mm)
        self.height_px = round(page.height_mm * self.px_per_mm)

    def _resolution(self, working_dpi: float) -> float:
        sides = [min(option.w, option.h) for _, option in self.targets]
        if not sides:
            return working_dpi
        if any(option.shape in TEXT_SHAPES for _, option in self.targets):
            working_dpi = max(working_dpi, _DPI_BETWEEN_LETTERS)
        needed = _MIN_TARGET_PX * MM_PER_INCH / min(sides)
        return float(min(max(working_dpi, needed), _MAX_WORKING_DPI))

    @property
    def key(self) -> tuple[str, int]:
        """Form id and page number."""
        return self.form.id, self.page.number

    @property
    def px_per_mm(self) -> float:
        """Pixels of the working picture in one millimetre of paper."""
        return self.dpi / MM_PER_INCH

    def read_original(self) -> NDArray[np.uint8]:
        """The blank as it was registered, grey; not kept, since it is the largest of all."""
        path = self.form.blank_path(self.page)
        encoded = np.frombuffer(path.read_bytes(), np.uint8)
        gray = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE) if encoded.size else None
        if gray is None:
            raise FormError("This blank cannot be read.", remedy="Import it again.", path=path)
        return gray.astype(np.uint8, copy=False)

    @cached_property
    def gray(self) -> NDArray[np.uint8]:
        """The blank at working resolution, shape (height_px, width_px)."""
        size, original = (self.width_px, self.height_px), self.read_original()
        method = cv2.INTER_AREA if original.shape[0] > self.height_px else cv2.INTER_CUBIC
        return cv2.resize(original, size, interpolation=method).astype(np.uint8, copy=False)

    @cached_property
    def darkness(self) -> NDArray[np.uint8]:
        """Ink of the blank: 0 paper .. 255 solid print, shape (height_px, width_px)."""
        return darkness_of_blank(self.gray)

    @cached_property
    def features(self) -> Features:
        """Features of the blank, in pixels of the working picture; kept in the cache folder."""
        kept = self._keep(RECIPE, self._find_features)
        return Features(kept["points"], kept["descriptors"])

    @cached_property
    def small(self) -> SmallPicture:
        """The blank made small, for a first glance; kept in the cache folder."""
        kept = self._keep(SMALL_RECIPE, self._make_small)
        return SmallPicture(kept["picture"], kept["scale"])

    def _keep(self, recipe: str, make: Callable[[], Arrays]) -> Arrays:
        """What is worked out from the blank once and kept in the cache folder, if there is one."""
        if self._cache is None:
            return make()
        name = f"{self.form.content_hash[:24]}-{self.page.number}-{self.dpi:.0f}-{recipe}.npz"
        kept = self._cache / name
        if kept.is_file():
            with np.load(kept, allow_pickle=False) as arrays:
                return dict(arrays)
        made = make()
        kept.parent.mkdir(parents=True, exist_ok=True)
        # Under a name of its own first: several processes may come here at once.
        draft = kept.with_suffix(f".{os.getpid()}.npz")
        np.savez(draft, allow_pickle=False, **made)
        draft.replace(kept)
        return made

    def _make_small(self) -> Arrays:
        small = make_small(Halves(self.gray))
        return {"picture": small.picture, "scale": small.scale}

    def _find_features(self) -> Arrays:
        original = self.read_original()
        found = find_features(original)
        height, width = original.shape
        scale = np.array([self.width_px / width, self.height_px / height], np.float32)
        points = (found.points + 0.5) * scale - 0.5
        return {"points": points, "descriptors": found.descriptors}

    @cached_property
    def half(self) -> NDArray[np.uint8]:
        """The blank at half the working resolution."""
        size = (self.width_px // 2, self.height_px // 2)
        return cv2.resize(self.gray, size, interpolation=cv2.INTER_AREA).astype(
            np.uint8, copy=False
        )

    @cached_property
    def patches(self) -> list[Patch]:
        """Pieces of print that lie evenly over the page and look like nothing next to them."""
        half = self.half
        side = round(PATCH_MM * self.px_per_mm / 2)
        step = max(round((half.size / (2 * PATCH_COUNT)) ** 0.5), side)
        # A piece can be placed in both directions only where it has corners, not only a line.
        corners = cv2.cornerMinEigenVal(cv2.GaussianBlur(half, (0, 0), 1.0), 5)
        corners = np.minimum(corners, float(np.percentile(corners, 99.5)) + 1e-12)
        strength = cv2.boxFilter(corners, -1, (side, side), normalize=True)
        reach = side // 2
        inner = strength[reach : -reach - 1, reach : -reach - 1]
        soft = cv2.GaussianBlur(half, (5, 5), PATCH_BLUR_PX).astype(np.uint8, copy=False)
        found: list[tuple[float, Patch]] = []
        for top in range(0, inner.shape[0], step):
            for left in range(0, inner.shape[1], step):
                cell = inner[top : top + step, left : left + step]
                y, x = (int(value) for value in np.unravel_index(int(np.argmax(cell)), cell.shape))
                strong, y, x = float(cell[y, x]), top + y, left + x
                found.append((strong, Patch(x, y, soft[y : y + side, x : x + side])))
        found.sort(key=lambda pair: -pair[0])
        floor = _WEAKEST_PATCH * found[0][0] if found else 0.0
        return [patch for strong, patch in found[:PATCH_COUNT] if strong > floor]

    @cached_property
    def code_box(self) -> Box | None:
        """Where the page's QR code is printed, in working pixels; None where it has none."""
        return find_code_box(self.gray) if self.page.code else None

    @cached_property
    def print_points(self) -> NDArray[np.float64]:
        """Some working pixels, shape (n, 2), of solid print: enough to judge a tone."""
        size = (self.half.shape[1], self.half.shape[0])
        solid = cv2.resize(self.darkness, size, interpolation=cv2.INTER_AREA) > 200
        y, x = np.nonzero(solid)
        step = max(len(x) // _TONE_PIXELS, 1)
        return np.asarray(2 * np.stack([x, y], axis=1)[::step] + 0.5, np.float64)

    @cached_property
    def target_boxes(self) -> list[Box]:
        """The outline of each target in pixels of the working picture."""
        return [option.box.scaled(self.px_per_mm, self.px_per_mm) for _, option in self.targets]
