"""Whole sheets of a world: planned by the batch, drawn one by one, with what is true of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.random import Generator

from scanner.forms.template import TEXT_SHAPES, Form, Page
from scanner.geometry import Box
from tests.world.canvas import Canvas, Colour, Picture, Points, chance
from tests.world.geometry import Geometry
from tests.world.habits import Filling, TargetTruth, Voter, fill_in, meet_voter, write_below
from tests.world.paper import BEFORE_WRITING, PAPER, fold_at
from tests.world.phones import hold_camera, photograph
from tests.world.scanners import Mode, Placing, Scanner, encode, lay_sheet, scan

World = Literal["conforming", "hard", "phone"]
WORLDS: tuple[World, ...] = ("conforming", "hard", "phone")
SHEETS_A_BATCH = 12
"""Sheets with the same form on the same paper through the same scanner."""

_MODES: tuple[Mode, ...] = ("bilevel", "grey", "colour")
_PHOTO_DPI = 200
_FAINT = ("soft pencil", "hard pencil", "dry ballpoint", "highlighter")
_SEEN_LEVELS = 18
_SEEN_MM2 = 0.7
"""A mark of which less is darker than what it lies on is not clear to anybody."""
_SWELLING_MM = 0.3
_BLOTCHED = 0.22


@dataclass(frozen=True, slots=True)
class Batch:
    """What a number of sheets have in common."""

    number: int
    world: World
    form: Form
    page: Page
    scanner: Scanner
    light: Colour
    photocopy: float
    """Strength; 0 for a form fresh from the printer."""
    long_side_px: int = 0
    """Of photographs; 0 for a scanner."""


@dataclass(frozen=True, slots=True, eq=False)
class DrawnSheet:
    """The file that comes from the scanner, and what is true of it."""

    seed: int
    batch: Batch
    voter: Voter
    paper: dict[str, float]
    """Strengths of what happened to the paper."""
    placing: dict[str, float]
    """Strengths of how it was laid or photographed."""
    truths: tuple[TargetTruth, ...]
    """In the order of the form's targets on that page."""
    geometry: Geometry
    data: bytes
    suffix: str


def plan_batch(world: World, forms: Sequence[Form], number: int) -> Batch:
    """The batch of a number; forms come about as often as they have targets."""
    rng = chance(number, world, "batch")
    pages = [(form, page) for form in forms for page in form.pages if form.targets_on(page.number)]
    form, page = pages[int(rng.integers(len(pages)))]
    hard = world == "hard"
    scanner = _set_up(rng, hard=hard)
    if world == "phone":
        mode: Mode = "colour" if rng.random() < 0.15 else "grey"
        scanner = Scanner(f"phone {mode}", _PHOTO_DPI, mode, int(rng.integers(60, 93)))
    copied = rng.random() < (0.25 if hard else 0.10)
    return Batch(
        number=number,
        world=world,
        form=form,
        page=page,
        scanner=scanner,
        light=_LIGHTS[int(rng.integers(len(_LIGHTS)))],
        photocopy=float(rng.beta(1.3, 1.5)) * (1.0 if hard else 0.3) if copied else 0.0,
        long_side_px=int(rng.choice([2000, 2600, 3200])) if world == "phone" else 0,
    )


_LIGHTS: tuple[Colour, ...] = ((0.114, 0.587, 0.299), (0.2, 0.7, 0.1), (0.33, 0.34, 0.33))
"""Grey scanners: by the eye's weights, by green light, by all colours alike."""


def _set_up(rng: Generator, *, hard: bool) -> Scanner:
    """A scanner as an office has it, or as the worst office has it."""
    weights = (0.25, 0.6, 0.15) if hard else (0.12, 0.78, 0.10)
    mode = _MODES[int(rng.choice(3, p=weights))]
    dpi = int(rng.choice([150, 200, 240, 300, 400] if hard else [200, 240, 300]))
    if mode == "bilevel":
        dpi = max(dpi, 200)
    flaws = {"noise": float(rng.beta(1.2, 2 if hard else 6))}
    often = 0.30 if hard else 0.18
    for name in ("dust", "blur", "light", "bands", "streaks", "washed", "sharpened"):
        if rng.random() < often and (hard or name not in ("streaks", "bands")):
            flaws[name] = float(rng.beta(1.3, 1.6)) * (1.0 if hard else 0.3)
    flaws.setdefault("washed", 0.08)
    return Scanner(
        name=f"{mode} {dpi}",
        dpi=dpi,
        mode=mode,
        quality=int(rng.integers(40, 96) if hard else rng.integers(70, 93)),
        threshold=float(rng.uniform(0.35, 0.75) if hard else rng.uniform(0.5, 0.65)),
        bed=int(rng.choice([252, 252, 235, 150, 12])) if hard else 252,
        flaws=flaws,
    )


