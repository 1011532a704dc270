"""Marks as large as the cell of a table in which they are made, or larger."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from scanner.geometry import Box
from tests.world.canvas import Points
from tests.world.pens import smooth


def fill_with_cross(cell: Box, strength: float, rng: Generator) -> list[Points]:
    """A cross from corner to corner, as :func:`_room` has it."""
    room = _room(cell, strength, rng)
    sides = np.array([room.w, room.h])
    strokes = []
    for slope in (1, -1):
        along = sides * (0.5, 0.5 * slope) * rng.uniform(0.9, 1.05)
        centre = np.array(room.center) + rng.normal(0, 0.03, 2) * sides
        points = [centre - along, centre + rng.normal(0, 0.04, 2) * sides, centre + along]
        strokes.append(smooth(points if rng.random() < 0.5 else points[::-1]))
    return strokes


def fill_with_tick(cell: Box, strength: float, rng: Generator) -> list[Points]:
    """A tick that turns at the foot and ends in the upper right corner."""
    room = _room(cell, strength, rng)
    sides = np.array([room.w, room.h])
    turn = np.array([room.center[0] - rng.uniform(0.1, 0.25) * room.w, room.bottom])
    start = np.array([room.x, room.center[1] + rng.uniform(-0.1, 0.2) * room.h])
    end = np.array([room.right, room.y])
    middle = (turn + end) / 2 + rng.normal(0, 0.05, 2) * sides
    down, up = smooth([start, (start + turn) / 2, turn]), smooth([turn, middle, end])
    return [np.vstack([down, up[1:]])]


def _room(cell: Box, strength: float, rng: Generator) -> Box:
    """Three quarters as high as the cell, half as high again at strength 1, and off its middle."""
    size = 0.75 + 0.75 * strength
    # Some make it as wide as the cell, others only as high.
    width = cell.w if rng.random() < 0.4 else min(cell.w, cell.h * rng.uniform(0.9, 1.3))
    x, y = np.array(cell.center) + rng.uniform(-0.2, 0.2, 2) * strength * (cell.w, cell.h)
    half_w, half_h = size * width / 2, size * cell.h / 2
    return Box(float(x) - half_w, float(y) - half_h, 2 * half_w, 2 * half_h)
