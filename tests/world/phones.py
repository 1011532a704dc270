"""Photographs of a sheet on a table, taken with a telephone."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from tests.world.canvas import Picture, Plane, Points, add_noise, chance, scale_light, soft_field
from tests.world.geometry import Bend, Geometry, Matrix

PHONE_EFFECTS = ("tilt", "turn", "bulge", "shadow", "dim", "blur", "shake", "noise")
"""What befalls a photograph; each has a strength 0..1."""

_DISTANCE = 1.9
"""From the camera to the sheet, in heights of the sheet."""
_MARGIN = 0.06
"""Of the picture, around the sheet."""


def hold_camera(
    sheet_mm: tuple[float, float], long_side_px: int, strengths: dict[str, float], seed: int
) -> Geometry:
    """How a sheet lies on a photograph: tilted by up to 30 degrees, turned, and a little bent."""
    rng = chance(seed, "tilt")
    tilt = np.deg2rad(30 * strengths.get("tilt", 0.0))
    towards = rng.uniform(0, 2 * np.pi)
    roll = np.deg2rad(strengths.get("turn", 0.0) * 12 * rng.choice([-1, 1]))
    wide, high = sheet_mm
    matrix = _look(sheet_mm, tilt * np.cos(towards), tilt * np.sin(towards), roll)
    corners: Points = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float64)
    seen = np.hstack([corners, np.ones((4, 1))]) @ matrix.T
    seen = seen[:, :2] / seen[:, 2:]
    low, high_ = seen.min(axis=0), seen.max(axis=0)
    height = long_side_px
    width = round(long_side_px * 3 / 4)
    room = 1 - 2 * _MARGIN
    zoom = min(width * room / (high_[0] - low[0]), height * room / (high_[1] - low[1]))
    middle = (low + high_) / 2
    shift = np.array([width, height]) * (0.5 + rng.uniform(-0.02, 0.02, 2)) - zoom * middle
    fit = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]], [0, 0, 1.0]])
    return Geometry(fit @ matrix, (width, height), sheet_mm, _bulge(strengths, seed))


def _look(sheet_mm: tuple[float, float], pitch: float, yaw: float, roll: float) -> Matrix:
    """The sheet's plane as a camera sees it that looks at its middle."""
    wide, high = sheet_mm
    cx, sx, cy, sy = np.cos(pitch), np.sin(pitch), np.cos(yaw), np.sin(yaw)
    cr, sr = np.cos(roll), np.sin(roll)
    turned = (
        np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
        @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        @ np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    )
    far = _DISTANCE * high
    from_middle = np.array([[1, 0, -wide / 2], [0, 1, -high / 2], [0, 0, 1.0]])
    plane = np.column_stack([turned[:, 0], turned[:, 1], [0, 0, far]])
    return np.asarray(np.diag([far, far, 1.0]) @ plane @ from_middle)


def _bulge(strengths: dict[str, float], seed: int) -> Bend:
    """A sheet that does not lie quite flat on the table."""
    strength = strengths.get("bulge", 0.0)
    rng = chance(seed, "bulge")
    down = np.linspace(0, 1, 40)
    lag = np.zeros((40, 2))
    lag[:, 0] = np.sin(down * np.pi * rng.uniform(1, 2) + rng.uniform(0, 6)) * 1.6 * strength
    lag[:, 1] = np.sin(down * np.pi * rng.uniform(1, 2) + rng.uniform(0, 6)) * 1.6 * strength
    return Bend(lag)


def photograph(
    picture: Picture,
    px_per_mm: float,
    geometry: Geometry,
    strengths: dict[str, float],
    seed: int,
) -> Picture:
    """The sheet on its table, as the telephone saves it before compression."""
    table = table_top(geometry.size, chance(seed, "table"), colour=picture.ndim == 3)
    seen = geometry.warp(picture, px_per_mm, table)
    seen = _daylight(seen, strengths.get("dim", 0.0), chance(seed, "dim"))
    if "shadow" in strengths:
        seen = scale_light(seen, _shadow(strengths["shadow"], chance(seed, "shadow")))
    seen = _unsharp(seen, strengths, chance(seed, "shake"))
    return add_noise(seen, 1.2 + 7 * strengths.get("noise", 0.0), chance(seed, "noise"))