def draw_sheet(batch: Batch, seed: int) -> DrawnSheet:
    """The sheet with that seed, of that batch."""
    hard = batch.world == "hard"
    voter = meet_voter(seed, hard=hard)
    canvas = Canvas(_printed(batch), float(batch.scanner.dpi), batch.light)
    is_faint = hard and (voter.hand.name in _FAINT or batch.scanner.mode == "bilevel")
    empty = replace(canvas, picture=canvas.picture.copy(), blots=[]) if is_faint else None
    filling = fill_in(canvas, batch.form, batch.page.number, voter, seed)
    targets = batch.form.targets_on(batch.page.number)
    if chance(seed, "writes").random() < 0.25:
        write_below(canvas, targets, voter, seed)
    paper = _fate(batch, seed)
    placing = _placing(batch, seed)
    seen, geometry = _digitise(batch, canvas, (paper, placing), seed)
    _lose(filling, canvas, batch, geometry)
    if empty is not None:
        bare, _ = _digitise(batch, empty, (paper, placing), seed)
        _see(filling, batch, geometry, (seen, bare))
    data, suffix = encode(seen, batch.scanner)
    truths = tuple(filling.truths[contest.id, option.id] for contest, option in targets)
    return DrawnSheet(seed, batch, voter, paper, placing, truths, geometry, data, suffix)


def _printed(batch: Batch) -> Picture:
    """A new copy of the form, as large as the scanner sees it."""
    path = batch.form.blank_path(batch.page)
    print_ = printed_form(path, batch.page.width_mm, batch.scanner.dpi)
    if batch.photocopy:
        print_ = _photocopied(path, batch.page.width_mm, batch.scanner.dpi, batch.photocopy)
    return np.dstack([print_] * 3) if batch.scanner.mode == "colour" else print_.copy()


def scan_empty(batch: Batch) -> Picture:
    """A sheet of the batch on which nobody wrote, laid straight, as its scanner sees it."""
    canvas = Canvas(_printed(batch), float(batch.scanner.dpi), batch.light)
    sheet_mm = batch.page.width_mm, batch.page.height_mm
    straight = lay_sheet(sheet_mm, batch.scanner.dpi, {}, batch.number)
    return scan(canvas.picture, canvas.px_per_mm, straight, batch.scanner, batch.number)


@lru_cache(maxsize=24)
def printed_form(path: Path, width_mm: float, dpi: int) -> Picture:
    """A blank at another resolution, with edges as sharp as a printer's."""
    blank = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
    if blank is None:
        raise ValueError(f"{path} is no picture")
    zoom = width_mm * dpi / 25.4 / blank.shape[1]
    size = (round(blank.shape[1] * zoom), round(blank.shape[0] * zoom))
    if zoom <= 1:
        return np.asarray(cv2.resize(blank, size, interpolation=cv2.INTER_AREA), np.uint8)
    soft = cv2.resize(blank, size, interpolation=cv2.INTER_CUBIC)
    steep = np.clip((np.arange(256, dtype=np.float32) - 128) * min(zoom, 2.0) + 128, 0, 255)
    return np.asarray(cv2.LUT(soft, steep.astype(np.uint8)), np.uint8)


@lru_cache(maxsize=2)
def _photocopied(path: Path, width_mm: float, dpi: int, strength: float) -> Picture:
    copy = Canvas(printed_form(path, width_mm, dpi).copy(), float(dpi))
    seed = round(strength * 1e6)
    BEFORE_WRITING["photocopy"](copy, strength, chance(seed, "photocopy"))
    return copy.picture


def _fate(batch: Batch, seed: int) -> dict[str, float]:
    """What happened to the paper of one sheet."""
    rng = chance(seed, "fate")
    if batch.world == "hard":
        count = int(rng.choice([0, 1, 2, 3], p=(0.15, 0.45, 0.28, 0.12)))
        names = rng.choice([*PAPER, "fold through target"], count, replace=False)
        return {str(name): float(rng.beta(1.3, 1.5)) for name in names}
    often = {"fold": 0.12, "staple": 0.05, "dirt": 0.08, "yellowed": 0.08}
    if len(batch.form.pages) > 1:
        often["show-through"] = 0.3
    return {
        name: 0.35 * float(rng.beta(1.3, 2))
        for name, share in often.items()
        if rng.random() < share
    }


def _placing(batch: Batch, seed: int) -> Placing:
    """How one sheet is laid on the glass, or photographed."""
    rng = chance(seed, "placing")
    if batch.world == "phone":
        usual = {"tilt": rng.random(), "turn": rng.beta(1.2, 2), "dim": rng.beta(1.2, 2)}
        usual |= {"noise": rng.beta(1.2, 3), "blur": rng.beta(1.2, 3)}
        seldom = {"shadow": 0.4, "bulge": 0.4, "shake": 0.25}
        usual |= {name: rng.beta(1.2, 2) for name, p in seldom.items() if rng.random() < p}
        return {name: float(value) for name, value in usual.items()}
    if batch.world == "conforming":
        placing = {
            "skew": min(abs(rng.normal(0, 0.1)), 0.3),
            "shift": rng.uniform(0, 0.3),
            "size": 0.3 * rng.beta(1, 2),
            "stretch": 0.2 * rng.random(),
        }
        return placing | ({"upside down": 1.0} if rng.random() < 0.03 else {})
    placing = {"skew": rng.beta(1, 2.5), "shift": rng.random(), "size": rng.beta(1, 1.5)}
    seldom = {"stretch": 0.6, "curl": 0.15, "clipped": 0.06, "small on large": 0.04}
    placing |= {name: float(rng.beta(1.2, 1.5)) for name, p in seldom.items() if rng.random() < p}
    return placing | ({"upside down": 1.0} if rng.random() < 0.1 else {})


