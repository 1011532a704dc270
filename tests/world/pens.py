"""Pens and hands: what a stroke leaves on paper.

A stroke is a curve whose width and pressure follow the hand. Ink is deposited where the pressure
reaches down to the paper: little of it for a hard pencil, all of it for a felt pen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from scanner.geometry import Box
from tests.world.canvas import BLACK_INK, Canvas, Colour, Plane, Points, cut_tile, tooth

BLUE: Colour = (0.55, 0.22, 0.13)
DARK_BLUE: Colour = (0.38, 0.14, 0.10)
RED: Colour = (0.22, 0.16, 0.72)
GRAPHITE: Colour = (0.24, 0.23, 0.23)
YELLOW: Colour = (0.30, 0.97, 0.98)
PINK: Colour = (0.78, 0.45, 0.98)
GREEN: Colour = (0.45, 0.95, 0.55)

_STEP_MM = 0.18
_EVEN = 0.45


Curve = Points | Sequence[Sequence[float]] | Sequence[Points]
"""Points of a curve, shape (n, 2)."""


@dataclass(frozen=True, slots=True)
class Pen:
    """One kind of pen."""

    width_mm: tuple[float, float]
    cover: float
    """Share of the light that its full ink takes away, of what its colour can."""
    tooth: float
    """How much of the paper's depth the ink does not reach, 0..1."""
    skip: float
    """Share of a stroke in which the ink fails."""
    bleed_mm: float
    colours: tuple[Colour, ...]


PENS = {
    "ballpoint": Pen((0.32, 0.52), 0.93, 0.30, 0.04, 0.0, (BLUE, BLUE, DARK_BLUE, BLACK_INK, RED)),
    "gel": Pen((0.42, 0.68), 0.98, 0.06, 0.0, 0.02, (BLACK_INK, DARK_BLUE, BLUE)),
    "fountain": Pen((0.40, 0.75), 0.92, 0.05, 0.0, 0.04, (DARK_BLUE, BLACK_INK)),
    "soft pencil": Pen((0.50, 0.90), 0.85, 0.62, 0.0, 0.0, (GRAPHITE,)),
    "hard pencil": Pen((0.30, 0.50), 0.72, 0.95, 0.0, 0.0, (GRAPHITE,)),
    "dry ballpoint": Pen((0.28, 0.40), 0.85, 0.45, 0.30, 0.0, (BLUE, BLACK_INK)),
    "felt": Pen((0.9, 1.9), 0.97, 0.03, 0.0, 0.08, (BLACK_INK, DARK_BLUE, RED)),
    "highlighter": Pen((3.0, 4.5), 0.95, 0.05, 0.0, 0.06, (YELLOW, PINK, GREEN)),
}
ORDINARY_PENS = ("ballpoint", "gel", "fountain")


@dataclass(frozen=True, slots=True)
class Hand:
    """One voter with a pen."""

    name: str
    pen: Pen
    colour: Colour
    width_mm: float
    pressure: float
    """1 is an ordinary hand, 0.5 a light one, 1.4 a heavy one."""
    tremor: float
    """How much the hand shakes, 0..1."""


def take_pen(name: str, rng: Generator, *, strength: float | None = None) -> Hand:
    """A hand with a pen of that kind.

    Args:
        name: One of ``PENS``.
        rng: Where all chance comes from.
        strength: How unlike an ordinary, firm hand: 1 presses least and shakes most.
    """
    pen = PENS[name]
    wildness = float(rng.beta(1.5, 4)) if strength is None else strength
    return Hand(
        name=name,
        pen=pen,
        colour=pen.colours[int(rng.integers(len(pen.colours)))],
        width_mm=float(rng.uniform(*pen.width_mm)),
        pressure=float(rng.normal(1.05, 0.08)) - 0.5 * wildness,
        tremor=wildness * float(rng.uniform(0.3, 1.0)),
    )


def smooth(points: Curve, pieces: int = 10) -> Points:
    """A centripetal curve through points (Catmull and Rom, 1974), ``pieces`` between two."""
    path = np.asarray(points, np.float64)
    if len(path) < 3:
        t = np.linspace(0, 1, pieces * max(len(path) - 1, 1) + 1)
        return np.asarray(path[0] + t[:, None] * (path[-1] - path[0]))
    ends = np.vstack([2 * path[0] - path[1], path, 2 * path[-1] - path[-2]])
    t = np.linspace(0, 1, pieces, endpoint=False)[None, :, None]
    p0, p1, p2, p3 = (ends[i : len(ends) - 3 + i, None, :] for i in range(4))
    curve = 0.5 * (
        2 * p1
        + (p2 - p0) * t
        + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
        + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    )
    return np.asarray(np.vstack([curve.reshape(-1, 2), path[-1:]]))