def table_top(size: tuple[int, int], rng: Generator, *, colour: bool) -> Picture:
    """Wood, cloth or stone, in grey or in colour, of (width, height) pixels."""
    width, height = size
    small = (max(height // 4, 8), max(width // 4, 8))
    level = rng.uniform(40, 190)
    kind = rng.integers(3)
    if kind == 0:
        along = soft_field(small, (4, 60), rng) + 0.5 * soft_field(small, (3, 160), rng)
        pattern = along * 26
    elif kind == 1:
        weave = (
            np.sin(np.arange(small[1]) * 1.9)[None, :] + np.sin(np.arange(small[0]) * 1.9)[:, None]
        )
        pattern = weave.astype(np.float32) * 7
    else:
        pattern = soft_field(small, (60, 45), rng) * 22
    pattern = pattern + soft_field(small, (4, 4), rng) * 14
    top = np.clip(level + pattern, 0, 255).astype(np.uint8)
    top = cv2.resize(top, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    if not colour:
        return top
    warm = (np.array([0.55, 0.75, 0.95]), np.array([0.85, 0.9, 0.95]), np.array([0.9, 0.8, 0.7]))
    tint = warm[int(rng.integers(3))]
    return np.dstack([(top * share).astype(np.uint8) for share in tint])


def _daylight(seen: Picture, strength: float, rng: Generator) -> Picture:
    """A lamp or window to one side, and a lens darker towards its corners."""
    y, x = np.mgrid[-1:1:24j, -1:1:18j].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    slope = (x * np.cos(angle) + y * np.sin(angle)) * (0.06 + 0.30 * strength)
    corners = (x**2 + y**2) * (0.03 + 0.09 * strength)
    level = rng.uniform(0.90, 0.98) - 0.25 * strength
    return scale_light(seen, np.asarray(level - slope - corners, np.float32))


def _shadow(strength: float, rng: Generator) -> Plane:
    """The light left where a hand, a head or the telephone stands in it."""
    field_ = np.zeros((96, 72), np.float32)
    edge = rng.integers(4)
    middle = np.array([(0, 48), (72, 48), (36, 0), (36, 96)][edge]) + rng.normal(0, 12, 2)
    count = 9
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    radius = rng.uniform(18, 46) * rng.uniform(0.75, 1.25, count)
    outline = middle + np.stack([np.cos(angles), np.sin(angles)], axis=1) * radius[:, None]
    cv2.fillPoly(field_, [np.rint(outline).astype(np.int32)], 1.0)
    soft = cv2.GaussianBlur(field_, (0, 0), float(rng.uniform(1.0, 5.0)))
    return np.asarray(1 - soft * (0.12 + 0.43 * strength), np.float32)


def _unsharp(seen: Picture, strengths: dict[str, float], rng: Generator) -> Picture:
    """Out of focus, and shaken while the shutter was open."""
    fine = max(seen.shape[:2]) / 3000
    deviation = (0.5 + 1.9 * strengths.get("blur", 0.0)) * fine
    seen = cv2.GaussianBlur(seen, (0, 0), deviation).astype(np.uint8, copy=False)
    if "shake" not in strengths:
        return seen
    length = (1.5 + 6.0 * strengths["shake"]) * fine
    kernel = _path(length, rng.uniform(0, np.pi))
    return cv2.filter2D(seen, -1, kernel).astype(np.uint8, copy=False)


def _path(length_px: float, angle: float) -> Plane:
    """How long the picture stood at each pixel while the hand went straight on."""
    side = 2 * int(length_px / 2 + 1) + 1
    kernel = np.zeros((side + 1, side + 1), np.float32)
    steps = np.linspace(-0.5, 0.5, 33) * length_px
    x, y = steps * np.cos(angle) + side // 2, steps * np.sin(angle) + side // 2
    column, row = np.floor(x).astype(int), np.floor(y).astype(int)
    for dx, dy in ((0, 0), (0, 1), (1, 0), (1, 1)):
        share = np.abs(1 - dx - (x - column)) * np.abs(1 - dy - (y - row))
        np.add.at(kernel, (row + dy, column + dx), share)
    return np.asarray(kernel[:side, :side] / kernel[:side, :side].sum(), np.float32)
