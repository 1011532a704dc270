"""What an office scanner does to a page.

Every effect is a pure function of the picture, its description and a random generator.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from scanner.geometry import Homography, mm_to_px

Gray = NDArray[np.uint8]
Plane = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """What happens to one page; the default does nothing."""

    rotation_deg: float = 0.0
    """Counter-clockwise, about the middle of the page."""
    scale: float = 1.0
    shift_x_mm: float = 0.0
    shift_y_mm: float = 0.0
    stretch_mm: float = 0.0
    """How far, at most, the feed lags and hurries along the page."""
    paper: int = 255
    """Grey level of white paper."""
    black: int = 0
    """Grey level of black print."""
    uneven_light: float = 0.0
    """Share of the light that is missing in the darkest corner, 0..1."""
    noise: float = 0.0
    """Standard deviation of the sensor's noise, in grey levels."""
    blur_mm: float = 0.0
    """Standard deviation of the lens blur."""
    specks: int = 0
    streaks: int = 0
    """Thin grey lines down the page, from dust on the glass."""
    folds: int = 0
    """Lines across the page where the sheet was folded."""
    show_through: float = 0.0
    """Share of the back's darkness that is seen from the front, 0..1."""
    border_mm: float = 0.0
    """Width of the black edge that the scanner shows beside the paper."""
    bilevel: bool = False
    """Only black and white, as a fax has."""
    jpeg_quality: int | None = None
    upside_down: bool = False


def transform_matrix(damage: Damage, shape: tuple[int, ...], dpi: float) -> Homography:
    """Where the scan shows the points of the page, without the stretch of the feed.

    Args:
        damage: Rotation, scale, shift and ``upside_down`` are used.
        shape: (height, width) of the page in pixels.
        dpi: Pixels per inch of the page.

    Returns:
        3 × 3, pixels of the page to pixels of the scan. Centres of pixels are whole numbers.
    """
    height, width = shape[:2]
    middle = ((width - 1) / 2, (height - 1) / 2)
    matrix = np.eye(3)
    matrix[:2] = cv2.getRotationMatrix2D(middle, damage.rotation_deg, damage.scale)
    matrix[0, 2] += mm_to_px(damage.shift_x_mm, dpi)
    matrix[1, 2] += mm_to_px(damage.shift_y_mm, dpi)
    if damage.upside_down:
        matrix = np.array([[-1, 0, width - 1], [0, -1, height - 1], [0, 0, 1.0]]) @ matrix
    return matrix


def damage_page(
    page: Gray, damage: Damage, rng: Generator, *, dpi: float, back: Gray | None = None
) -> Gray:
    """The page as a scanner would give it; the same generator gives the same scan.

    Args:
        page: Shape (height, width), 0 black .. 255 white.
        damage: What happens.
        rng: Where all chance comes from.
        dpi: Pixels per inch of the page.
        back: The other side, of the same shape, for the show-through.

    Returns:
        A new picture of the same shape.
    """
    sheet: Plane = page.astype(np.float32)
    if back is not None and damage.show_through > 0:
        sheet = _show_through(sheet, back, damage.show_through, dpi)
    sheet = _fold(sheet, damage.folds, rng, dpi)
    sheet = damage.black + sheet * ((damage.paper - damage.black) / 255)
    sheet = _warp(sheet, damage, rng, dpi)
    sheet = _light(sheet, damage.uneven_light, rng)
    sheet = _dust(sheet, damage, rng, dpi)
    if damage.blur_mm > 0:
        blurred = cv2.GaussianBlur(sheet, (0, 0), mm_to_px(damage.blur_mm, dpi))
        sheet = np.asarray(blurred, dtype=np.float32)
    if damage.noise > 0:
        sheet = sheet + rng.standard_normal(sheet.shape, dtype=np.float32) * damage.noise
    scan = np.clip(np.round(sheet), 0, 255).astype(np.uint8)
    if damage.bilevel:
        scan = np.where(scan > _threshold(damage), 255, 0).astype(np.uint8)
    if damage.upside_down:
        scan = np.ascontiguousarray(scan[::-1, ::-1])
    return scan if damage.jpeg_quality is None else _through_jpeg(scan, damage.jpeg_quality)


def office_damage(rng: Generator) -> Damage:
    """What an ordinary office scanner does to one page: some of everything, nothing wild."""
    return Damage(
        rotation_deg=float(np.clip(rng.normal(0, 0.45), -1.5, 1.5)),
        scale=float(rng.uniform(0.975, 1.0)),
        shift_x_mm=float(rng.normal(0, 0.9)),
        shift_y_mm=float(rng.normal(0, 1.2)),
        stretch_mm=float(rng.uniform(0, 0.5)),
        paper=int(rng.integers(236, 250)),
        black=int(rng.integers(15, 45)),
        uneven_light=float(rng.uniform(0, 0.05)),
        noise=float(rng.uniform(0.5, 1.3)),
        blur_mm=float(rng.uniform(0.07, 0.11)),
        specks=int(rng.integers(0, 10)),
        streaks=int(rng.random() < 0.12),
        folds=int(rng.random() < 0.15),
        show_through=float(rng.uniform(0.0, 0.04)),
        border_mm=float(rng.uniform(0.5, 2.0)) if rng.random() < 0.2 else 0.0,
    )


