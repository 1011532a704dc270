"""Draws every effect of the known world at three strengths: a person sees whether it looks real.

python benchmarks/gallery.py [-o FOLDER] [--forms FOLDER] [--form ID] [--dpi 200] [--seed 1]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np

from benchmarks.commands import ROOT
from scanner.forms.catalog import find_form, list_forms
from scanner.forms.template import Contest, Form, Option
from scanner.geometry import Box
from tests.world.canvas import Canvas, Picture, chance
from tests.world.geometry import Geometry
from tests.world.habits import place_of
from tests.world.paper import BEFORE_WRITING, PAPER, fold_at
from tests.world.pens import PENS, take_pen
from tests.world.people import DEEDS, Place, draw_deed, write_remark
from tests.world.phones import PHONE_EFFECTS, hold_camera, photograph
from tests.world.scanners import FLAWS, PLACING, Scanner, lay_sheet, scan
from tests.world.sheets import WORLDS, draw_sheet, plan_batch, printed_form

STRENGTHS = (0.1, 0.5, 1.0)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_TITLE_PX = 26
_ACROSS = 6
Shown = tuple[str, Picture]


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw the sheets and say where they are.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, help="folder for the pictures")
    parser.add_argument("--forms", type=Path, default=ROOT / "form_templates")
    parser.add_argument("--form", default="tth5_phuong", help="the form that is shown")
    parser.add_argument("--dpi", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    output = options.output or Path(tempfile.mkdtemp(prefix="gallery-"))
    output.mkdir(parents=True, exist_ok=True)
    form = find_form(options.forms, options.form)
    show = Gallery(form, options.dpi, options.seed)
    sheets: dict[str, Callable[[], Iterator[Shown]]] = {
        "people": show.people,
        "pens": show.pens,
        "paper": show.paper,
        "scanners": show.scanners,
        "placing": show.placing,
        "phones": show.phones,
    }
    for name, draw in sheets.items():
        _save(output / f"{name}.png", list(draw()))
    for world in WORLDS:
        _save(output / f"world-{world}.png", list(show.world(world, list_forms(options.forms))))
    return 0


def _save(path: Path, shown: Sequence[Shown]) -> None:
    path.write_bytes(cv2.imencode(".png", contact_sheet(shown))[1].tobytes())
    print(path)


def contact_sheet(shown: Sequence[Shown]) -> Picture:
    """Pictures under their titles, some in a row, all in cells of the largest's size."""
    height = max(picture.shape[0] for _, picture in shown) + _TITLE_PX
    width = max(picture.shape[1] for _, picture in shown) + 8
    rows = -(-len(shown) // _ACROSS)
    sheet = np.full((rows * height, min(len(shown), _ACROSS) * width, 3), 255, np.uint8)
    for number, (title, picture) in enumerate(shown):
        top, left = (number // _ACROSS) * height, (number % _ACROSS) * width
        colour = picture if picture.ndim == 3 else cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
        y = top + _TITLE_PX
        sheet[y : y + picture.shape[0], left : left + picture.shape[1]] = colour
        cv2.putText(sheet, title, (left + 3, y - 8), _FONT, 0.48, (160, 0, 0), 1, cv2.LINE_AA)
    return sheet


class Gallery:
    """Draws one form with one effect at a time.

    Args:
        form: The form; its first page is shown.
        dpi: Of the scans.
        seed: Where all chance comes from.
    """

    def __init__(self, form: Form, dpi: int, seed: int) -> None:
        self._form = form
        self._page = form.pages[0]
        self._dpi = dpi
        self._seed = seed
        self._targets = form.targets_on(self._page.number)
        self._scanner = Scanner("grey", dpi, "grey", 80, flaws={"noise": 0.15, "washed": 0.1})

    def people(self) -> Iterator[Shown]:
        """Every deed, and a remark, with an ordinary pen; two hands each."""
        for name in DEEDS:
            for number, strength in enumerate((*STRENGTHS, *STRENGTHS)):
                pen = "soft pencil" if name == "erased" else "ballpoint"
                yield self._deed(name, strength, pen, self._seed + number)
        for number, strength in enumerate((*STRENGTHS, *STRENGTHS)):
            canvas, (_, option) = self._start()
            rng = chance(self._seed + number, "remark")
            line = Box(option.x - 12, option.y, 40, option.h)
            write_remark(canvas, line, strength, take_pen("ballpoint", rng), rng)
            yield f"remark {strength}", self._crop(canvas, option)

    def pens(self) -> Iterator[Shown]:
        """Every pen in a firm and in an unlike hand, in grey and in colour."""
        for name in PENS:
            for number, strength in enumerate((*STRENGTHS, *STRENGTHS)):
                deed = "cross" if number < len(STRENGTHS) else "tick"
                colour = number >= len(STRENGTHS)
                title, picture = self._deed(
                    deed, strength, name, self._seed + number, colour=colour
                )
                yield title.replace(deed, name), picture

    def paper(self) -> Iterator[Shown]:
        """Whole pages and a piece of each, at full size."""
        effects = {**PAPER, **BEFORE_WRITING, "fold through target": self._fold_through}
        for name, effect in effects.items():
            for strength in STRENGTHS:
                canvas, (_, option) = self._start()
                before = canvas.picture.copy()
                effect(canvas, strength, chance(self._seed, name))
                picture, _ = self._scan(canvas, {})
                changed = cv2.blur(cv2.absdiff(canvas.picture, before), (61, 61))
                everywhere = np.percentile(changed, 20) > 0
                at = cv2.minMaxLoc(changed)[3]
                middle = self._middle(option) if everywhere else (at[0], at[1])
                yield from self._whole_and_piece(f"{name} {strength}", picture, middle)

    def scanners(self) -> Iterator[Shown]:
        """Every flaw, every way to write the file."""
        for name in FLAWS:
            for strength in STRENGTHS:
                yield from self._through(f"{name} {strength}", {name: strength}, "grey", 80)
        for quality in (40, 70, 95):
            yield from self._through(f"JPEG {quality}", {"noise": 0.1}, "grey", quality)
        for threshold in (0.35, 0.55, 0.75):
            flaws = {"noise": 0.2, "light": 0.3}
            yield from self._through(f"bilevel {threshold}", flaws, "bilevel", 80, threshold)

    def placing(self) -> Iterator[Shown]:
        """Every way to lie on the glass."""
        for name in PLACING:
            for strength in STRENGTHS:
                canvas, (_, option) = self._start(marks=True)
                picture, geometry = self._scan(canvas, {name: strength})
                x, y = geometry.to_scan(np.array([option.box.center]))[0].astype(int)
                yield from self._whole_and_piece(f"{name} {strength}", picture, (int(x), int(y)))

    def phones(self) -> Iterator[Shown]:
        """Everything that befalls a photograph."""
        for name in PHONE_EFFECTS:
            for number, strength in enumerate(STRENGTHS):
                canvas, (_, option) = self._start(marks=True, colour=number == 1)
                sheet_mm = self._page.width_mm, self._page.height_mm
                strengths = {"tilt": 0.2, name: strength}
                geometry = hold_camera(sheet_mm, 2600, strengths, self._seed)
                picture = photograph(
                    canvas.picture, canvas.px_per_mm, geometry, strengths, self._seed
                )
                yield f"{name} {strength}", _reduced(picture, 420)
                x, y = geometry.to_scan(np.array([option.box.center]))[0].astype(int)
                top, left = max(y - 110, 0), max(x - 90, 0)
                yield "", _through_jpeg(picture[top : top + 300, left : left + 330], 75)

    def world(self, name: str, forms: Sequence[Form]) -> Iterator[Shown]:
        """Whole sheets as they come in a trial, each of another batch."""
        world = next(world for world in WORLDS if world == name)
        for number in range(2 * _ACROSS):
            batch = plan_batch(world, forms, self._seed * 1000 + number)
            sheet = draw_sheet(batch, self._seed * 100_000 + number)
            picture = cv2.imdecode(np.frombuffer(sheet.data, np.uint8), cv2.IMREAD_COLOR)
            if picture is not None:
                title = f"{sheet.voter.habit}, {sheet.voter.hand.name}, {batch.scanner.name}"
                yield title, _reduced(picture.astype(np.uint8), 560)

    def _start(
        self, *, marks: bool = False, colour: bool = False
    ) -> tuple[Canvas, tuple[Contest, Option]]:
        print_ = printed_form(
            self._form.blank_path(self._page), self._page.width_mm, self._dpi
        ).copy()
        canvas = Canvas(np.dstack([print_] * 3) if colour else print_, float(self._dpi))
        rng = chance(self._seed, "marks")
        hand = take_pen("ballpoint", rng)
        for contest, option in self._targets[::4] if marks else ():
            draw_deed(canvas, place_of(contest, option), "cross", 0.4, (hand, rng))
        return canvas, self._targets[len(self._targets) // 2 - 1]

    def _deed(
        self, name: str, strength: float, pen: str, seed: int, *, colour: bool = False
    ) -> Shown:
        canvas, (contest, option) = self._start(colour=colour)
        rng = chance(seed, name, pen)
        hand = take_pen(pen, rng, strength=strength if name in ("cross", "tick") else None)
        place: Place = place_of(contest, option)
        draw_deed(canvas, place, name, strength, (hand, rng))
        return f"{name} {strength}", self._crop(canvas, option)

    def _crop(self, canvas: Canvas, option: Option) -> Picture:
        return self._piece(self._scan(canvas, {})[0], self._middle(option))

    def _middle(self, option: Option) -> tuple[int, int]:
        x, y = option.box.center
        return round(x * self._dpi / 25.4), round(y * self._dpi / 25.4)

    def _piece(self, picture: Picture, middle: tuple[int, int]) -> Picture:
        scale = self._dpi / 25.4
        wide, high = int(40 * scale), int(23 * scale)
        x = int(np.clip(middle[0] - 13 * scale, 0, picture.shape[1] - wide))
        y = int(np.clip(middle[1] - 11 * scale, 0, picture.shape[0] - high))
        return picture[y : y + high, x : x + wide]

    def _scan(self, canvas: Canvas, placing: dict[str, float]) -> tuple[Picture, Geometry]:
        sheet_mm = self._page.width_mm, self._page.height_mm
        geometry = lay_sheet(sheet_mm, self._dpi, placing, self._seed)
        scanner = replace(self._scanner, bed=150) if placing else self._scanner
        picture = scan(canvas.picture, canvas.px_per_mm, geometry, scanner, self._seed)
        return _through_jpeg(picture, self._scanner.quality), geometry

    def _through(
        self, title: str, flaws: dict[str, float], mode: str, quality: int, threshold: float = 0.5
    ) -> Iterator[Shown]:
        canvas, (_, option) = self._start(marks=True)
        scanner = Scanner(
            title, self._dpi, "bilevel" if mode == "bilevel" else "grey", quality, threshold,
            flaws=flaws,
        )  # fmt: skip
        sheet_mm = self._page.width_mm, self._page.height_mm
        geometry = lay_sheet(sheet_mm, self._dpi, {}, self._seed)
        picture = scan(canvas.picture, canvas.px_per_mm, geometry, scanner, self._seed)
        if mode == "grey":
            picture = _through_jpeg(picture, quality)
        yield from self._whole_and_piece(title, picture, self._middle(option))

    def _whole_and_piece(
        self, title: str, picture: Picture, middle: tuple[int, int]
    ) -> Iterator[Shown]:
        yield title, _reduced(picture, 420)
        yield "", self._piece(picture, middle)

    def _fold_through(self, canvas: Canvas, strength: float, rng: np.random.Generator) -> None:
        _, option = self._start()[1]
        fold_at(canvas, option.box.center[1], strength, rng, down=False)


def _reduced(picture: Picture, height: int) -> Picture:
    zoom = height / picture.shape[0]
    small = cv2.resize(picture, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
    return small.astype(np.uint8, copy=False)


def _through_jpeg(picture: Picture, quality: int) -> Picture:
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_UNCHANGED), np.uint8)


if __name__ == "__main__":
    sys.exit(main())
