"""Marks as people make them with a pen, drawn on the picture of a page.

A stroke is a smooth curve whose width and darkness follow the pressure of the hand; it may
leave the box. Everything comes from the random generator that is given, so the same
generator draws the same marks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from scanner.geometry import Box, mm_to_px

Gray = NDArray[np.uint8]
Points = NDArray[np.float64]

_OVERSAMPLING = 4
_STEP_MM = 0.06


class Pen(StrEnum):
    """What the voter writes with."""

    BALLPOINT = "ballpoint"
    GEL = "gel"
    PENCIL = "pencil"
    FELT = "felt"


class MarkKind(StrEnum):
    """What the voter draws."""

    CROSS = "cross"
    TICK = "tick"
    FILL = "fill"
    SLASH = "slash"
    DOT = "dot"
    CIRCLE = "circle"
    BLACKENED = "blackened"
    """A cross taken back: the box is blackened over it."""
    STRIKE = "strike"
    """A line through the words of the box."""
    UNDERLINE = "underline"
    """A line under them."""


@dataclass(frozen=True, slots=True)
class MarkStyle:
    """One hand's way to mark."""

    kind: MarkKind = MarkKind.CROSS
    pen: Pen = Pen.BALLPOINT
    pressure: float = 1.0
    """1 is an ordinary hand; 0.5 is light but clear; above 1.3 is heavy."""
    reach: float = 0.15
    """How far strokes go beyond the box, in box sizes."""


@dataclass(frozen=True, slots=True)
class _Ink:
    width_mm: float
    tone: int
    """Grey level of the full ink, 0 black .. 255 white."""
    cover: float
    """How much of the paper the ink hides at ordinary pressure, 0..1."""
    grain: float
    """How much the paper's grain breaks the stroke, 0..1."""


_INKS = {
    Pen.BALLPOINT: _Ink(0.46, 50, 0.97, 0.12),
    Pen.GEL: _Ink(0.55, 22, 0.97, 0.04),
    Pen.PENCIL: _Ink(0.50, 85, 0.80, 0.45),
    Pen.FELT: _Ink(1.15, 45, 0.95, 0.08),
}


def draw_mark(page: Gray, box: Box, dpi: float, style: MarkStyle, rng: Generator) -> Box:
    """Draw one mark at a printed box; ``page`` is changed.

    Args:
        page: Shape (height, width), 0 black .. 255 white.
        box: The printed outline, in pixels of ``page``.
        dpi: Pixels of ``page`` per inch.
        style: Kind, pen, pressure and reach.
        rng: Where all chance comes from.

    Returns:
        The upright box around the ink, in pixels; it may reach beyond the page.
    """
    unit_strokes = _DRAWERS[style.kind](rng, style.reach)
    origin = np.array([box.x, box.y])
    size = np.array([box.w, box.h])
    strokes = [_smooth(points) * size + origin for points in unit_strokes]
    return _lay_ink(page, strokes, dpi, style, rng)


def draw_handwriting(page: Gray, line: Box, dpi: float, style: MarkStyle, rng: Generator) -> Box:
    """Draw word-like scribble along a line to write on; ``page`` is changed.

    Args:
        page: Shape (height, width), 0 black .. 255 white.
        line: The room for the words, in pixels; letters stand on its lower edge.
        dpi: Pixels of ``page`` per inch.
        style: Pen and pressure; kind and reach do not matter.
        rng: Where all chance comes from.

    Returns:
        The upright box around the ink, in pixels.
    """
    height = min(line.h, mm_to_px(3.2, dpi))
    strokes: list[Points] = []
    x = line.x
    while x < line.right - 2 * height:
        letters = int(rng.integers(2, 7))
        word = _word(rng, letters) * height + np.array([x, line.bottom - height])
        word = word[word[:, 0] < line.right]
        if len(word) > 2:
            strokes.append(word)
            strokes.extend(_diacritic(rng, word, height))
        x += letters * height * 0.62 + height * rng.uniform(0.5, 0.9)
    return _lay_ink(page, strokes, dpi, style, rng)


def _word(rng: Generator, letters: int) -> Points:
    """A run of joined letter shapes, 0 at their top, 1 at the line, 0.62 wide each."""
    steps = np.linspace(0, 2 * np.pi * letters, 14 * letters)
    tall = np.repeat(rng.choice([0.42, 0.5, 0.95], letters, p=[0.45, 0.3, 0.25]), 14)
    tall = cv2.GaussianBlur(tall.reshape(-1, 1), (1, 7), 0).ravel()
    lean = rng.uniform(0.05, 0.35)
    y = 1 - tall * (0.5 - 0.5 * np.cos(steps)) + 0.05 * np.sin(steps * 0.37)
    x = steps / (2 * np.pi) * 0.62 + 0.17 * np.sin(steps + 0.7) + lean * (1 - y)
    return np.stack([x, y], axis=1)


