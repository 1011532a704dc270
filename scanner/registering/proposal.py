"""A draft drawn on its blank: numbered targets, contests in colours, and what was read, beside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import fontpkg
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from scanner.forms.template import Contest, Form, Option, Page
from scanner.geometry import Box
from scanner.messages import gettext as _

Colour = tuple[int, int, int]
Gray = NDArray[np.uint8]

_PAPER_SHARE = 0.6
_LONG_SIDE_PX = 2000
_PANEL_SHARE = 0.62
"""Width of the list beside the page, of the page's width."""
_LETTER_SHARE = 1 / 110
"""Size of the letters, of the page's height."""
_SMALLEST_LETTER_PX = 12
_COLOURS: tuple[Colour, ...] = (
    (0, 76, 178),
    (200, 30, 30),
    (20, 120, 20),
    (150, 20, 150),
    (190, 100, 0),
    (0, 120, 130),
)
_TALLEST_NUMBER_MM = 4.5
_ZONE_COLOUR: Colour = (110, 110, 110)


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    colour: Colour
    indent: int = 0


def draw_proposal(gray: Gray, form: Form, page: Page) -> Image.Image:
    """One page of a draft as a picture for a person to check.

    The numbers are the targets' places in the form, from 1, as in the list of doubts.

    Args:
        gray: The blank, shape (height, width).
        form: The draft.
        page: Which page of it.

    Returns:
        The page, and to its right the questions and options as they were read.
    """
    scale = min(_LONG_SIDE_PX / max(gray.shape), 2.0)
    size = round(gray.shape[1] * scale), round(gray.shape[0] * scale)
    faded = 255 - (255 - gray.astype(np.float32)) * _PAPER_SHARE
    sheet = Image.fromarray(faded.astype(np.uint8)).resize(size, Image.Resampling.LANCZOS)
    lines = list(_lines(form, page))
    letter = max(round(size[1] * _LETTER_SHARE), _SMALLEST_LETTER_PX)
    wrapped = _wrap(lines, load_letters(letter), round(size[0] * _PANEL_SHARE) - 3 * letter)
    height = max(size[1], round((len(wrapped) + 3) * letter * 1.5))
    canvas = Image.new("RGB", (round(size[0] * (1 + _PANEL_SHARE)), height), "white")
    canvas.paste(sheet, (0, 0))
    pen = ImageDraw.Draw(canvas)
    _draw_targets(pen, form, page, size[0] / page.width_mm)
    pen.line([(size[0], 0), (size[0], height)], fill=_ZONE_COLOUR)
    for row, line in enumerate(wrapped, start=1):
        place = size[0] + letter * (1 + line.indent), round(row * letter * 1.5)
        pen.text(place, line.text, fill=line.colour, font=load_letters(letter))
    return canvas


def _lines(form: Form, page: Page) -> Iterator[_Line]:
    numbers = {id(option): n for n, (_contest, option) in enumerate(form.targets(), start=1)}
    for index, contest in enumerate(form.contests):
        here = [option for option in contest.options if option.page == page.number]
        if not here:
            continue
        colour = _colour(index)
        title = contest.title or _("(no text)")
        yield _Line(f"{contest.id} · {title}{_at_most(contest)}", colour)
        for option in here:
            yield _Line(f"{numbers[id(option)]}  {option.label or _('(no text)')}", colour, 2)
    if any(zone.page == page.number for zone in form.private):
        yield _Line(_("Grey: private, never read."), _ZONE_COLOUR)


def _at_most(contest: Contest) -> str:
    if contest.max == 1:
        return ""
    return " " + _("(up to {count})").format(count=contest.max)


def _colour(index: int) -> Colour:
    return _COLOURS[index % len(_COLOURS)]


def _wrap(lines: Sequence[_Line], font: ImageFont.FreeTypeFont, width_px: int) -> list[_Line]:
    """Lines no wider than the panel."""
    done: list[_Line] = []
    for line in lines:
        row = ""
        for word in line.text.split(" "):
            longer = f"{row} {word}".lstrip() if row.strip() else word
            if row and font.getlength(longer) > width_px:
                done.append(_Line(row, line.colour, line.indent))
                row = word
            else:
                row = longer
        done.append(_Line(row, line.colour, line.indent))
    return done


def _draw_targets(pen: ImageDraw.ImageDraw, form: Form, page: Page, scale: float) -> None:
    thick = max(2, round(0.35 * scale))
    for zone in form.private:
        if zone.page == page.number:
            box = Box(zone.x, zone.y, zone.w, zone.h).scaled(scale, scale)
            pen.rectangle(_corners(box), outline=_ZONE_COLOUR, width=thick)
            pen.line(_corners(box), fill=_ZONE_COLOUR, width=1)
    number = 0
    for index, contest in enumerate(form.contests):
        for option in contest.options:
            number += 1
            if option.page == page.number:
                _draw_target(pen, option, number, (_colour(index), thick, scale))


def _draw_target(
    pen: ImageDraw.ImageDraw, option: Option, number: int, style: tuple[Colour, int, float]
) -> None:
    """The frame of a target with its number, as large as fits, in the middle."""
    colour, thick, scale = style
    box = option.box.scaled(scale, scale)
    pen.rectangle(_corners(box.grown(thick)), outline=colour, width=thick)
    text = str(number)
    size = max(8, round(min(0.8 * box.h, 1.5 * box.w / len(text), _TALLEST_NUMBER_MM * scale)))
    pen.text(box.center, text, fill=colour, font=load_letters(size), anchor="mm")


def _corners(box: Box) -> tuple[float, float, float, float]:
    return box.x, box.y, box.right, box.bottom


def load_letters(size_px: int) -> ImageFont.FreeTypeFont:
    """The letters of pictures, which have every Vietnamese accent."""
    return ImageFont.truetype(str(fontpkg.path("Noto Serif")), size_px)