def _digitise(
    batch: Batch, canvas: Canvas, what: tuple[dict[str, float], Placing], seed: int
) -> tuple[Picture, Geometry]:
    """What happened to the paper, and then the scanner or the telephone."""
    paper, placing = what
    for name, strength in paper.items():
        if name == "fold through target":
            _fold_through(batch, canvas, strength, seed)
        else:
            PAPER[name](canvas, strength, chance(seed, name))
    sheet_mm = batch.page.width_mm, batch.page.height_mm
    if batch.long_side_px:
        geometry = hold_camera(sheet_mm, batch.long_side_px, placing, seed)
        return photograph(canvas.picture, canvas.px_per_mm, geometry, placing, seed), geometry
    geometry = lay_sheet(sheet_mm, batch.scanner.dpi, placing, seed)
    return scan(canvas.picture, canvas.px_per_mm, geometry, batch.scanner, seed), geometry


def _fold_through(batch: Batch, canvas: Canvas, strength: float, seed: int) -> None:
    """A fold that runs through the boxes of a row or of a column."""
    rng = chance(seed, "fold through target")
    targets = batch.form.targets_on(batch.page.number)
    box = targets[int(rng.integers(len(targets)))][1].box
    down = bool(rng.random() < 0.4)
    start, length = (box.x, box.w) if down else (box.y, box.h)
    fold_at(canvas, start + length * rng.uniform(0.2, 0.8), strength, rng, down=down)


def _lose(filling: Filling, canvas: Canvas, batch: Batch, geometry: Geometry) -> None:
    """Targets that damage hides, or that the scan does not show, are not clear."""
    width, height = geometry.size
    targets = batch.form.targets_on(batch.page.number)
    corners = np.vstack([_corners(option.box.grown(1.0)) for _, option in targets])
    places = geometry.to_scan(corners).reshape(-1, 4, 2)
    for (contest, option), seen in zip(targets, places, strict=True):
        outside = seen.min() < 0 or seen[:, 0].max() > width or seen[:, 1].max() > height
        if outside or any(blot.overlaps(option.box) for blot in canvas.blots):
            _unclear(filling, contest.id, option.id)


def _corners(box: Box) -> Points:
    return np.array(
        [[box.x, box.y], [box.right, box.y], [box.x, box.bottom], [box.right, box.bottom]]
    )


def _unclear(filling: Filling, contest: str, option: str) -> None:
    key = contest, option
    filling.truths[key] = replace(filling.truths[key], clear=False)


def _see(
    filling: Filling, batch: Batch, geometry: Geometry, pictures: tuple[Picture, Picture]
) -> None:
    """Marks of which the scan shows nearly nothing, and boxes gone black, are not clear.

    Args:
        filling: What was meant; it is changed.
        batch: The form and the scanner.
        geometry: How the sheet lies.
        pictures: The scan, and the same scan of a sheet that nobody marked.
    """
    for contest, option in batch.form.targets_on(batch.page.number):
        truth = filling.truths[contest.id, option.id]
        # A mark may reach over its box; in a table, what is beyond the cell is another one's.
        beyond_mm = 0.0 if option.shape == "cell" else 0.3 * option.box.h
        box = option.box.grown(beyond_mm if truth.marked else -0.9)
        seen = geometry.to_scan(_corners(box))
        x0, y0 = np.maximum(seen.min(axis=0), 0).astype(int)
        x1, y1 = np.maximum(seen.max(axis=0), 0).astype(int) + 1
        here, before = (picture[y0:y1, x0:x1] for picture in pictures)
        if not here.size:
            continue
        if truth.marked and _seen_mm2(here, before, batch.scanner.dpi / 25.4) < _SEEN_MM2:
            _unclear(filling, contest.id, option.id)
        is_empty = not truth.marked and option.shape not in TEXT_SHAPES
        if is_empty and batch.scanner.mode == "bilevel" and (here == 0).mean() > _BLOTCHED:
            _unclear(filling, contest.id, option.id)


def _seen_mm2(here: Picture, before: Picture, px_per_mm: float) -> float:
    """How much of a mark stands clear of the print; print that only swells shows no mark."""
    darker = cv2.subtract(before, here)
    gray = before
    if before.ndim == 3:
        darker, gray = darker.max(axis=2), before.min(axis=2)
    print_ = (gray < 0.6 * float(np.percentile(gray, 90))).astype(np.uint8)
    side = 2 * round(_SWELLING_MM * px_per_mm) + 1
    near_print = cv2.dilate(print_, np.ones((side, side), np.uint8)) > 0
    return float(((darker > _SEEN_LEVELS) & ~near_print).sum()) / px_per_mm**2