def _diacritic(rng: Generator, word: Points, height: float) -> list[Points]:
    """A dash above a letter on two words of three, as Vietnamese has."""
    if rng.random() > 0.66:
        return []
    at = word[rng.integers(len(word))]
    top = word[:, 1].min() - height * 0.15
    rise = rng.uniform(-0.15, 0.15)
    dash = np.array([[0.0, 0.0], [0.12, rise / 2], [0.25, rise]]) * height
    return [_smooth(dash + np.array([at[0], top]))]


def _cross(rng: Generator, reach: float) -> list[Points]:
    strokes = []
    for start, end in (((0.0, 0.0), (1.0, 1.0)), ((1.0, 0.0), (0.0, 1.0))):
        a, b = np.array(start), np.array(end)
        outward = np.array([b - a, a - b]) * rng.normal(reach - 0.08, 0.09, (2, 1))
        a, b = a - outward[0], b - outward[1]
        strokes.append(_bent(rng, a + rng.normal(0, 0.06, 2), b + rng.normal(0, 0.06, 2)))
    return strokes


def _tick(rng: Generator, reach: float) -> list[Points]:
    tail = reach + rng.uniform(0.15, 0.55)
    corner = np.array([rng.uniform(0.32, 0.5), rng.uniform(0.78, 1.0)])
    start = np.array([rng.uniform(0.0, 0.2), rng.uniform(0.35, 0.6)])
    end = np.array([1.0 + tail * 0.8, 0.1 - tail])
    knee = corner + (end - corner) * 0.45 + rng.normal(0, 0.05, 2) + np.array([-0.03, 0.05])
    return [np.array([start, (start + corner) / 2 + rng.normal(0, 0.03, 2), corner, knee, end])]


def _fill(rng: Generator, reach: float) -> list[Points]:
    passes = int(rng.integers(7, 11))
    return [_hatch(rng, passes, max(reach - 0.1, 0.0))]


def _blackened(rng: Generator, reach: float) -> list[Points]:
    return [
        *_cross(rng, reach),
        _hatch(rng, 12, 0.08),
        _hatch(rng, 12, 0.08)[:, ::-1],
    ]


def _hatch(rng: Generator, passes: int, beyond: float) -> Points:
    """To and fro across the box, from its top left to its bottom right."""
    along = np.linspace(0.06, 0.94, passes)
    points = []
    for i, t in enumerate(along):
        half = min(t, 1 - t) * 0.9 + 0.08 + beyond
        sign = 1 if i % 2 else -1
        middle = np.array([t, t])
        points.append(middle + sign * half * np.array([1.0, -1.0]) + rng.normal(0, 0.05, 2))
    return np.array(points)


def _slash(rng: Generator, reach: float) -> list[Points]:
    a = np.array([1.0 + reach, -reach]) + rng.normal(0, 0.06, 2)
    b = np.array([-reach, 1.0 + reach]) + rng.normal(0, 0.06, 2)
    return [_bent(rng, a, b)]


def _dot(rng: Generator, reach: float) -> list[Points]:
    del reach
    angle = np.linspace(0, 4 * np.pi, 14)
    radius = np.linspace(0.05, 0.2, 14)
    middle = rng.uniform(0.4, 0.6, 2)
    return [middle + np.stack([np.cos(angle), np.sin(angle)], axis=1) * radius[:, None]]


def _circle(rng: Generator, reach: float) -> list[Points]:
    start = rng.uniform(0, 2 * np.pi)
    angle = start + np.linspace(0, 2 * np.pi + 0.4, 16)
    radius = 0.85 + reach + np.cumsum(rng.normal(0, 0.015, 16))
    return [0.5 + np.stack([np.cos(angle), np.sin(angle)], axis=1) * radius[:, None]]


def _strike(rng: Generator, reach: float) -> list[Points]:
    y = rng.normal(0.5, 0.05, 3)
    return [np.array([(-reach, y[0]), (0.5, y[1]), (1 + reach, y[2])])]


def _underline(rng: Generator, reach: float) -> list[Points]:
    y = rng.normal(1.12, 0.04, 3)
    return [np.array([(-reach, y[0]), (0.5, y[1]), (1 + reach, y[2])])]


_DRAWERS: dict[MarkKind, Callable[[Generator, float], list[Points]]] = {
    MarkKind.CROSS: _cross,
    MarkKind.TICK: _tick,
    MarkKind.FILL: _fill,
    MarkKind.SLASH: _slash,
    MarkKind.DOT: _dot,
    MarkKind.CIRCLE: _circle,
    MarkKind.BLACKENED: _blackened,
    MarkKind.STRIKE: _strike,
    MarkKind.UNDERLINE: _underline,
}


