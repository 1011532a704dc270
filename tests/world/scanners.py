"""Office scanners: how they lay the sheet, what they see, and the file that they write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import cv2
import numpy as np
from numpy.random import Generator

from tests.world.canvas import Picture, Points, add_noise, chance, scale_light
from tests.world.geometry import Bend, Geometry, Matrix

Mode = Literal["bilevel", "grey", "colour"]
Placing = dict[str, float]
"""Strength 0..1 of each of ``PLACING`` that befalls a sheet."""

PLACING = ("skew", "shift", "size", "stretch", "curl", "clipped", "small on large", "upside down")
_SMALL = 0.7071
"""A4 printed on A5."""


@dataclass(frozen=True, slots=True)
class Scanner:
    """One scanner as it is set up, the same for a whole batch."""

    name: str
    dpi: int
    mode: Mode
    quality: int = 75
    """Of the JPEG; a bilevel scan is written as PNG."""
    threshold: float = 0.5
    """Where a bilevel scan cuts between black and white, 0..1."""
    bed: int = 252
    """Grey level of what lies behind the sheet."""
    flaws: dict[str, float] = field(default_factory=dict)
    """Strength 0..1 of each of ``FLAWS`` that it has."""


def lay_sheet(sheet_mm: tuple[float, float], dpi: int, placing: Placing, seed: int) -> Geometry:
    """How a sheet lies on the glass, or runs through the feeder."""
    width, height = (round(side * dpi / 25.4) for side in sheet_mm)
    small = placing.get("small on large", 0.0) > 0
    wide, high = sheet_mm
    scale = _SMALL if small else 1.0
    scale *= 1 + _sided(placing, "size", seed) * 0.10
    angle = np.deg2rad(_sided(placing, "skew", seed) * 5.0)
    turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * scale
    shift = np.array([_sided(placing, "shift", seed, way) * 6.0 for way in ("x", "y")])
    if small:
        rng = chance(seed, "small on large")
        away = rng.choice([-0.5, 0.5], 2) * placing["small on large"]
        shift += away * (1 - _SMALL) * np.array([wide, high])
    if "clipped" in placing:
        rng = chance(seed, "clipped")
        shift[int(rng.integers(2))] += rng.choice([-1, 1]) * (4 + 14 * placing["clipped"])
    middle = np.array([wide, high]) / 2
    matrix: Matrix = np.eye(3)
    matrix[:2, :2] = turned
    matrix[:2, 2] = middle + shift - turned @ middle
    if "upside down" in placing:
        matrix = np.array([[-1, 0, wide], [0, -1, high], [0, 0, 1.0]]) @ matrix
    to_px = np.array([[dpi / 25.4, 0, -0.5], [0, dpi / 25.4, -0.5], [0, 0, 1.0]])
    return Geometry(to_px @ matrix, (width, height), sheet_mm, _bend(placing, high, seed))


def _sided(placing: Placing, name: str, seed: int, way: str = "") -> float:
    """The strength of an effect, to one side or the other."""
    strength = placing.get(name, 0.0)
    return strength * float(chance(seed, name, way).choice([-1.0, 1.0])) if strength else 0.0


def _bend(placing: Placing, height_mm: float, seed: int) -> Bend:
    """A feed that is up to 2 % too fast or too slow, and changes its mind along the page."""
    steps = 60
    lag: Points = np.zeros((steps, 2))
    if "stretch" in placing:
        rng = chance(seed, "stretch")
        down = np.linspace(0, 1, steps)
        pace = np.interp(down, np.linspace(0, 1, 5), rng.uniform(-1, 1, 5))
        pace += 0.35 * np.sin(down * rng.uniform(20, 50) + rng.uniform(0, 6))
        pace *= 0.02 * placing["stretch"] / np.abs(pace).max()
        lag[:, 1] = np.cumsum(pace) * height_mm / steps
        lag[:, 1] -= lag[:, 1].mean()
        sway = np.interp(down, np.linspace(0, 1, 4), rng.normal(0, 0.25, 4))
        lag[:, 0] = sway * placing["stretch"]
    curl = 3.0 * placing["curl"] if "curl" in placing else 0.0
    return Bend(lag, curl)


def _blur(picture: Picture, strength: float, dpi: int, rng: Generator) -> Picture:
    """A lens out of focus."""
    del rng
    deviation = (0.04 + 0.16 * strength) * dpi / 25.4
    return cv2.GaussianBlur(picture, (0, 0), deviation).astype(np.uint8, copy=False)


def _sharpen(picture: Picture, strength: float, dpi: int, rng: Generator) -> Picture:
    """The scanner's own sharpening, with bright rims around print."""
    del rng
    soft = cv2.GaussianBlur(picture, (0, 0), 0.10 * dpi / 25.4 + 0.4)
    gain = 0.4 + 1.2 * strength
    return cv2.addWeighted(picture, 1 + gain, soft, -gain, 0).astype(np.uint8, copy=False)


def _light(picture: Picture, strength: float, dpi: int, rng: Generator) -> Picture:
    """A lamp that is darker towards one side or corner."""
    del dpi
    corners = rng.random((2, 2)).astype(np.float32)
    corners = (corners - corners.min()) / max(float(np.ptp(corners)), 1e-3)
    field_ = cv2.resize(corners, (16, 22), interpolation=cv2.INTER_LINEAR)
    return scale_light(picture, np.asarray(1 - (0.04 + 0.28 * strength) * field_, np.float32))


