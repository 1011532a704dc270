"""Blanks with known targets, questions and labels: those of test cases and those of our forms."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from scanner.forms.damage import Damage, damage_page, office_damage, transform_matrix
from scanner.forms.picture import load_blank
from scanner.forms.questions import QUESTIONS_FILE
from scanner.forms.template import Form, read_form
from scanner.geometry import MM_PER_INCH, Box, apply_homography
from scanner.registering.found import BlankSide, Shape
from scanner.registering.sides import load_sides

BLANK_PDF = "blank.pdf"


@dataclass(frozen=True, slots=True)
class TrueTarget:
    """A target that is there."""

    page: int
    box: Box
    """Millimetres of the blank."""
    shape: Shape
    contest: str
    label: str


@dataclass(frozen=True, slots=True)
class Blank:
    """One form as it is given to be registered, and what is true of it."""

    group: str
    """The set it belongs to."""
    name: str
    sides: tuple[BlankSide, ...]
    path: Path | None
    """The PDF; None for pictures."""
    targets: tuple[TrueTarget, ...]
    titles: dict[str, str]
    """The text of each contest; empty where the truth is not what is printed."""
    has_labels: bool
    """Whether the labels are those that are printed."""


def case_blanks(path: Path) -> Iterator[Blank]:
    """Every template of a ``case.json``.

    Raises:
        KeyError: The case lacks a field.
        KiemPhieuError: A blank cannot be read.
    """
    data = json.loads(path.read_text(encoding="utf-8-sig"))
    for template in data["templates"]:
        dpi = float(template.get("blank_dpi") or data["dpi"])
        sides, targets = [], []
        for page in template["pages"]:
            side = load_sides(path.parent / str(page["blank"]), dpi)[0]
            sides.append(replace(side, number=int(page["page"])))
            targets += [_case_target(item, int(page["page"]), dpi) for item in page["targets"]]
        # Some projects label a target by its number in their program: "expo1 #3 [0]".
        printed = not any("#" in target.label for target in targets)
        titles = {str(contest["id"]): "" for contest in template["contests"]}
        yield Blank(
            group=str(data["name"]),
            name=str(template["id"]),
            sides=tuple(sides),
            path=None,
            targets=tuple(targets),
            titles=titles,
            has_labels=printed,
        )


def form_blanks(folder: Path, seeds: Sequence[int]) -> Iterator[Blank]:
    """Every form of a folder that was drawn here: as its PDF, and as office scans of it.

    Args:
        folder: The folder of forms.
        seeds: One scan for each.
    """
    for place in sorted(folder.glob(f"*/{QUESTIONS_FILE}")):
        if not (place.parent / BLANK_PDF).is_file():
            continue
        form = read_form(place.parent)
        pdf = place.parent / BLANK_PDF
        yield _form_blank(form, "forms, PDF", tuple(load_sides(pdf)), pdf, {})
        for seed in seeds:
            yield scan_form(form, seed)


def scan_form(form: Form, seed: int) -> Blank:
    """The blank of a form as an office scanner gives it; its targets in the order of the form."""
    sides, damages = _scan(form, seed)
    return _form_blank(form, "forms, scan", sides, None, damages)


def _case_target(item: dict[str, Any], page: int, dpi: float) -> TrueTarget:
    scale = MM_PER_INCH / dpi
    box = Box(*(float(item[name]) for name in "xywh")).scaled(scale, scale)
    shape: Shape = "oval" if item.get("shape") in {"oval", "circle"} else "box"
    return TrueTarget(page, box, shape, str(item["contest"]), str(item.get("label", "")))


def _form_blank(
    form: Form,
    group: str,
    sides: tuple[BlankSide, ...],
    path: Path | None,
    damages: dict[int, Damage],
) -> Blank:
    targets = []
    for contest, option in form.targets():
        if option.shape == "label" or option.shape == "strike":
            # Words are no outline that could be found on a blank.
            continue
        shape: Shape = option.shape if option.shape != "arrow" else "box"
        side = next(side for side in sides if side.number == option.page)
        box = _moved(option.box, damages.get(option.page), side)
        targets.append(TrueTarget(option.page, box, shape, contest.id, option.label))
    titles = {contest.id: contest.title for contest in form.contests}
    return Blank(group, form.id, sides, path, tuple(targets), titles, has_labels=True)


def _scan(form: Form, seed: int) -> tuple[tuple[BlankSide, ...], dict[int, Damage]]:
    sides, damages = [], {}
    for page in form.pages:
        rng = np.random.default_rng([seed, page.number])
        gray = load_blank(form, page)
        dpi = gray.shape[1] / page.width_mm * MM_PER_INCH
        damages[page.number] = office_damage(rng)
        scan = damage_page(gray, damages[page.number], rng, dpi=dpi)
        sides.append(BlankSide(page.number, scan, dpi))
    return tuple(sides), damages


def _moved(box: Box, damage: Damage | None, side: BlankSide) -> Box:
    """Where a scan shows a box, but for the stretch of the feed, which is half a millimetre."""
    if damage is None:
        return box
    matrix = transform_matrix(damage, side.gray.shape, side.dpi)
    px = side.dpi / MM_PER_INCH
    x, y = (apply_homography(matrix, np.array([box.center]) * px) / px)[0]
    w, h = box.w * damage.scale, box.h * damage.scale
    return Box(float(x) - w / 2, float(y) - h / 2, w, h)