def _bent(rng: Generator, a: Points, b: Points) -> Points:
    """A stroke from a to b, bent to one side as a wrist does."""
    along = b - a
    aside = np.array([-along[1], along[0]]) * rng.normal(0, 0.05)
    return np.array([a, a + along * 0.33 + aside, a + along * 0.66 + aside * 0.8, b])


def _smooth(points: Points) -> Points:
    """A Catmull-Rom curve through points of shape (n, 2), eight pieces between two."""
    padded = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    t = np.linspace(0, 1, 8, endpoint=False)[:, None]
    pieces = []
    for p0, p1, p2, p3 in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        a = 2 * p1
        b = p2 - p0
        c = 2 * p0 - 5 * p1 + 4 * p2 - p3
        d = 3 * p1 - p0 - 3 * p2 + p3
        pieces.append(0.5 * (a + b * t + c * t**2 + d * t**3))
    return np.vstack([*pieces, points[-1:]])


def _lay_ink(
    page: Gray, strokes: list[Points], dpi: float, style: MarkStyle, rng: Generator
) -> Box:
    """Put strokes on the page as that pen would."""
    if not strokes:
        return Box(0, 0, 0, 0)
    ink = _INKS[style.pen]
    width_px = mm_to_px(ink.width_mm, dpi) * (0.75 + 0.25 * style.pressure)
    points = np.vstack(strokes)
    low, high = points.min(axis=0) - width_px, points.max(axis=0) + width_px
    bounds = Box(low[0], low[1], *(high - low))
    left, top = np.maximum(np.floor(low).astype(int) - 1, 0)
    right, bottom = np.minimum(np.ceil(high).astype(int) + 2, page.shape[::-1])
    if right <= left or bottom <= top:
        return bounds
    cover = np.zeros((bottom - top, right - left), np.float32)
    for stroke in strokes:
        layer = _stroke_layer(stroke - (left, top), cover.shape, width_px, dpi, rng)
        cover = 1 - (1 - cover) * (1 - layer)
    cover *= ink.cover * np.clip(0.35 + 0.65 * style.pressure, 0, 1.08)
    cover *= _grain(rng, cover.shape, ink.grain)
    cover = np.clip(cover, 0, 1)
    paper = page[top:bottom, left:right].astype(np.float32)
    inked = paper * (1 - cover) + np.minimum(paper, ink.tone) * cover
    page[top:bottom, left:right] = np.round(inked).astype(np.uint8)
    return bounds


def _stroke_layer(
    stroke: Points, shape: tuple[int, ...], width_px: float, dpi: float, rng: Generator
) -> NDArray[np.float32]:
    """How much of each pixel one stroke covers, 0..1, thinner where the hand sets off."""
    dense = _resample(stroke, mm_to_px(_STEP_MM, dpi))
    count = len(dense)
    wave = np.interp(np.linspace(0, 1, count), np.linspace(0, 1, 7), rng.normal(1, 0.1, 7))
    taper = np.interp(np.linspace(0, 1, count), [0, 0.06, 0.85, 1], [0.85, 1, 1, 0.6])
    pressure = np.clip(wave * taper, 0.45, 1.25)
    tremor = np.cumsum(rng.normal(0, 0.02 * width_px, dense.shape), axis=0)
    dense = dense + tremor - np.linspace(0, 1, count)[:, None] * tremor[-1]
    big = np.zeros((shape[0] * _OVERSAMPLING, shape[1] * _OVERSAMPLING), np.uint8)
    centers = np.round(dense * _OVERSAMPLING * 16).astype(int)
    radii = np.round(width_px / 2 * pressure * _OVERSAMPLING * 16).astype(int)
    tones = np.clip(225 * (0.6 + 0.4 * pressure), 0, 255)
    for (x, y), radius, tone in zip(centers.tolist(), radii.tolist(), tones.tolist(), strict=True):
        cv2.circle(big, (x, y), radius, tone, -1, cv2.LINE_8, 4)
    small = cv2.resize(big, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(small / 255, dtype=np.float32)


def _resample(stroke: Points, step_px: float) -> Points:
    """The same curve with a point every ``step_px`` pixels."""
    lengths = np.hypot(*np.diff(stroke, axis=0).T)
    way = np.concatenate([[0], np.cumsum(lengths)])
    count = max(int(way[-1] / step_px), 2)
    at = np.linspace(0, way[-1], count)
    return np.stack([np.interp(at, way, stroke[:, 0]), np.interp(at, way, stroke[:, 1])], axis=1)


def _grain(rng: Generator, shape: tuple[int, ...], strength: float) -> NDArray[np.float32]:
    """Factors around 1 - strength / 2, as rough paper takes up dry ink."""
    noise = rng.random((shape[0] // 2 + 1, shape[1] // 2 + 1), dtype=np.float32)
    wide = cv2.resize(noise, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(1 - strength * wide, dtype=np.float32)
