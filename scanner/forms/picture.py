"""A registered form as a picture: its blank with the targets drawn on it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.errors import FormError
from scanner.forms.template import Form, Page
from scanner.geometry import Box
from scanner.messages import gettext as _

Colour = tuple[int, int, int]
ColourImage = NDArray[np.uint8]

_PAPER_SHARE = 0.45
"""How much of the blank's own darkness stays, so that the drawing stands out."""
_ZONE_COLOUR: Colour = (110, 110, 110)
_COMMENT_COLOUR: Colour = (120, 120, 0)
_DASH_MM = 2.0
_CONTEST_COLOURS: tuple[Colour, ...] = (
    (178, 76, 0),
    (30, 30, 200),
    (20, 120, 20),
    (150, 20, 150),
    (0, 110, 190),
)
"""For the contests in turn, in OpenCV's order blue-green-red."""


def load_blank(form: Form, page: Page) -> NDArray[np.uint8]:
    """The blank of a page, in grey, shape (height, width).

    Raises:
        FormError: The file is missing or broken.
    """
    path = form.blank_path(page)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FormError(
            _("The blank cannot be opened ({reason}).").format(reason=error.strerror or error),
            remedy=_("Import the form again."),
            path=path,
        ) from error
    gray = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) if data else None
    if gray is None:
        raise FormError(
            _("The blank is no picture."), remedy=_("Import the form again."), path=path
        )
    return gray.astype(np.uint8, copy=False)


def draw_form(form: Form, page: Page) -> ColourImage:
    """The blank of a page, faded, with each target framed and numbered.

    The number is the target's place in the form, from 1; each contest has a colour. Private
    zones are crossed out; places for comments have a dashed frame.

    Returns:
        Shape (height, width, 3), blue-green-red.

    Raises:
        FormError: The blank is missing or broken.
    """
    gray = load_blank(form, page)
    faded = 255 - (255 - gray.astype(np.float32)) * _PAPER_SHARE
    canvas = cv2.cvtColor(faded.astype(np.uint8), cv2.COLOR_GRAY2BGR).astype(np.uint8, copy=False)
    scale = gray.shape[1] / page.width_mm, gray.shape[0] / page.height_mm
    line_px = max(1, round(0.25 * scale[0]))
    colours = {contest.id: _colour(index) for index, contest in enumerate(form.contests)}
    for number, (contest, option) in enumerate(form.targets(), start=1):
        if option.page == page.number:
            box = option.box.scaled(*scale).grown(line_px)
            _draw_frame(canvas, box, colours[contest.id], line_px)
            _draw_number(canvas, box, number, (colours[contest.id], line_px))
    for zone in form.private:
        if zone.page == page.number:
            box = Box(zone.x, zone.y, zone.w, zone.h).scaled(*scale)
            _draw_frame(canvas, box, _ZONE_COLOUR, line_px)
            left_top, right_bottom = _corners(box)
            cv2.line(canvas, left_top, right_bottom, _ZONE_COLOUR, line_px)
    for comment in form.comments:
        if comment.page == page.number:
            _draw_dashes(canvas, comment.box.scaled(*scale), round(_DASH_MM * scale[0]), line_px)
    return canvas


def encode_png(image: NDArray[np.uint8]) -> bytes:
    """A picture as the bytes of a PNG file."""
    return cv2.imencode(".png", image)[1].tobytes()


def _colour(index: int) -> Colour:
    return _CONTEST_COLOURS[index % len(_CONTEST_COLOURS)]


def _corners(box: Box) -> tuple[tuple[int, int], tuple[int, int]]:
    return (round(box.x), round(box.y)), (round(box.right), round(box.bottom))


def _draw_frame(canvas: ColourImage, box: Box, colour: Colour, line_px: int) -> None:
    left_top, right_bottom = _corners(box)
    cv2.rectangle(canvas, left_top, right_bottom, colour, line_px)


def _draw_dashes(canvas: ColourImage, box: Box, dash_px: int, line_px: int) -> None:
    (left, top), (right, bottom) = _corners(box)
    for x in range(left, right, 2 * dash_px):
        for y in (top, bottom):
            cv2.line(canvas, (x, y), (min(x + dash_px, right), y), _COMMENT_COLOUR, line_px)
    for y in range(top, bottom, 2 * dash_px):
        for x in (left, right):
            cv2.line(canvas, (x, y), (x, min(y + dash_px, bottom)), _COMMENT_COLOUR, line_px)


def _draw_number(canvas: ColourImage, box: Box, number: int, pen: tuple[Colour, int]) -> None:
    """The number, as high as half its box, in the middle of it."""
    colour, line_px = pen
    text = str(number)
    (width, height), _below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 2)
    size = min(0.55 * box.h / height, 0.8 * box.w / width)
    x = round(box.center[0] - size * width / 2)
    y = round(box.center[1] + size * height / 2)
    thickness = max(1, line_px // 2)
    cv2.putText(
        canvas, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, size, colour, thickness, cv2.LINE_AA
    )