def _show_through(sheet: Plane, back: Gray, share: float, dpi: float) -> Plane:
    mirrored = cv2.GaussianBlur(back[:, ::-1], (0, 0), mm_to_px(0.12, dpi)).astype(np.float32)
    return np.clip(sheet - (255 - mirrored) * share, 0, 255)


def _fold(sheet: Plane, folds: int, rng: Generator, dpi: float) -> Plane:
    """A dark thread beside a light one, both soft, a third or a half down the page."""
    height, width = sheet.shape
    rows = np.arange(height, dtype=np.float32)[:, None]
    columns = np.linspace(-0.5, 0.5, width, dtype=np.float32)[None, :]
    for _ in range(folds):
        at = height * float(rng.choice([1 / 3, 1 / 2, 2 / 3])) + rng.normal(0, height * 0.01)
        slope = float(rng.normal(0, 0.004)) * width
        away = (rows - at - slope * columns) / mm_to_px(0.25, dpi)
        sheet = sheet - 38 * np.exp(-(away**2)) + 14 * np.exp(-((away - 2.2) ** 2))
    return np.clip(sheet, 0, 255)


def _warp(sheet: Plane, damage: Damage, rng: Generator, dpi: float) -> Plane:
    """Turn, scale, shift and stretch in one go, so that the print is softened only once."""
    height, width = sheet.shape
    upright = np.linalg.inv(transform_matrix(_upright(damage), sheet.shape, dpi))
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    lag = mm_to_px(damage.stretch_mm, dpi) * _feed(np.arange(height) / height, rng)
    y += lag.astype(np.float32)[:, None]
    map_x = (upright[0, 0] * x + upright[0, 1] * y + upright[0, 2]).astype(np.float32)
    map_y = (upright[1, 0] * x + upright[1, 1] * y + upright[1, 2]).astype(np.float32)
    warped = cv2.remap(
        sheet, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=252
    )
    if damage.border_mm > 0:
        edge = max(round(mm_to_px(damage.border_mm, dpi)), 1)
        side = rng.integers(4)
        dark = damage.black + 8
        if side == 0:
            warped[:edge] = dark
        elif side == 1:
            warped[-edge:] = dark
        elif side == 2:
            warped[:, :edge] = dark
        else:
            warped[:, -edge:] = dark
    return warped.astype(np.float32)


def _upright(damage: Damage) -> Damage:
    """The same geometry before the sheet is turned over."""
    return Damage(
        rotation_deg=damage.rotation_deg,
        scale=damage.scale,
        shift_x_mm=damage.shift_x_mm,
        shift_y_mm=damage.shift_y_mm,
    )


def _feed(down: NDArray[np.float64], rng: Generator) -> NDArray[np.float64]:
    """How far the feed is off, -1..1, at places 0..1 down the page; 0 at both ends."""
    waves = np.sin(np.pi * down * 2 + rng.uniform(0, 0.6)) * 0.6
    waves += np.sin(np.pi * down * 3) * 0.4 * rng.uniform(-1, 1)
    return np.asarray(waves * np.sin(np.pi * down))


def _light(sheet: Plane, missing: float, rng: Generator) -> Plane:
    if missing <= 0:
        return sheet
    corners = rng.random((2, 2), dtype=np.float32)
    corners = (corners - corners.min()) / max(float(np.ptp(corners)), 1e-6)
    height, width = sheet.shape
    shade = cv2.resize(corners, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(sheet * (1 - missing * shade), dtype=np.float32)


def _dust(sheet: Plane, damage: Damage, rng: Generator, dpi: float) -> Plane:
    height, width = sheet.shape
    dusty = sheet.copy()
    for _ in range(damage.specks):
        at = (int(rng.integers(width)), int(rng.integers(height)))
        radius = max(round(mm_to_px(float(rng.uniform(0.05, 0.22)), dpi)), 1)
        cv2.circle(dusty, at, radius, float(rng.uniform(40, 140)), -1, cv2.LINE_AA)
    for _ in range(damage.streaks):
        left = int(rng.integers(width))
        thick = max(round(mm_to_px(0.2, dpi)), 1)
        dusty[:, left : left + thick] -= float(rng.uniform(18, 45))
    return np.clip(dusty, 0, 255)


def _threshold(damage: Damage) -> float:
    """Where a scanner's text mode cuts: nearer to paper than to ink."""
    return damage.black + 0.62 * (damage.paper - damage.black)


def _through_jpeg(scan: Gray, quality: int) -> Gray:
    _, encoded = cv2.imencode(".jpg", scan, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)
    return np.asarray(decoded, dtype=np.uint8)
