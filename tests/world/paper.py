"""What happens to paper before it is scanned.

Each effect changes the canvas by a strength, 0 to 1, and notes on it where something now looks
like a mark or hides one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np
from numpy.random import Generator

from scanner.geometry import Box
from tests.world.canvas import Canvas, Colour, Picture, cut_tile, soft_field, tooth
from tests.world.pens import draw_strokes, smooth, take_pen
from tests.world.people import DEEDS, Place

Effect = Callable[[Canvas, float, Generator], None]

_SHADE: Colour = (0.0, 0.0, 0.0)
_STAMP_RED: Colour = (0.30, 0.22, 0.82)
_STAMP_BLUE: Colour = (0.70, 0.35, 0.25)
_BROWN: Colour = (0.45, 0.68, 0.80)


def fold_at(canvas: Canvas, at_mm: float, strength: float, hands: Generator, *, down: bool) -> None:
    """One fold across the page, or down it: a thread of shadow, broken, beside a lit slope."""
    rng = hands
    scale = canvas.px_per_mm
    width_mm, height_mm = canvas.size_mm
    length = round((height_mm if down else width_mm) * scale)
    reach = round(5 * scale)
    away = (np.arange(-reach, reach, dtype=np.float32) / scale)[:, None]
    slope = rng.normal(0, 0.0035) * (np.arange(length, dtype=np.float32) - length / 2) / scale
    wander = cv2.GaussianBlur(rng.normal(0, 1, (1, length)).astype(np.float32), (0, 0), 2 * scale)
    off = away - slope - wander * np.float32(0.25)
    broken = cv2.GaussianBlur(rng.random((1, length), dtype=np.float32), (0, 0), 0.7 * scale)
    broken = np.clip(
        (broken - broken.mean()) / max(float(broken.std()), 1e-3) * 0.3 + 0.75, 0.1, 1.2
    )
    thin = np.float32(0.10 + 0.12 * rng.random())
    thread = np.exp(-((off / thin) ** 2)) * broken * np.float32(0.10 + 0.38 * strength)
    side = np.float32(rng.choice([-1, 1]))
    slopes = (
        np.tanh(off * side * 2) * np.exp(-((off / 2.2) ** 2)) * np.float32(0.015 + 0.05 * strength)
    )
    lit = np.exp(-(((off - side * 0.35) / 0.2) ** 2)) * np.float32(-0.04 - 0.05 * strength)
    cover = np.asarray(thread + slopes + lit, np.float32)
    if down:
        canvas.lay(np.ascontiguousarray(cover.T), round(at_mm * scale) - reach, 0, _SHADE)
    else:
        canvas.lay(cover, 0, round(at_mm * scale) - reach, _SHADE)


def _fold(canvas: Canvas, strength: float, rng: Generator) -> None:
    """Folded in half or in three, as for an envelope; now and then both ways."""
    width, height = canvas.size_mm
    places = [1 / 2] if rng.random() < 0.5 else [1 / 3, 2 / 3]
    for place in places:
        fold_at(canvas, height * place + rng.normal(0, 6), strength, rng, down=False)
    if rng.random() < 0.4:
        fold_at(canvas, width / 2 + rng.normal(0, 6), strength, rng, down=True)


def _crease(canvas: Canvas, strength: float, rng: Generator) -> None:
    """A crumpled sheet: short kinks, dark on one side and light on the other, and its hills."""
    width, height = canvas.size_mm
    scale = canvas.px_per_mm
    for _ in range(round(3 + 14 * strength)):
        start = rng.uniform((0, 0), (width, height))
        steps = np.cumsum(rng.normal(0, 9, (4, 2)) + rng.normal(0, 9, 2), axis=0)
        path = np.vstack([start, start + steps])
        low, high = path.min(axis=0) - 2, path.max(axis=0) + 2
        left, top, w, h = canvas.window(Box(*low.tolist(), *(high - low).tolist()))
        line = np.zeros((h, w), np.uint8)
        points = np.rint((path * scale - (left, top)) * 16).astype(np.int32)
        cv2.polylines(line, [points], False, 255, 1, cv2.LINE_AA, 4)
        soft = cv2.GaussianBlur(line, (0, 0), 0.10 * scale).astype(np.float32) / 255
        beside = np.roll(soft, round(0.3 * scale), axis=0)
        depth = np.float32(rng.uniform(0.3, 0.9) * (0.15 + 0.45 * strength))
        canvas.lay(np.asarray((soft - 0.6 * beside) * depth, np.float32), left, top, _SHADE)
    shape = (canvas.picture.shape[0], canvas.picture.shape[1])
    hills = soft_field(shape, (7, 5), rng) * np.float32(0.02 + 0.04 * strength)
    canvas.lay(hills, 0, 0, _SHADE)


def _staple(canvas: Canvas, strength: float, rng: Generator) -> None:
    """A staple in the corner, or the two holes that it left."""
    scale = canvas.px_per_mm
    x, y = rng.uniform(6, 14), rng.uniform(6, 14)
    angle = rng.normal(0.6, 0.3)
    along = np.array([np.cos(angle), np.sin(angle)]) * 5.5
    left, top, width, height = canvas.window(Box(x - 8, y - 8, 16, 16))
    cover = np.zeros((height, width), np.uint8)
    middle = np.array([x, y]) * scale - (left, top)
    start, end = np.rint((middle + np.outer((-1, 1), along * scale)) * 16).astype(int).tolist()
    if rng.random() < 0.7:
        cv2.line(cover, start, end, 215, max(round(0.55 * scale), 2), cv2.LINE_AA, 4)
        shine = np.zeros_like(cover)
        cv2.line(shine, start, end, 130, max(round(0.16 * scale), 1), cv2.LINE_AA, 4)
        cover = cv2.subtract(cover, shine).astype(np.uint8)
    for hole in (start, end):
        cv2.circle(cover, hole, round(0.45 * scale * 16), 235, -1, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(cover, (0, 0), 0.06 * scale)
    canvas.lay(
        soft.astype(np.float32) * np.float32((0.4 + 0.6 * strength) / 255), left, top, _SHADE
    )
    canvas.blots.append(Box(x - 6, y - 6, 12, 12))


def _punch(canvas: Canvas, strength: float, rng: Generator) -> None:
    """Holes for a binder; what lies behind them is dark or light."""
    scale = canvas.px_per_mm
    height = canvas.size_mm[1]
    dark = rng.random() < 0.6
    x = rng.uniform(9, 13)
    offsets = (-40, 40) if rng.random() < 0.7 else (-120, -40, 40, 120)
    for offset in offsets:
        y = height / 2 + offset + rng.normal(0, 0.3)
        left, top, w, h = canvas.window(Box(x - 4, y - 4, 8, 8))
        hole = np.zeros((h, w), np.uint8)
        centre = tuple(np.rint((np.array([x, y]) * scale - (left, top)) * 16).astype(int).tolist())
        cv2.circle(hole, centre, round(2.75 * scale * 16), 255, -1, cv2.LINE_AA, 4)
        inner = cv2.GaussianBlur(hole, (0, 0), 0.25 * scale)
        rim = cv2.subtract(hole, np.roll(inner, round(0.4 * scale), axis=0))
        cover = (hole if dark else rim) * ((0.3 + 0.55 * strength) / 255)
        canvas.lay(np.asarray(cover, np.float32), left, top, _SHADE)
        canvas.blots.append(Box(x - 3.2, y - 3.2, 6.4, 6.4))


def _stamp(canvas: Canvas, strength: float, rng: Generator) -> None:
    """A round seal, or a dated oblong, over whatever is printed there."""
    width, height = canvas.size_mm
    is_round = rng.random() < 0.6
    size = (36.0, 36.0) if is_round else (44.0, 14.0)
    x = rng.uniform(20, width - 20 - size[0])
    y = rng.uniform(height * 0.25, height - 20 - size[1])
    face = _seal() if is_round else _oblong()
    turned = cv2.warpAffine(
        face,
        cv2.getRotationMatrix2D((face.shape[1] / 2, face.shape[0] / 2), rng.normal(0, 9), 0.95),
        face.shape[::-1],
        flags=cv2.INTER_LINEAR,
    )
    box = Box(x, y, *size)
    left, top, w, h = canvas.window(box)
    pressed = cv2.resize(turned, (w, h), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    uneven = np.clip(0.75 + 0.4 * soft_field((h, w), (3, 3), rng), 0.2, 1)
    rough = np.clip(1.5 - 0.9 * cut_tile(tooth(round(canvas.dpi)), (h, w), rng), 0, 1)
    cover = pressed * uneven * rough * np.float32(0.35 + 0.6 * strength)
    canvas.lay(np.asarray(cover, np.float32), left, top, _STAMP_RED if is_round else _STAMP_BLUE)
    if is_round:
        middle = Box(x + 12, y + 12, 12, 12)
        canvas.blots.append(middle)


@lru_cache(maxsize=1)
def _seal() -> Picture:
    """The face of a round seal with a star, 720 pixels wide."""
    face = np.zeros((720, 720), np.uint8)
    for radius, thick in ((350, 16), (318, 6), (215, 5)):
        cv2.circle(face, (360, 360), radius, 255, thick, cv2.LINE_AA)
    words = "UY BAN NHAN DAN * PHUONG HUONG LONG * "
    for i, letter in enumerate(words):
        angle = 2 * np.pi * i / len(words)
        tile = np.zeros((90, 90), np.uint8)
        cv2.putText(tile, letter, (22, 66), cv2.FONT_HERSHEY_DUPLEX, 1.9, 255, 5, cv2.LINE_AA)
        turn = cv2.getRotationMatrix2D((45, 45), -np.degrees(angle), 1)
        turn[:, 2] += np.array([315 + 265 * np.sin(angle), 315 - 265 * np.cos(angle)])
        face = cv2.max(face, cv2.warpAffine(tile, turn, (720, 720))).astype(np.uint8)
    t = np.arange(10) * np.pi / 5
    points = np.where(np.arange(10) % 2 == 0, 110, 44)
    star = np.stack([360 + points * np.sin(t), 360 - points * np.cos(t)], axis=1)
    cv2.fillPoly(face, [np.rint(star).astype(np.int32)], 255, cv2.LINE_AA)
    return face


@lru_cache(maxsize=1)
def _oblong() -> Picture:
    """The face of a stamp of receipt."""
    face = np.zeros((280, 880), np.uint8)
    cv2.rectangle(face, (12, 12), (868, 268), 255, 9, cv2.LINE_AA)
    for text, y in (("DA TIEP NHAN", 110), ("Ngay 14 / 9 / 2023", 220)):
        cv2.putText(face, text, (60, y), cv2.FONT_HERSHEY_DUPLEX, 2.5, 255, 7, cv2.LINE_AA)
    return face


def _show_through(canvas: Canvas, strength: float, rng: Generator) -> None:
    """Marks and print of the back, mirrored and blurred by the paper."""
    scale = canvas.px_per_mm
    shape = canvas.picture.shape[:2]
    back = Canvas(np.full(shape, 255, np.uint8), canvas.dpi)
    ahead = canvas.picture if canvas.picture.ndim == 2 else canvas.picture[:, :, 1]
    moved = np.roll(cv2.flip(ahead, 0), round(rng.uniform(-9, 9) * scale), axis=0)
    back.picture = moved.astype(np.uint8, copy=False)
    hand = take_pen("felt" if rng.random() < 0.5 else "gel", rng)
    width, height = canvas.size_mm
    for _ in range(14):
        box = Box(rng.uniform(20, width - 25), rng.uniform(60, height - 70), 4.5, 4.5)
        deed = DEEDS[str(rng.choice(["cross", "tick", "solid"]))]
        draw_strokes(back, deed.draw(Place(box, None), 0.5, rng), hand, rng)
    seen = cv2.GaussianBlur(back.picture, (0, 0), 0.22 * scale)
    cover = (255 - seen).astype(np.float32) * np.float32((0.03 + 0.20 * strength) / 255)
    canvas.lay(cover, 0, 0, _SHADE)


def _stain(canvas: Canvas, strength: float, rng: Generator) -> None:
    """Coffee, tea or rain: a pale blot with a darker rim."""
    scale = canvas.px_per_mm
    width, height = canvas.size_mm
    for _ in range(1 + round(2 * strength)):
        radius = rng.uniform(6, 24)
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        left, top, w, h = canvas.window(Box(x - radius, y - radius, 2 * radius, 2 * radius))
        across = np.hypot(*np.meshgrid(np.linspace(-1, 1, w), np.linspace(-1, 1, h)))
        edge = across * (1 + 0.22 * soft_field((h, w), (4, 4), rng))
        body = np.clip((0.82 - edge) * 0.35 * radius * scale / 8, 0, 1)
        rim = np.exp(-(((edge - 0.80) / 0.035) ** 2))
        cover = (0.35 * body + 0.5 * rim) * (0.2 + 0.7 * strength)
        canvas.lay(np.asarray(cover, np.float32), left, top, _BROWN)


def _yellow(canvas: Canvas, strength: float, rng: Generator) -> None:
    """Old or recycled paper: darker, warmer, with flecks."""
    height, width = canvas.picture.shape[:2]
    colour: Colour = (0.45, 0.80, 0.92)
    even = np.full((height, width), 0.15 + 0.6 * strength, np.float32)
    even += soft_field((height, width), (5, 4), rng) * np.float32(0.05)
    canvas.lay(even, 0, 0, colour)
    for _ in range(round(300 * strength)):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        fleck = np.full((2, int(rng.integers(2, 6))), 0.25, np.float32)
        canvas.lay(fleck, x, y, _BROWN)


def _photocopy(canvas: Canvas, strength: float, rng: Generator) -> None:
    """A copy of a copy: print that swells or thins and breaks, toner dust, a grey veil."""
    scale = canvas.px_per_mm
    gain = np.float32(rng.choice([1, 1, -0.7]) * (0.25 + 0.45 * strength))
    soft = cv2.GaussianBlur(canvas.picture, (0, 0), (0.05 + 0.07 * strength) * scale)
    level = 128 + 95 * float(gain)
    steep = 3.2
    table = np.clip((np.arange(256) - level) * steep + 128, 0, 255)
    toner = cv2.LUT(soft, table.astype(np.uint8))
    veil = 255 - 14 * strength
    lifted = np.clip(np.arange(256) * ((veil - 18) / 255) + 18, 0, 255).astype(np.uint8)
    canvas.picture = cv2.LUT(toner, lifted).astype(np.uint8, copy=False)
    sprinkle(canvas, round(60 + 420 * strength), 0.16, rng)


def _dirt(canvas: Canvas, strength: float, rng: Generator) -> None:
    """Crumbs, fly specks and short hairs."""
    sprinkle(canvas, round(8 + 60 * strength), 0.30, rng)
    width, height = canvas.size_mm
    hand = take_pen("ballpoint", rng, strength=0.5)
    for _ in range(round(5 * strength)):
        start = rng.uniform((5, 5), (width - 5, height - 5))
        hair = smooth(start + np.cumsum(rng.normal(0, 1.4, (5, 2)), axis=0))
        thin = type(hand)("hair", hand.pen, _SHADE, 0.10, 0.7, 0.0)
        box = draw_strokes(canvas, [hair], thin, rng)
        canvas.blots.append(box)


def sprinkle(canvas: Canvas, count: int, largest_mm: float, rng: Generator) -> None:
    """Dark specks anywhere, most of them small."""
    scale = canvas.px_per_mm
    height, width = canvas.picture.shape[:2]
    sizes = largest_mm * rng.power(0.6, count) * rng.uniform(0.3, 1.0, count)
    for size, x, y in zip(
        sizes, rng.uniform(0, width, count), rng.uniform(0, height, count), strict=True
    ):
        side = max(round(size * scale) + 3, 3)
        speck = np.zeros((side, side), np.uint8)
        cv2.ellipse(
            speck,
            (
                (side / 2, side / 2),
                (size * scale, size * scale * rng.uniform(0.5, 1)),
                rng.uniform(0, 180),
            ),
            255,
            -1,
            cv2.LINE_AA,
        )
        canvas.lay(
            speck.astype(np.float32) * np.float32(rng.uniform(0.35, 0.85) / 255),
            int(x),
            int(y),
            _SHADE,
        )


PAPER: dict[str, Effect] = {
    "fold": _fold,
    "crease": _crease,
    "staple": _staple,
    "punch": _punch,
    "stamp": _stamp,
    "show-through": _show_through,
    "stain": _stain,
    "yellowed": _yellow,
    "dirt": _dirt,
}
"""What happens to a sheet after it was filled in, by name."""
BEFORE_WRITING: dict[str, Effect] = {"photocopy": _photocopy}
"""What happened to the form before anybody wrote on it."""