def _bands(picture: Picture, strength: float, dpi: int, rng: Generator) -> Picture:
    """Brightness that jumps and drifts from line to line while the page runs through."""
    del dpi
    rows = 90
    steps = np.repeat(rng.normal(0, 1, 12), 8)[:rows] * (rng.random(rows) < 0.8)
    drift = np.interp(np.arange(rows), np.linspace(0, rows, 6), rng.normal(0, 1, 6))
    level = 1 - 0.02 - np.clip((0.5 * steps + drift) * 0.5, -1, 1) * (0.015 + 0.07 * strength)
    field_ = np.repeat(level[:, None], 8, axis=1).astype(np.float32)
    return scale_light(picture, np.clip(field_, 0, 1.3))


def _streaks(picture: Picture, strength: float, dpi: int, rng: Generator) -> Picture:
    """Lines down the whole scan, from dust on the glass of a feeder."""
    streaked = picture.copy()
    width = picture.shape[1]
    for _ in range(1 + round(3 * strength * rng.random())):
        wide = max(round(rng.uniform(0.05, 0.12 + 0.35 * strength) * dpi / 25.4), 1)
        left = int(rng.integers(width - wide))
        change = rng.choice([-1, -1, -1, 1]) * (12 + 130 * strength * rng.uniform(0.4, 1))
        part = streaked[:, left : left + wide].astype(np.float32)
        flicker = rng.normal(1, 0.08, (picture.shape[0], 1)).astype(np.float32)
        if part.ndim == 3:
            flicker = flicker[:, :, None]
        streaked[:, left : left + wide] = np.clip(part + flicker * np.float32(change), 0, 255)
    return streaked


def _dust(picture: Picture, strength: float, dpi: int, rng: Generator) -> Picture:
    """Crumbs on the glass of a flatbed."""
    dusty = picture.copy()
    height, width = picture.shape[:2]
    scale = dpi / 25.4
    for _ in range(round(6 + 60 * strength)):
        centre = tuple(np.rint(rng.uniform((0, 0), (width, height)) * 16).astype(int).tolist())
        radius = max(rng.uniform(0.03, 0.10 + 0.06 * strength) * scale, 0.5)
        grey = float(rng.uniform(60, 190))
        cv2.circle(dusty, centre, round(radius * 16), (grey,) * 3, -1, cv2.LINE_AA, 4)
    return dusty


def _washed(picture: Picture, strength: float, dpi: int, rng: Generator) -> Picture:
    """Poor contrast: grey blacks, dull whites, or whites that swallow what is faint."""
    del dpi
    black = 25 + 60 * strength
    white = 250 - 40 * strength * rng.random()
    gamma = 1 + rng.uniform(-0.25, 0.35) * strength
    tones = black + (np.arange(256) / 255) ** gamma * (white - black)
    return cv2.LUT(picture, np.clip(tones, 0, 255).astype(np.uint8)).astype(np.uint8, copy=False)


def _noise(picture: Picture, strength: float, dpi: int, rng: Generator) -> Picture:
    del dpi
    return add_noise(picture, 0.8 + 9.0 * strength, rng)


FLAWS: dict[str, Callable[[Picture, float, int, Generator], Picture]] = {
    "dust": _dust,
    "blur": _blur,
    "light": _light,
    "bands": _bands,
    "streaks": _streaks,
    "washed": _washed,
    "noise": _noise,
    "sharpened": _sharpen,
}
"""What a scanner does to its picture, by name, in the order in which it happens."""


def scan(
    picture: Picture, px_per_mm: float, geometry: Geometry, scanner: Scanner, seed: int
) -> Picture:
    """The sheet as the scanner sees it, before it is written; bilevel ones are 0 or 255."""
    seen = geometry.warp(picture, px_per_mm, scanner.bed)
    for name, flaw in FLAWS.items():
        if name in scanner.flaws:
            seen = flaw(seen, scanner.flaws[name], scanner.dpi, chance(seed, name))
    return _cut(seen, scanner.threshold) if scanner.mode == "bilevel" else seen


def _cut(seen: Picture, threshold: float) -> Picture:
    gray = seen if seen.ndim == 2 else cv2.cvtColor(seen, cv2.COLOR_BGR2GRAY)
    dark, bright = np.percentile(gray[::7, ::7], (0.5, 80))
    limit = dark + threshold * (bright - dark)
    return cv2.threshold(gray, float(limit), 255, cv2.THRESH_BINARY)[1].astype(np.uint8, copy=False)


def encode(picture: Picture, scanner: Scanner) -> tuple[bytes, str]:
    """The bytes of the file that the scanner writes, and its suffix."""
    if scanner.mode == "bilevel":
        settings = [cv2.IMWRITE_PNG_BILEVEL, 1, cv2.IMWRITE_PNG_COMPRESSION, 2]
        return cv2.imencode(".png", picture, settings)[1].tobytes(), ".png"
    settings = [cv2.IMWRITE_JPEG_QUALITY, scanner.quality]
    return cv2.imencode(".jpg", picture, settings)[1].tobytes(), ".jpg"
