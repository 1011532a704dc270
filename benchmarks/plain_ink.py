"""A plain ink threshold: how much is dark within a box whose place is known, and no more."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.forms.template import Form, Page
from scanner.geometry import Box
from tests.world.geometry import Geometry
from tests.world.scanners import lay_sheet
from tests.world.sheets import DrawnSheet, printed_form

MEASURES = (
    *("mean inside", "dark inside", "darkish inside"),
    *("mean in and around", "dark in and around", "darkish in and around"),
)
"""Mean darkness, or the share of pixels darker than half or a quarter of black; of the inside of
the outline, or of the box and half a millimetre around it. All less what the blank has there."""

_GROWN_MM = (-0.6, 0.5)
_DARK = (0.5, 0.25)
_PX_PER_MM = 8.0
_BLANK_DPI = 300
_TRIED = 300

Gray = NDArray[np.uint8]
Numbers = NDArray[np.float64]
Questions = tuple[NDArray[np.intp], NDArray[np.int_]]
Truth = tuple[NDArray[np.bool_], NDArray[np.bool_]]


def measure_ink(sheet: DrawnSheet, scan: Gray) -> list[tuple[float, ...]]:
    """The plain measures of every target of a sheet, in the order of the form's targets.

    Args:
        sheet: The sheet; only how it lies is taken from it, and of which form it is.
        scan: Its picture, shape (h, w).
    """
    form, page = sheet.batch.form, sheet.batch.page
    there = _measure_page(form, page, scan, sheet.geometry)
    return [
        tuple(a - b for a, b in zip(one, blank, strict=True))
        for one, blank in zip(there, _measure_blank(form.id, form, page), strict=True)
    ]


_blanks: dict[tuple[str, int], list[tuple[float, ...]]] = {}


def _measure_blank(name: str, form: Form, page: Page) -> list[tuple[float, ...]]:
    key = name, page.number
    if key not in _blanks:
        blank = printed_form(form.blank_path(page), page.width_mm, _BLANK_DPI)
        flat = lay_sheet((page.width_mm, page.height_mm), _BLANK_DPI, {}, 0)
        _blanks[key] = _measure_page(form, page, blank, flat)
    return _blanks[key]


def _measure_page(
    form: Form, page: Page, scan: Gray, geometry: Geometry
) -> list[tuple[float, ...]]:
    black, paper = np.percentile(scan[::5, ::5], (0.5, 75))
    measures = []
    for _, option in form.targets_on(page.number):
        row: list[float] = []
        for grown in _GROWN_MM:
            part = _cut_out(scan, geometry, option.box.grown(grown))
            darkness = np.clip((paper - part) / max(paper - black, 1), 0, 1)
            row += [float(darkness.mean()), *(float((darkness > d).mean()) for d in _DARK)]
        measures.append(tuple(row))
    return measures


def _cut_out(scan: Gray, geometry: Geometry, box: Box) -> Numbers:
    across, down = (_middles(side) for side in (box.w, box.h))
    points = np.stack(np.meshgrid(box.x + across, box.y + down), axis=-1)
    places = geometry.to_scan(points.reshape(-1, 2)).astype(np.float32).reshape(points.shape)
    part = cv2.remap(scan, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return np.asarray(part, np.float64)


@lru_cache(maxsize=64)
def _middles(side_mm: float) -> Numbers:
    count = max(round(side_mm * _PX_PER_MM), 4)
    return np.asarray((np.arange(count) + 0.5) * (side_mm / count))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What two limits make of many targets."""

    low: float
    high: float
    """Up to ``low`` a target is not marked, from ``high`` on it is; between them it is in doubt."""
    positions: int
    silent: int
    caught: int
    doubts: int
    seen: int


def best_limits(ink: Numbers, questions: Questions, truth: Truth, doubts: int) -> Verdict:
    """The limits with the fewest silent errors that leave at most so many clear targets in doubt.

    Args:
        ink: Of every target.
        questions: The number of each target's question, and how many of that may be chosen.
        truth: Whether it is marked, and whether that is clear.
        doubts: How many clear targets may be in doubt.
    """
    marked, clear = truth
    order = np.argsort(ink[clear], kind="stable")
    values, is_marked = ink[clear][order], marked[clear][order]
    missed = np.concatenate([[0], np.cumsum(is_marked)])
    invented = np.concatenate([np.cumsum((~is_marked)[::-1])[::-1], [0]])
    # A limit lies between two values: equal ones stay together.
    steps = np.concatenate([[0], np.flatnonzero(np.diff(values)) + 1, [len(values)]])
    ends = steps[np.searchsorted(steps, steps + doubts, side="right") - 1]
    best = np.argsort(missed[steps] + invented[ends], kind="stable")[:_TRIED]
    edges = np.concatenate([[-np.inf], (values[1:] + values[:-1]) / 2, [np.inf]])
    verdicts = (
        judge_limits(ink, questions, truth, (float(edges[low]), float(edges[high])))
        for low, high in zip(steps[best], ends[best], strict=True)
    )
    return min(verdicts, key=lambda verdict: (verdict.silent, verdict.caught))


def best_limits_seen(ink: Numbers, questions: Questions, truth: Truth, seen: int) -> Verdict:
    """The same with the widest band that puts no more clear targets than so before a person."""
    low, high = 0, seen
    best = best_limits(ink, questions, truth, 0)
    while low < high:
        middle = (low + high + 1) // 2
        verdict = best_limits(ink, questions, truth, middle)
        if verdict.seen <= seen:
            low, best = middle, verdict
        else:
            high = middle - 1
    return best


def judge_limits(
    ink: Numbers,
    questions: Questions,
    truth: Truth,
    limits: tuple[float, float],
) -> Verdict:
    """What two limits make of all targets; a question with a doubt or too many marks is asked."""
    numbers, most = questions
    marked, clear = truth
    taken, doubtful = ink > limits[1], (ink > limits[0]) & (ink <= limits[1])
    count = int(numbers.max()) + 1
    too_many = np.bincount(numbers, taken, count)[numbers] > most
    asked = too_many | (np.bincount(numbers, doubtful, count)[numbers] > 0)
    wrong = clear & ~doubtful & (taken != marked)
    return Verdict(
        *limits,
        positions=int(clear.sum()),
        silent=int((wrong & ~asked).sum()),
        caught=int((wrong & asked).sum()),
        doubts=int((clear & doubtful).sum()),
        seen=int((clear & asked).sum()),
    )
