"""The sheet of paper on which everything is drawn, and the textures that make it look real."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from functools import lru_cache

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from scanner.geometry import Box

Picture = NDArray[np.uint8]
"""Shape (h, w) or (h, w, 3) in OpenCV's order blue, green, red."""
Plane = NDArray[np.float32]
"""Shape (h, w)."""
Points = NDArray[np.float64]
"""Shape (n, 2), millimetres from the page's top left unless said otherwise."""
Colour = tuple[float, float, float]
"""Share of blue, green and red light that is thrown back, 0..1."""

BLACK_INK: Colour = (0.10, 0.09, 0.09)
_TILE_PX = 1024


def chance(seed: int, *names: str | int) -> Generator:
    """The random generator of one effect on one sheet, whatever else happens to that sheet."""
    parts = [zlib.crc32(str(name).encode()) for name in names]
    return np.random.default_rng([seed, *parts])


@dataclass(eq=False)
class Canvas:
    """One side of a sheet before it is scanned; drawing changes ``picture``."""

    picture: Picture
    dpi: float
    light: Colour = (0.114, 0.587, 0.299)
    """How much of blue, green and red a grey sensor sees."""
    blots: list[Box] = field(default_factory=list)
    """Where damage lies that looks like a mark or hides one, in millimetres."""

    @property
    def px_per_mm(self) -> float:
        """Pixels per millimetre."""
        return self.dpi / 25.4

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height in millimetres."""
        height, width = self.picture.shape[:2]
        return width / self.px_per_mm, height / self.px_per_mm

    @property
    def is_colour(self) -> bool:
        """Whether the scanner will see colours."""
        return self.picture.ndim == 3

    def lay(self, cover: Plane, left: int, top: int, colour: Colour = BLACK_INK) -> None:
        """Put ink on the paper; what lies beyond the edge is lost.

        Args:
            cover: Share of each pixel under ink, shape (h, w); below 0 the paper gets lighter.
            left: Column of the cover's first pixel.
            top: Row of the cover's first pixel.
            colour: Of the ink.
        """
        height, width = self.picture.shape[:2]
        x0, y0 = max(left, 0), max(top, 0)
        x1, y1 = min(left + cover.shape[1], width), min(top + cover.shape[0], height)
        if x0 >= x1 or y0 >= y1:
            return
        part = cover[y0 - top : y1 - top, x0 - left : x1 - left]
        below = self.picture[y0:y1, x0:x1]
        lost = 1 - np.array(colour, np.float32)
        if self.is_colour:
            light = part[:, :, None] * -lost
        else:
            light = part * -np.float32(lost @ np.array(self.light, np.float32))
        # In place: a page of floating numbers takes longer to get from the system than to fill.
        light += 1
        light *= below
        light += 0.5
        self.picture[y0:y1, x0:x1] = np.clip(light, 0, 255, out=light).astype(np.uint8)

    def window(self, box: Box) -> tuple[int, int, int, int]:
        """Left, top, width, height in pixels of a box in millimetres."""
        scale = self.px_per_mm
        left, top = int(np.floor(box.x * scale)), int(np.floor(box.y * scale))
        return left, top, max(int(box.w * scale) + 2, 1), max(int(box.h * scale) + 2, 1)


@lru_cache(maxsize=8)
def tooth(dpi: int) -> Plane:
    """How far each spot of the paper lies below its highest, 0..1, evenly spread; a square tile.

    Fibres are some 0.05 to 0.15 mm wide, and pencil catches on the high ones.
    """
    rng = chance(1, "tooth", dpi)
    noise = rng.standard_normal((_TILE_PX, _TILE_PX), dtype=np.float32)
    fine = cv2.GaussianBlur(noise, (0, 0), max(0.045 * dpi / 25.4, 0.3))
    wide = cv2.GaussianBlur(noise, (0, 0), max(0.16 * dpi / 25.4, 0.8))
    mixed = fine / fine.std() + 0.3 * wide / wide.std()
    order = np.argsort(mixed, axis=None)
    rank = np.empty(order.size, np.float32)
    rank[order] = np.linspace(0, 1, order.size, dtype=np.float32)
    return rank.reshape(mixed.shape)


def cut_tile(tile: Plane, shape: tuple[int, ...], rng: Generator) -> Plane:
    """A random piece of a tile, which goes on as often as needed."""
    height, width = shape[:2]
    rows = (np.arange(height) + int(rng.integers(tile.shape[0]))) % tile.shape[0]
    columns = (np.arange(width) + int(rng.integers(tile.shape[1]))) % tile.shape[1]
    return tile[np.ix_(rows, columns)]


@lru_cache(maxsize=1)
def _noise_tile() -> Plane:
    """Sensor noise of standard deviation 1: mostly of single pixels, a little of their rows."""
    rng = chance(1, "noise")
    noise = rng.standard_normal((_TILE_PX, _TILE_PX), dtype=np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 0.8)
    rows = rng.standard_normal((_TILE_PX, 1), dtype=np.float32)
    mixed = 0.75 * noise + 0.6 * soft / soft.std() + 0.2 * rows
    return np.asarray(mixed / mixed.std(), np.float32)


@lru_cache(maxsize=4)
def _noise_steps(deviation: float) -> NDArray[np.int16]:
    """The tile of noise in whole grey levels."""
    return (_noise_tile() * deviation).round().astype(np.int16)


def add_noise(picture: Picture, deviation: float, rng: Generator) -> Picture:
    """The picture with a sensor's noise of a standard deviation in grey levels."""
    if deviation < 0.05:
        return picture
    tile = np.roll(
        _noise_steps(deviation), tuple(rng.integers(_TILE_PX, size=2).tolist()), axis=(0, 1)
    )
    noisy = np.empty_like(picture)
    for y in range(0, picture.shape[0], _TILE_PX):
        for x in range(0, picture.shape[1], _TILE_PX):
            part = picture[y : y + _TILE_PX, x : x + _TILE_PX]
            grain = tile[: part.shape[0], : part.shape[1]]
            if part.ndim == 3:
                grain = np.dstack([grain, np.roll(grain, 37, axis=1), np.roll(grain, 91, axis=0)])
            noisy[y : y + _TILE_PX, x : x + _TILE_PX] = cv2.add(part, grain, dtype=cv2.CV_8U)
    return noisy


def soft_field(shape: tuple[int, int], nodes: tuple[int, int], rng: Generator) -> Plane:
    """A smooth field over (h, w), about -1..1, with so many hills down and across."""
    small = rng.standard_normal((nodes[0] + 2, nodes[1] + 2), dtype=np.float32) * 0.5
    return np.asarray(cv2.resize(small, shape[::-1], interpolation=cv2.INTER_CUBIC), np.float32)


def scale_light(picture: Picture, field_: Plane) -> Picture:
    """The picture under uneven light: each pixel times a share that is given coarsely.

    Args:
        picture: Shape (h, w) or (h, w, 3).
        field_: Share of the light at the middles of coarse squares, any small shape.
    """
    height, width = picture.shape[:2]
    codes = np.clip(field_ * 128, 0, 255).astype(np.uint8)
    wide = cv2.resize(codes, (width, height), interpolation=cv2.INTER_LINEAR)
    if picture.ndim == 3:
        wide = cv2.merge([wide, wide, wide])
    return cv2.multiply(picture, wide, scale=1 / 128).astype(np.uint8, copy=False)
