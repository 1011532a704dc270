"""Small printed forms for the tests of decks, checks and look-alikes, drawn in a moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.forms.template import (
    Contest,
    Form,
    Option,
    Page,
    Rule,
    read_form,
    write_form,
)

DPI = 200
PX_PER_MM = DPI / 25.4
A5_MM = (148.0, 210.0)
A4_MM = (210.0, 297.0)
ROW_MM = 22.0
FIRST_ROW_MM = 60.0

Shape = Literal["box", "oval", "cell"]


@dataclass(frozen=True)
class Asked:
    """One contest of a small form."""

    id: str
    options: int = 3
    max: int = 1
    shape: Shape = "box"
    size_mm: tuple[float, float] = (4.5, 4.5)
    step_mm: float = 36.0


def px(mm: float) -> int:
    return round(mm * PX_PER_MM)


def make_small_form(
    folder: Path,
    form_id: str = "small",
    asked: Sequence[Asked] = (Asked("q1"), Asked("q2"), Asked("q3", 4, 2)),
    *,
    size_mm: tuple[float, float] = A5_MM,
    rule: Rule | None = None,
    heading: str = "Survey of the people who came to the office",
) -> Form:
    """Draw and register a one-page form: a heading, a frame of text, and a row for each contest."""
    place = folder / form_id
    place.mkdir(parents=True)
    contests = tuple(
        Contest(
            id=one.id,
            title=f"Question {one.id}",
            max=one.max,
            options=tuple(_options(one, FIRST_ROW_MM + ROW_MM * row)),
        )
        for row, one in enumerate(asked)
    )
    form = Form(
        id=form_id,
        title=f"Form {form_id}",
        rule=rule or Rule(),
        pages=(Page(number=1, blank="page-1.png", width_mm=size_mm[0], height_mm=size_mm[1]),),
        contests=contests,
    )
    write_blank(place / "page-1.png", draw_small_blank(form, heading))
    write_form(form, place)
    return read_form(place)


def write_blank(path: Path, gray: NDArray[np.uint8]) -> None:
    path.write_bytes(cv2.imencode(".png", gray)[1].tobytes())


def draw_small_blank(form: Form, heading: str) -> NDArray[np.uint8]:
    """The blank of a small form."""
    page = form.pages[0]
    gray = np.full((px(page.height_mm), px(page.width_mm)), 255, np.uint8)
    write(gray, heading, 12, 20, 0.9)
    for line in range(4):
        write(
            gray,
            f"{line + 1}. Please mark what you think of item {line * 7 + 3}",
            12,
            28 + 6 * line,
        )
    for contest in form.contests:
        row_mm = contest.options[0].y
        write(gray, f"{contest.title}: how was it, in your eyes?", 12, row_mm - 4)
        for number, option in enumerate(contest.options, start=1):
            draw_target(gray, option)
            if option.shape != "cell":
                write(gray, f"answer {number}", option.x + option.w + 2, option.y + option.h - 0.7)
    write(gray, "Thank you very much indeed for your answers", 12, page.height_mm - 18)
    write(gray, "Office of the ward, second floor, room 12", 60, page.height_mm - 12)
    return gray


def draw_target(gray: NDArray[np.uint8], option: Option) -> None:
    left, top = px(option.x), px(option.y)
    right, bottom = px(option.x + option.w), px(option.y + option.h)
    if option.shape == "oval":
        middle = (left + right) // 2, (top + bottom) // 2
        half = (right - left) // 2, (bottom - top) // 2
        cv2.ellipse(gray, middle, half, 0, 0, 360, 0, 2, cv2.LINE_AA)
    else:
        cv2.rectangle(gray, (left, top), (right, bottom), 0, 2)


def write(gray: NDArray[np.uint8], text: str, x_mm: float, y_mm: float, size: float = 0.6) -> None:
    at = px(x_mm), px(y_mm)
    cv2.putText(gray, text, at, cv2.FONT_HERSHEY_COMPLEX, size, 0, 1, cv2.LINE_AA)


def _options(one: Asked, y_mm: float) -> list[Option]:
    width, height = one.size_mm
    return [
        Option(
            id=f"o{number}",
            label=f"answer {number}",
            shape=one.shape,
            x=14.0 + one.step_mm * (number - 1),
            y=y_mm,
            w=width,
            h=height,
        )
        for number in range(1, one.options + 1)
    ]
