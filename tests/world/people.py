"""What people do with a pen at a target: answers, doubts, mistakes and remarks.

Each deed draws with a strength: 0 is as on a poster, 1 as untidy as it still occurs. It also
says what was meant, and whether a careful person could be sure of that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.random import Generator

from scanner.geometry import Box
from tests.world.canvas import Canvas, Points
from tests.world.large import fill_with_cross, fill_with_tick
from tests.world.pens import Hand, draw_strokes, lay_depth, smooth

Drawer = Callable[["Place", float, Generator], list[Points]]


@dataclass(frozen=True, slots=True)
class Place:
    """A target and the room around it, in millimetres."""

    box: Box
    label: Box | None
    """Where the option's words stand, if they are beside the box."""

    @property
    def side(self) -> float:
        """The size of a mark that fits: a cell of a table is wider than people write."""
        return float(np.clip(min(self.box.w, self.box.h), 2.5, 6.0))

    def at(self, unit: Points | list[tuple[float, float]]) -> Points:
        """Points of the unit square, put over the middle of the target."""
        x, y = self.box.center
        return np.asarray((np.asarray(unit, np.float64) - 0.5) * self.side + (x, y))

    def moved(self, dx: float, dy: float) -> Place:
        """The same with its box moved, in millimetres."""
        return replace(self, box=Box(self.box.x + dx, self.box.y + dy, self.box.w, self.box.h))


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that people do at a target."""

    draw: Drawer
    marked: bool
    """Whether the target is meant."""
    clear_to: float
    """Strength up to which a careful person is sure of it; below 0 never."""


def draw_deed(
    canvas: Canvas, place: Place, name: str, strength: float, hands: tuple[Hand, Generator]
) -> list[Points]:
    """Do one of ``DEEDS`` on the canvas.

    Returns:
        The strokes that count as the mark, in millimetres; none for an erased one.
    """
    hand, rng = hands
    if name == "erased":
        _erase(canvas, place, strength, hands)
        return []
    if name == "blackened":
        draw_strokes(canvas, _cross(place, 0.4, rng), hand, rng)
    if name == "label struck":
        draw_strokes(canvas, _strike(place, strength, rng), hand, rng)
    strokes = DEEDS[name].draw(place, strength, rng)
    draw_strokes(canvas, strokes, hand, rng)
    return strokes


def write_remark(canvas: Canvas, line: Box, strength: float, hand: Hand, rng: Generator) -> Box:
    """Write words by hand from the left end of a line, in millimetres, as long as it is.

    Args:
        canvas: The sheet; it is changed.
        line: The room; letters stand near its lower edge.
        strength: How large and how slanted the writing is.
        hand: Who writes.
        rng: Where all chance comes from.

    Returns:
        The box around the ink.
    """
    scale = canvas.px_per_mm
    fine = 3
    font = cv2.FONT_HERSHEY_SCRIPT_SIMPLEX
    height_mm = 2.2 + 2.0 * strength
    size = height_mm * scale * fine / 21.0
    text = " ".join(_word(rng) for _ in range(30))
    thick = max(round(hand.width_mm * scale * fine), 1)
    while len(text) > 3 and cv2.getTextSize(text, font, size, thick)[0][0] > line.w * scale * fine:
        text = text[: text.rindex(" ")] if " " in text else text[:-1]
    (width, height), base = cv2.getTextSize(text, font, size, thick)
    paper = np.zeros((2 * height + 2 * base + 8, width + 2 * height), np.uint8)
    cv2.putText(paper, text, (height // 2, round(1.5 * height)), font, size, 170, thick)
    _dot_letters(paper, (height, width), thick, rng)
    swayed = _sway(paper, strength, rng)
    small = cv2.resize(swayed, None, fx=1 / fine, fy=1 / fine, interpolation=cv2.INTER_AREA)
    pressure = np.interp(np.arange(small.shape[1]), *_slow_wave(small.shape[1], rng))
    depth = small.astype(np.float32) / 170 * np.float32(hand.pressure) * pressure
    left = round(line.x * scale)
    top = round((line.bottom * scale) - 1.6 * height / fine)
    lay_depth(canvas, np.asarray(depth, np.float32), (left, top), hand, rng)
    return Box(left / scale, top / scale, small.shape[1] / scale, small.shape[0] / scale)


def _slow_wave(length: int, rng: Generator) -> tuple[Points, Points]:
    nodes = max(length // 40, 2)
    return np.linspace(0, length, nodes), np.asarray(rng.normal(1, 0.13, nodes))


def _word(rng: Generator) -> str:
    starts = ("ng", "nh", "th", "ph", "tr", "ch", "kh", "d", "v", "t", "l", "m", "h", "c", "x")
    middles = ("a", "o", "u", "i", "ie", "uo", "oa", "ye", "ua", "oi")
    ends = ("", "n", "ng", "t", "c", "m", "nh", "p")
    return "".join(str(rng.choice(part)) for part in (starts, middles, ends))


def _dot_letters(
    paper: cv2.typing.MatLike, size: tuple[int, int], thick: int, rng: Generator
) -> None:
    """Tone marks above and below letters, as Vietnamese has."""
    height, width = size
    for x in range(height // 2, width, max(round(0.9 * height), 1)):
        if rng.random() < 0.6:
            at = np.array([x + rng.uniform(0, 0.5) * height, height * rng.uniform(0.45, 0.75)])
            along = rng.normal(0, 0.13, 2) * height
            start, end = np.rint([at - along, at + along]).astype(int).tolist()
            cv2.line(paper, start, end, 170, thick)


def _sway(paper: cv2.typing.MatLike, strength: float, rng: Generator) -> cv2.typing.MatLike:
    """Letters lean, and the line goes up and down."""
    height, width = paper.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    lean = np.float32(rng.uniform(-0.1, 0.25 + 0.3 * strength))
    nodes = max(width // max(height, 1), 2)
    ups = np.interp(np.arange(width), np.linspace(0, width, nodes), rng.normal(0, 0.05, nodes))
    swayed_y = y + np.asarray(ups * height, np.float32)
    return cv2.remap(paper, x + lean * (y - height), swayed_y, cv2.INTER_LINEAR)


def _cross(place: Place, strength: float, rng: Generator) -> list[Points]:
    reach = rng.normal(0.42 + 0.16 * strength, 0.05 + 0.05 * strength)
    middle = rng.normal(0.5, 0.03 + 0.09 * strength, 2)
    strokes = []
    for slope in (1, -1):
        angle = slope * np.pi / 4 + rng.normal(0, 0.06 + 0.12 * strength)
        along = np.array([np.cos(angle), np.sin(angle)]) * reach * rng.uniform(0.9, 1.15, 1)
        aside = np.array([-along[1], along[0]]) * rng.normal(0, 0.06 + 0.1 * strength)
        centre = middle + rng.normal(0, 0.02 + 0.05 * strength, 2)
        points = [centre - along, centre + aside * 0.7, centre + along]
        if rng.random() < 0.25 + 0.3 * strength:
            points.append(centre + along * 1.05 + rng.normal(0, 0.05, 2) + (0.0, -0.06))
        if slope < 0:
            points = points[::-1] if rng.random() < 0.5 else points
        strokes.append(place.at(smooth(points)))
    return strokes


def _loop_cross(place: Place, strength: float, rng: Generator) -> list[Points]:
    """A cross in one go: down to the right, around, and back over it."""
    r = 0.42 + 0.12 * strength
    wide = rng.uniform(0.15, 0.35) + 0.2 * strength
    unit = [
        (0.5 - r, 0.5 - r),
        (0.5, 0.5),
        (0.5 + r * 0.9, 0.5 + r),
        (0.5 + r + wide * 0.6, 0.5 + r * 0.3),
        (0.5 + r * 0.8, 0.5 - r * 0.9),
        (0.5, 0.5),
        (0.5 - r, 0.5 + r),
    ]
    jitter = rng.normal(0, 0.03 + 0.04 * strength, (len(unit), 2))
    return [place.at(smooth(np.array(unit) + jitter))]


def _tick(place: Place, strength: float, rng: Generator) -> list[Points]:
    """A tick whose tail is up to two and a half boxes long."""
    tail = 0.68 + 1.5 * strength**1.5
    turn = np.array([rng.uniform(0.32, 0.52), rng.uniform(0.64, 0.92)])
    start = turn - np.array([rng.uniform(0.22, 0.36), rng.uniform(0.22, 0.42)])
    angle = np.deg2rad(rng.normal(-51, 9))
    away = np.array([np.cos(angle), np.sin(angle)])
    bow = np.array([away[1], -away[0]]) * rng.normal(-0.04, 0.04) * tail
    down = smooth([start, (start + turn) / 2 + rng.normal(0, 0.025, 2), turn])
    end = turn + away * tail * rng.uniform(0.95, 1.1)
    up = smooth([turn, turn + away * tail * 0.55 + bow, end])
    if rng.random() < 0.25:
        # A soft turn, as of a hand that does not stop.
        return [place.at(smooth(np.vstack([down[::6], up[3::6]])))]
    return [place.at(np.vstack([down, up[1:]]))]


def _large_cross(place: Place, strength: float, rng: Generator) -> list[Points]:
    return fill_with_cross(place.box, strength, rng)


def _large_tick(place: Place, strength: float, rng: Generator) -> list[Points]:
    return fill_with_tick(place.box, strength, rng)


def _hatch(place: Place, strength: float, rng: Generator) -> list[Points]:
    """Lines to and fro; few and far apart at strength 1."""
    lines = round(11 - 6 * strength + rng.normal(0, 0.7))
    unit = []
    for i, t in enumerate(np.linspace(0.06, 0.94, max(lines, 4))):
        half = 0.62 - abs(t - 0.5) * 0.9
        way = 1 if i % 2 else -1
        middle = np.array([t, t]) + rng.normal(0, 0.03, 2)
        unit.append(middle + way * half * rng.uniform(0.85, 1.1) * np.array([0.75, -0.75]))
    return [place.at(smooth(np.array(unit), 5))]


def _scribble(place: Place, strength: float, rng: Generator) -> list[Points]:
    """To and fro and round about within the box, further out the wilder."""
    turns = rng.uniform(6, 10)
    t = np.linspace(0, 1, round(turns * 8))
    reach = (0.40 + 0.14 * strength) * (1 + rng.normal(0, 0.10 + 0.1 * strength, (len(t), 2)))
    pace = turns * np.array([1.0, rng.uniform(0.72, 1.31)])
    angle = 2 * np.pi * t[:, None] * pace + rng.uniform(0, 2 * np.pi, 2)
    unit = 0.5 + np.sin(angle) * reach
    return [place.at(smooth(unit, 5))]


def _solid(place: Place, strength: float, rng: Generator) -> list[Points]:
    """The box filled line beside line, with a ragged edge."""
    inner = min(place.side, place.box.w, place.box.h)
    lines = max(round(inner / 0.34), 6)
    edge = 0.42 + 0.1 * strength
    unit = []
    for i, t in enumerate(np.linspace(0.5 - edge, 0.5 + edge, lines)):
        ends = 0.5 + np.array([-1, 1]) * (edge + rng.normal(0, 0.02 + 0.07 * strength, 2))
        pair = [(ends[0], t), (ends[1], t + rng.normal(0, 0.02))]
        unit += pair if i % 2 else pair[::-1]
    return [place.at(np.array(unit))]


def _dot(place: Place, strength: float, rng: Generator) -> list[Points]:
    """A dot made on purpose: 2.4 mm across, or 1.2 mm at strength 1."""
    radius_mm = (2.4 - 1.2 * strength) / 2 - 0.2
    middle = np.array(place.box.center) + rng.normal(0, 0.25, 2)
    t = np.linspace(0, 1, 26)
    angle = 2 * np.pi * 3.2 * t
    spiral = np.stack([np.cos(angle), np.sin(angle)], axis=1) * (t * radius_mm)[:, None]
    return [smooth(spiral + middle + rng.normal(0, 0.03, (len(t), 2)), 3)]


def _slash(place: Place, strength: float, rng: Generator) -> list[Points]:
    reach = 0.48 + 0.35 * strength
    angle = -np.pi / 4 + rng.normal(0, 0.1 + 0.15 * strength)
    if rng.random() < 0.2:
        angle = -angle
    along = np.array([np.cos(angle), np.sin(angle)]) * reach
    aside = np.array([-along[1], along[0]]) * rng.normal(0, 0.08)
    middle = rng.normal(0.5, 0.04 + 0.04 * strength, 2)
    return [place.at(smooth([middle - along, middle + aside, middle + along]))]


def _dash(place: Place, strength: float, rng: Generator) -> list[Points]:
    """A line across, as some write who mean 'this one'."""
    half = 0.4 + 0.25 * strength
    y = rng.normal(0.5, 0.06, 3)
    return [place.at(smooth([(0.5 - half, y[0]), (0.5, y[1]), (0.5 + half, y[2])]))]


def _beside(place: Place, strength: float, rng: Generator) -> list[Points]:
    """A tidy mark a quarter outside the box, or three quarters at strength 1."""
    away = rng.uniform(0, 2 * np.pi)
    reach = place.side * (0.25 + 0.5 * strength)
    near = place.moved(reach * np.cos(away), reach * np.sin(away))
    return (_cross if rng.random() < 0.5 else _tick)(near, 0.1, rng)


def _around(middle: tuple[float, float], half: tuple[float, float], rng: Generator) -> Points:
    """An oval drawn by hand: it starts anywhere and does not quite close."""
    t = np.linspace(0, 2 * np.pi * rng.uniform(0.93, 1.12), 22)
    start = rng.uniform(0, 2 * np.pi)
    grow = 1 + np.cumsum(rng.normal(0.004, 0.015, len(t)))
    ring = np.stack([np.cos(t + start), np.sin(t + start)], axis=1) * half
    return smooth(ring * grow[:, None] + middle, 4)


def _ring(place: Place, strength: float, rng: Generator) -> list[Points]:
    """A circle around the box, narrower the stronger."""
    reach = place.side * (0.95 - 0.25 * strength)
    half = (reach + (place.box.w - place.side) / 2, reach + (place.box.h - place.side) / 2)
    x, y = np.array(place.box.center) + rng.normal(0, 0.2, 2)
    return [_around((float(x), float(y)), half, rng)]


def _label(place: Place) -> Box:
    return place.label or place.box.grown(-0.15 * place.box.w, -0.15 * place.box.h)


def _ring_label(place: Place, strength: float, rng: Generator) -> list[Points]:
    label = _label(place)
    half = (label.w / 2 + 1.5, label.h / 2 + 1.2 + 1.2 * strength)
    return [_around(label.center, half, rng)]


def _underline(place: Place, strength: float, rng: Generator) -> list[Points]:
    label = _label(place)
    y = label.bottom + rng.normal(0.5, 0.2, 3) + np.array([0, 0, 0.8 * strength])
    ends = [(label.x - 0.5, y[0]), (label.center[0], y[1]), (label.right + 0.5, y[2])]
    return [smooth(ends)]


def _strike(place: Place, strength: float, rng: Generator) -> list[Points]:
    label = _label(place)
    y = label.center[1] + rng.normal(0, 0.3, 3) + np.array([-0.6, 0, 0.6]) * strength
    ends = [(label.x - 1.0, y[0]), (label.center[0], y[1]), (label.right + 1.0, y[2])]
    return [smooth(ends)] * (1 if strength < 0.5 else 2)


def _name_line(place: Place, strength: float, rng: Generator) -> list[Points]:
    """A line through a whole name, nearly level; it may begin late and end early."""
    label = _label(place)
    early = rng.uniform(-2.5, 0.8, 2) + (0.05 * label.w - 0.8) * max(strength - 0.6, 0) * 2.5
    y = label.center[1] + rng.normal(0, 0.02 + 0.05 * strength, 3) * label.h
    tilt = rng.normal(0, 0.05 + 0.1 * strength) * label.h
    ends = [
        (label.x + early[0], y[0] - tilt),
        (label.center[0], y[1]),
        (label.right - early[1], y[2] + tilt),
    ]
    return [smooth(ends)]


def _name_lines(place: Place, strength: float, rng: Generator) -> list[Points]:
    return [*_name_line(place, strength, rng), *_name_line(place, strength, rng)]


def _name_slant(place: Place, strength: float, rng: Generator) -> list[Points]:
    """From one corner of the name to the other."""
    label = _label(place)
    rise = label.h * (0.3 + 0.15 * strength) * (1 if rng.random() < 0.7 else -1)
    x, y = label.center
    half = label.w / 2 + rng.uniform(-0.5, 1.5)
    bow = rng.normal(0, 0.06) * label.h
    return [smooth([(x - half, y + rise), (x, y + bow), (x + half, y - rise)])]


def _name_crossed(place: Place, strength: float, rng: Generator) -> list[Points]:
    """Two lines from corner to corner."""
    label = _label(place)
    x, y = label.center
    half = label.w / 2 + rng.uniform(-0.5, 1.5)
    rise = label.h * (0.4 + 0.3 * strength)
    return [
        smooth(
            [(x - half, y + sign * rise), (x, y + rng.normal(0, 0.3)), (x + half, y - sign * rise)]
        )
        for sign in (1, -1)
    ]


def _name_wave(place: Place, strength: float, rng: Generator) -> list[Points]:
    """A wavy line, with more and higher waves the stronger."""
    label = _label(place)
    count = round(label.w / (7 - 3 * strength)) + 2
    x = np.linspace(label.x - 0.8, label.right + 0.8, count)
    side = np.where(np.arange(count) % 2, 1, -1) * label.h * (0.1 + 0.2 * strength)
    y = label.center[1] + side * rng.uniform(0.7, 1.2, count)
    return [smooth(np.stack([x, y], axis=1))]


def _name_scribble(place: Place, strength: float, rng: Generator) -> list[Points]:
    """To and fro over the whole name; wider apart the stronger."""
    label = _label(place)
    count = round(label.w / (0.7 + 0.7 * strength)) + 2
    x = np.linspace(label.x - 0.5, label.right + 0.5, count) + rng.normal(0, 0.1, count)
    side = np.where(np.arange(count) % 2, 1, -1) * label.h * (0.42 + 0.1 * strength)
    y = label.center[1] + side * rng.uniform(0.8, 1.15, count)
    return [smooth(np.stack([x, y], axis=1), 5)]


def _name_half(place: Place, strength: float, rng: Generator) -> list[Points]:
    """A line through part of a name only: of what it means nobody is sure."""
    label = _label(place)
    ends = np.array([-0.02, rng.uniform(0.3, 0.7)])
    if rng.random() < 0.5:
        ends = 1 - ends
    y = label.center[1] + rng.normal(0, 0.02 + 0.05 * strength, 2) * label.h
    return [smooth(np.stack([label.x + ends * label.w, y], axis=1))]


def _ring_words(place: Place, strength: float, rng: Generator) -> list[Points]:
    """A ring around words, which it may cut into at their ends the stronger."""
    label = _label(place)
    half = (label.w / 2 + 2.4 - 1.2 * strength, label.h / 2 + 1.5 - 0.9 * strength)
    x, y = np.array(label.center) + rng.normal(0, 0.25 + 0.25 * strength, 2)
    return [_around((float(x), float(y)), half, rng)]


def _box_words(place: Place, strength: float, rng: Generator) -> list[Points]:
    """A frame around words."""
    box = _label(place).grown(1.3 - 0.4 * strength, 1.1 - 0.5 * strength)
    corners = np.array(
        [(box.x, box.y), (box.right, box.y), (box.right, box.bottom), (box.x, box.bottom)]
    ) + rng.normal(0, 0.15 + 0.2 * strength, (4, 2))
    return [np.vstack([corners, corners[:1] + rng.normal(0, 0.3, 2)])]


def _line_below(place: Place, strength: float, rng: Generator) -> list[Points]:
    """A line under words, the more uneven the stronger; some draw two."""
    label = _label(place)
    lines = []
    for drop in (0.45, 1.15)[: 1 + (rng.random() < 0.25)]:
        y = label.bottom + drop + rng.normal(0, 0.1 + 0.15 * strength, 3)
        early = rng.uniform(-1.0, 0.4 + 0.05 * label.w * strength, 2)
        lines.append(
            smooth([(label.x + early[0], y[0]), (label.center[0], y[1]),
                    (label.right - early[1], y[2])])
        )  # fmt: skip
    return lines


def _blacken(place: Place, strength: float, rng: Generator) -> list[Points]:
    return [*_solid(place, strength, rng), *_scribble(place, 0.2, rng)]


def _hesitate(place: Place, strength: float, rng: Generator) -> list[Points]:
    """The pen rested: a point of 0.4 mm, or a short stroke of 1.3 mm at strength 1."""
    x, y = np.array(place.box.center) + rng.uniform(-0.22, 0.22, 2) * (place.side, place.side)
    length = 0.15 + 1.15 * strength
    angle = rng.uniform(0, 2 * np.pi)
    end = (x + length * np.cos(angle), y + length * np.sin(angle))
    return [smooth([(x, y), end], 4)]


def _erase(canvas: Canvas, place: Place, strength: float, hands: tuple[Hand, Generator]) -> None:
    """A pencil mark rubbed out: what is left of it, and the smear; more at strength 1."""
    hand, rng = hands
    around = place.box.grown(place.side)
    left, top, width, height = canvas.window(around)
    clean = Canvas(np.full((height, width), 255, np.uint8), canvas.dpi)
    shift = np.array([left, top]) / canvas.px_per_mm
    strokes = [stroke - shift for stroke in _cross(place, 0.3, rng)]
    draw_strokes(clean, strokes, hand, rng)
    ink = 1 - clean.picture.astype(np.float32) / 255
    rub = np.full((1, max(round(2.2 * canvas.px_per_mm), 3)), 1.0, np.float32)
    smear = cv2.filter2D(ink, -1, rub / rub.size)
    smear = cv2.GaussianBlur(smear, (0, 0), 0.35 * canvas.px_per_mm)
    left_over = (0.10 + 0.28 * strength) * ink + (0.10 + 0.25 * strength) * smear
    canvas.lay(np.asarray(left_over, np.float32), left, top, (0.2, 0.2, 0.2))


DEEDS = {
    "cross": Deed(_cross, marked=True, clear_to=1.0),
    "loop cross": Deed(_loop_cross, marked=True, clear_to=1.0),
    "tick": Deed(_tick, marked=True, clear_to=1.0),
    "large cross": Deed(_large_cross, marked=True, clear_to=1.0),
    "large tick": Deed(_large_tick, marked=True, clear_to=1.0),
    "hatch": Deed(_hatch, marked=True, clear_to=1.0),
    "scribble": Deed(_scribble, marked=True, clear_to=1.0),
    "solid": Deed(_solid, marked=True, clear_to=1.0),
    "dot": Deed(_dot, marked=True, clear_to=0.6),
    "slash": Deed(_slash, marked=True, clear_to=1.0),
    "dash": Deed(_dash, marked=True, clear_to=0.7),
    "beside": Deed(_beside, marked=True, clear_to=0.35),
    "ring": Deed(_ring, marked=True, clear_to=-1.0),
    "label ring": Deed(_ring_label, marked=True, clear_to=-1.0),
    "label underlined": Deed(_underline, marked=True, clear_to=-1.0),
    "hesitation": Deed(_hesitate, marked=False, clear_to=-1.0),
    "erased": Deed(_cross, marked=False, clear_to=-1.0),
    "blackened": Deed(_blacken, marked=False, clear_to=-1.0),
    "label struck": Deed(_cross, marked=False, clear_to=-1.0),
    "name line": Deed(_name_line, marked=True, clear_to=1.0),
    "name lines": Deed(_name_lines, marked=True, clear_to=1.0),
    "name slant": Deed(_name_slant, marked=True, clear_to=1.0),
    "name crossed": Deed(_name_crossed, marked=True, clear_to=1.0),
    "name wave": Deed(_name_wave, marked=True, clear_to=1.0),
    "name scribble": Deed(_name_scribble, marked=True, clear_to=1.0),
    "name half": Deed(_name_half, marked=False, clear_to=-1.0),
    "words ring": Deed(_ring_words, marked=True, clear_to=1.0),
    "words frame": Deed(_box_words, marked=True, clear_to=1.0),
    "words line below": Deed(_line_below, marked=True, clear_to=1.0),
}
"""Everything that is done at a target, by name."""
STRIKES = ("name line", "name lines", "name slant", "name crossed", "name wave", "name scribble")
"""How names are struck out, where that is how to vote."""
RINGS = ("words ring", "words frame", "words line below")
"""How words are marked, where that is how to answer."""
