"""Many small pictures as one: a screen of a hundred crops is asked for at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import simplejpeg

from scanner.forms.template import Option
from scanner.publishing.cutting import OUTSIDE_GRAY, Picture

COLUMNS = 10
JPEG_QUALITY = 80


@dataclass(frozen=True, slots=True)
class Grid:
    """How the pictures lie: row by row in cells of one size, in pixels."""

    width: int
    height: int

    def place(self, number: int) -> tuple[int, int]:
        """Where the cell of that number, from 0, has its left upper corner."""
        return number % COLUMNS * self.width, number // COLUMNS * self.height

    def size(self, number: int) -> tuple[int, int]:
        """Width and height of so many cells."""
        return COLUMNS * self.width, math.ceil(number / COLUMNS) * self.height


def grid_for(options: Sequence[Option], margin_mm: float, height_px: int) -> Grid:
    """A grid in whose cells each of some targets fits, drawn as high as is asked for.

    Args:
        options: The targets; one at least.
        margin_mm: What is shown around each.
        height_px: How high each is drawn.
    """
    boxes = [option.box.grown(margin_mm) for option in options]
    return Grid(max(round(height_px * box.w / box.h) for box in boxes), height_px)


def draw_sprite(pictures: Sequence[Picture | None], grid: Grid) -> bytes:
    """The pictures in their cells, each in the middle of its own, as a JPEG.

    Args:
        pictures: In order; the cell of None stays empty.
        grid: The cells.
    """
    width, height = grid.size(len(pictures))
    canvas = np.full((height, width), OUTSIDE_GRAY, np.uint8)
    for number, picture in enumerate(pictures):
        if picture is not None:
            gray = simplejpeg.decode_jpeg(picture.jpeg, colorspace="GRAY")[:, :, 0]
            gray = gray[: grid.height, : grid.width]
            x, y = grid.place(number)
            x += (grid.width - gray.shape[1]) // 2
            y += (grid.height - gray.shape[0]) // 2
            canvas[y : y + gray.shape[0], x : x + gray.shape[1]] = gray
    return bytes(
        simplejpeg.encode_jpeg(
            canvas[:, :, np.newaxis],
            quality=JPEG_QUALITY,
            colorspace="GRAY",
            colorsubsampling="Gray",
        )
    )