def draw_strokes(canvas: Canvas, strokes: Sequence[Points], hand: Hand, rng: Generator) -> Box:
    """Draw curves, in millimetres, with a pen; the canvas is changed.

    Returns:
        The box around the ink, in millimetres.
    """
    paths = [_walk(stroke, hand, rng) for stroke in strokes]
    joined = np.vstack(paths)
    margin = hand.width_mm + 3 * hand.pen.bleed_mm + 0.3
    low, high = joined.min(axis=0) - margin, joined.max(axis=0) + margin
    around = Box(float(low[0]), float(low[1]), *(float(side) for side in high - low))
    left, top, width, height = canvas.window(around)
    depth: Plane = np.zeros((height, width), np.float32)
    for path in paths:
        line = _line(path, (left, top, width, height), canvas.px_per_mm, hand, rng)
        # Ink over ink is a little darker than either.
        darker = np.maximum(depth, line) + 0.25 * np.minimum(depth, line)
        depth = np.asarray(darker, np.float32)
    lay_depth(canvas, depth, (left, top), hand, rng)
    return around


def lay_depth(
    canvas: Canvas, depth: Plane, at: tuple[int, int], hand: Hand, rng: Generator
) -> None:
    """Put ink where the pen pressed so hard: 0 not at all, 1 as an ordinary hand does."""
    pen = hand.pen
    cover = depth
    if pen.bleed_mm:
        soft = cv2.GaussianBlur(cover, (0, 0), pen.bleed_mm * canvas.px_per_mm)
        cover = np.asarray(soft, np.float32)
    reach = cut_tile(tooth(round(canvas.dpi)), depth.shape, rng)
    softness = 0.12 + 0.35 * pen.tooth
    caught = np.clip((cover * (1 + softness) - pen.tooth * reach) / softness, 0, 1)
    # The finest fibres are smaller than a pixel: part of the grain is only a paler line.
    caught = (1 - _EVEN) * caught + _EVEN * np.clip(cover * (1 - 0.45 * pen.tooth), 0, 1)
    caught *= np.clip(cover * 3, 0, 1) * np.float32(pen.cover)
    canvas.lay(np.asarray(caught, np.float32), *at, hand.colour)


def _walk(stroke: Points, hand: Hand, rng: Generator) -> Points:
    """The curve as this hand draws it, a point every ``_STEP_MM``."""
    lengths = np.hypot(*np.diff(stroke, axis=0).T)
    way = np.concatenate([[0.0], np.cumsum(lengths)])
    count = max(int(way[-1] / _STEP_MM), 2) + 1
    at = np.linspace(0, way[-1], count)
    path = np.stack([np.interp(at, way, stroke[:, 0]), np.interp(at, way, stroke[:, 1])], axis=1)
    shaking = rng.normal(0, 1, (count // 4 + 3, 2)) * (0.02 + 0.11 * hand.tremor)
    nodes = np.linspace(0, count - 1, len(shaking))
    for axis in (0, 1):
        path[:, axis] += np.interp(np.arange(count), nodes, shaking[:, axis])
    return path


def _line(
    path: Points,
    window: tuple[int, int, int, int],
    px_per_mm: float,
    hand: Hand,
    rng: Generator,
) -> Plane:
    """How hard the pen pressed at each pixel of a window, 0 where it was not."""
    left, top, width, height = window
    fine = 4 if px_per_mm < 9 else 3
    count = len(path)
    along = np.linspace(0, 1, count)
    wave = np.interp(along, np.linspace(0, 1, 6), rng.normal(1, 0.10 + 0.1 * hand.tremor, 6))
    ends = np.interp(along, [0, 0.05, 0.8, 1], [0.9, 1.0, 1.0, rng.uniform(0.45, 0.95)])
    pressure = np.clip(hand.pressure * wave * ends, 0.12, 1.45) * _skips(count, hand, rng)
    spread = 0.85 + 0.25 * np.clip(hand.pressure * wave * ends - 0.4, 0, 1)
    thick = np.maximum(np.rint(hand.width_mm * spread * px_per_mm * fine), 1).astype(int)
    tone = np.clip(pressure * 170, 0, 255)
    points = np.rint(((path * px_per_mm - (left, top)) * fine) * 16).astype(int)
    big = np.zeros((height * fine, width * fine), np.uint8)
    for i in range(count - 1):
        start, end = points[i].tolist(), points[i + 1].tolist()
        # OpenCV takes the thickness in whole pixels and the places in sixteenths.
        cv2.line(big, start, end, float(tone[i]), int(thick[i]), cv2.LINE_8, 4)
    small = cv2.resize(big, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / np.float32(170)


def _skips(count: int, hand: Hand, rng: Generator) -> Points:
    """Factors of the pressure along a stroke: low where the ink fails for a few tenths of a mm."""
    if not hand.pen.skip:
        return np.ones(count)
    nodes = rng.random(count // 2 + 3)
    flow = np.interp(np.arange(count), np.linspace(0, count - 1, len(nodes)), nodes)
    return np.where(flow < hand.pen.skip, rng.uniform(0.15, 0.5), 1.0)
