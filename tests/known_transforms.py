"""Sheets laid on a scan by transforms that are known exactly, with all that drags an alignment."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from scanner.forms.template import Form, Page
from scanner.geometry import Box
from scanner.reading.raster import PageImage
from tests.world.canvas import Canvas, Points, chance
from tests.world.geometry import Bend, Geometry
from tests.world.paper import PAPER, fold_at
from tests.world.scanners import Scanner, lay_sheet, scan
from tests.world.sheets import printed_form

_MOST_JUMP_MM = 0.6
"""By how much print is displaced where a folded sheet rises from the glass."""
_MARKED = 0.4
_MARK_WIDTH_MM = 1.1


@dataclass(frozen=True, slots=True, eq=False)
class LaidSheet:
    """A scan, and where it shows the form."""

    form: Form
    page: Page
    geometry: Geometry
    image: PageImage
    effects: tuple[str, ...]


def lay_known(form: Form, page: Page, seed: int) -> LaidSheet:
    """A sheet turned by up to 5°, of 90 to 110 % size, shifted, stretched by up to 2 %, curled,
    folded, streaked, and with heavy marks over the outlines of its boxes; not all of it at once.
    """
    rng = chance(seed, "known")
    dpi = int(rng.choice([150, 200, 300]))
    sheet_mm = page.width_mm, page.height_mm
    canvas = Canvas(printed_form(form.blank_path(page), page.width_mm, dpi).copy(), float(dpi))
    for _, option in form.targets_on(page.number):
        if rng.random() < _MARKED:
            _mark_heavily(canvas, option.box, rng)
    effects = [name for name in ("fold", "crease", "streaks", "jump") if rng.random() < 0.3]
    if "fold" in effects:
        box = form.targets_on(page.number)[0][1].box
        fold_at(canvas, box.center[1], float(rng.random()), rng, down=False)
        fold_at(canvas, box.center[0], float(rng.random()), rng, down=True)
    if "crease" in effects:
        PAPER["crease"](canvas, float(rng.random()), rng)
    placing = {name: float(rng.random()) for name in ("skew", "shift", "size")}
    placing |= {name: float(rng.random()) for name in ("stretch", "curl") if rng.random() < 0.5}
    geometry = lay_sheet(sheet_mm, dpi, placing, seed)
    if "jump" in effects:
        geometry = _with_jump(geometry, rng)
    flaws = {"noise": 0.2 * float(rng.random()), "blur": 0.5 * float(rng.random())}
    flaws |= {"streaks": float(rng.random())} if "streaks" in effects else {}
    gray = scan(
        canvas.picture, canvas.px_per_mm, geometry, Scanner("", dpi, "grey", flaws=flaws), seed
    )
    height, width = gray.shape[:2]
    return LaidSheet(
        form, page, geometry, PageImage(gray, 1, (width, height), ""), (*effects, *placing)
    )


def _mark_heavily(canvas: Canvas, box: Box, rng: Generator) -> None:
    """A felt pen's cross or scribble through a box and over its outline."""
    scale = canvas.px_per_mm
    reach = rng.uniform(0.9, 1.6) * min(box.w, box.h) / 2
    middle = np.array(box.center) + rng.normal(0, 0.15 * min(box.w, box.h), 2)
    ends: Points = np.array([[-1, -1], [1, 1], [1, -1], [-1, 1]], np.float64)
    if rng.random() < 0.5:
        ends = np.column_stack([np.resize([-1.0, 1.0], 8), np.linspace(-1, 1, 8)])
    points = np.rint((middle + ends * reach * rng.uniform(0.8, 1.2, ends.shape)) * scale * 16)
    width = max(round(_MARK_WIDTH_MM * rng.uniform(0.5, 1.0) * scale), 1)
    level = (float(rng.uniform(10, 70)),)
    if len(points) == 4:
        for start, end in points.astype(int).reshape(2, 2, 2):
            cv2.line(canvas.picture, start.tolist(), end.tolist(), level, width, cv2.LINE_AA, 4)
    else:
        cv2.polylines(
            canvas.picture, [points.astype(np.int32)], False, level, width, cv2.LINE_AA, 4
        )


def _with_jump(geometry: Geometry, rng: Generator) -> Geometry:
    """The same, with all below a fold displaced by a fraction of a millimetre."""
    lag = geometry.bend.lag_mm
    steps = np.linspace(0, 1, 400)
    finer = np.stack([np.interp(steps, np.linspace(0, 1, len(lag)), one) for one in lag.T], axis=1)
    finer[steps > rng.uniform(0.3, 0.7)] += rng.uniform(-_MOST_JUMP_MM, _MOST_JUMP_MM, 2)
    bend = Bend(np.asarray(finer, np.float64), geometry.bend.curl_mm)
    return Geometry(geometry.to_scan_px, geometry.size, geometry.sheet_mm, bend)
