"""The price of limits as a picture: what people look at above, what nobody would see below."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

import fontpkg
from PIL import Image, ImageDraw, ImageFont

from scanner.counting.prices import Price
from scanner.errors import BadArgumentsError
from scanner.forms.workshop import open_whole
from scanner.messages import gettext as _

LEAST_SHOWN = 1e-4
"""Fewer silent errors than this are shown as fewer than this."""

Colour = tuple[int, int, int]

_FINER = 2
"""Drawn so many times larger, and reduced, for smooth lines."""
_WIDTH_PX, _HEIGHT_PX = 1200, 820
_LEFT_PX, _RIGHT_PX = 70, 30
_SHEETS_PX = (110, 390)
"""Top and bottom of the upper panel."""
_ERRORS_PX = (470, 720)
_TEXT_PX, _TITLE_PX = 17, 23
_INK: Colour = (35, 35, 40)
_GREY: Colour = (110, 110, 118)
_GRID: Colour = (226, 226, 230)
_BAND: Colour = (255, 243, 214)
_BARS: Colour = (70, 130, 180)
_LINE: Colour = (178, 60, 40)


@dataclass(frozen=True, slots=True)
class _Pen:
    """A canvas on which everything is placed in pixels of the finished picture."""

    canvas: ImageDraw.ImageDraw

    def box(self, left: float, top: float, right: float, bottom: float, fill: Colour) -> None:
        self.canvas.rectangle([_FINER * n for n in (left, top, right, bottom)], fill=fill)

    def line(self, points: Sequence[tuple[float, float]], fill: Colour, width_px: float) -> None:
        flat = [(_FINER * x, _FINER * y) for x, y in points]
        self.canvas.line(flat, fill=fill, width=round(_FINER * width_px), joint="curve")

    def dot(self, x: float, y: float, radius_px: float, fill: Colour) -> None:
        corners = (x - radius_px, y - radius_px, x + radius_px, y + radius_px)
        self.canvas.ellipse([_FINER * n for n in corners], fill=fill)

    def text(self, x: float, y: float, text: str, anchor: str, fill: Colour = _INK) -> None:
        at = (_FINER * x, _FINER * y)
        self.canvas.text(at, text, font=_font(_TEXT_PX), anchor=anchor, fill=fill)

    def title(self, x: float, y: float, text: str) -> None:
        at = (_FINER * x, _FINER * y)
        self.canvas.text(at, text, font=_font(_TITLE_PX), anchor="lm", fill=_INK)


def write_plot(prices: Sequence[Price], name: str, path: Path) -> None:
    """Draw prices, as :func:`draw_prices` does, into a PNG file.

    Raises:
        BadArgumentsError: The name of the file does not end in ``.png``.
        StorageError: It cannot be written there.
    """
    if path.suffix.lower() != ".png":
        raise BadArgumentsError(_("The plot is a PNG picture: give a name that ends in .png."))
    data = io.BytesIO()
    draw_prices(prices, name).save(data, "PNG")
    with open_whole(path) as file:
        file.write(data.getvalue())


def draw_prices(prices: Sequence[Price], name: str) -> Image.Image:
    """A column for each pair of limits, loose to tight; those in force stand on a band.

    Args:
        prices: One or more.
        name: Of the count, for the title.
    """
    image = Image.new("RGB", (_FINER * _WIDTH_PX, _FINER * _HEIGHT_PX), "white")
    pen = _Pen(ImageDraw.Draw(image))
    step = (_WIDTH_PX - _LEFT_PX - _RIGHT_PX) / len(prices)
    places = [_LEFT_PX + step * (number + 0.5) for number in range(len(prices))]
    pen.title(_LEFT_PX, 38, _("What the limits cost: {count}").format(count=name))
    for price, x in zip(prices, places, strict=True):
        if price.is_present:
            pen.box(x - step / 2, _SHEETS_PX[0] - 34, x + step / 2, _ERRORS_PX[1] + 62, _BAND)
    _draw_sheets(pen, prices, places, step)
    _draw_errors(pen, prices, places)
    _draw_limits(pen, prices, places)
    return image.resize((_WIDTH_PX, _HEIGHT_PX), Image.Resampling.LANCZOS)


def errors_in_words(errors: float) -> str:
    """An expected number of errors: ``12.3``, ``0.042``, ``< 0.0001``."""
    if errors < LEAST_SHOWN:
        return "0" if errors == 0 else f"< {LEAST_SHOWN:.4f}"
    if errors >= 100:
        return f"{errors:.0f}"
    # Two digits, and never an exponent.
    return f"{errors:.{max(1, 1 - math.floor(math.log10(errors)))}f}"


def limit_in_words(limit: float) -> str:
    """A limit as it can be typed again: ``0.98``, never with an exponent."""
    return f"{Decimal(str(limit)):f}"


def _draw_sheets(pen: _Pen, prices: Sequence[Price], places: Sequence[float], step: float) -> None:
    top, bottom = _SHEETS_PX
    pen.text(_LEFT_PX, top - 20, _("Sheets that a person looks at"), "lm", _GREY)
    most = max(1, *(price.sheets for price in prices))
    pen.line([(_LEFT_PX, bottom), (_WIDTH_PX - _RIGHT_PX, bottom)], _GREY, 1.5)
    for price, x in zip(prices, places, strict=True):
        # Room above the highest bar for its two lines of text.
        height = (bottom - top - 50) * price.sheets / most
        if price.sheets:
            pen.box(x - step * 0.3, bottom - height, x + step * 0.3, bottom, _BARS)
        share = 100 * price.sheets / max(1, price.all_sheets)
        digits = 0 if share == 0 or share >= 10 else 1
        pen.text(x, bottom - height - 34, str(price.sheets), "mm")
        pen.text(x, bottom - height - 14, f"{share:.{digits}f} %", "mm", _GREY)


def _draw_errors(pen: _Pen, prices: Sequence[Price], places: Sequence[float]) -> None:
    top, bottom = _ERRORS_PX
    heading = _(
        "Silent errors to expect if the probabilities are true; from line to line ten times"
    )
    pen.text(_LEFT_PX, top - 30, heading, "lm", _GREY)
    shown = [max(price.silent_errors, LEAST_SHOWN) for price in prices]
    low = math.floor(math.log10(min(shown)))
    high = max(low + 1, math.ceil(math.log10(max(shown))))
    height = (bottom - top) / (high - low)
    for decade in range(low, high + 1):
        y = bottom - (decade - low) * height
        pen.line([(_LEFT_PX, y), (_WIDTH_PX - _RIGHT_PX, y)], _GRID, 1.0)
        pen.text(_LEFT_PX - 8, y, f"{10.0**decade:.{max(0, -decade)}f}", "rm", _GREY)
    points = [
        (x, bottom - (math.log10(errors) - low) * height)
        for x, errors in zip(places, shown, strict=True)
    ]
    pen.line(points, _LINE, 2.5)
    for (x, y), price in zip(points, prices, strict=True):
        pen.dot(x, y, 5, _LINE)
        # The line comes from the upper left and goes to the lower right: this stands clear.
        pen.text(x + 4, y - 16, errors_in_words(price.silent_errors), "lm")


def _draw_limits(pen: _Pen, prices: Sequence[Price], places: Sequence[float]) -> None:
    y = _ERRORS_PX[1]
    for price, x in zip(prices, places, strict=True):
        marked, unmarked = "", ""
        if price.limits is not None:
            marked = limit_in_words(price.limits.marked)
            unmarked = limit_in_words(price.limits.unmarked)
        pen.text(x, y + 24, marked, "mm")
        pen.text(x, y + 46, unmarked, "mm")
    words = _(
        "Limits: marked from the upper figure on, not marked up to the lower one. On the band:"
        " those in force."
    )
    pen.text(_LEFT_PX, y + 80, words, "lm", _GREY)


@cache
def _font(size_px: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(fontpkg.path("Noto Serif")), _FINER * size_px)
