"""Tiny pages whose pixels say what is to be read on them, and the reader that reads them so.

With them the tests of a count run through files, database and processes in milliseconds a page.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import cv2
import numpy as np

from scanner.ballot import (
    MarkState,
    PageReading,
    Reason,
    TargetMeasures,
    TargetReading,
    UnreadablePage,
)
from scanner.forms.template import Contest, Form, Option, Page, read_form, write_form
from scanner.reading.pages import PageImage
from scanner.settings import Settings

HEIGHT_PX, WIDTH_PX = 200, 16
UNKNOWN, BLANK, CRASH, DEADLY, ENDLESS = 255, 254, 253, 252, 251
STATES = (MarkState.UNMARKED, MarkState.MARKED, MarkState.DOUBTFUL)
DELAY_VARIABLE = "FAKE_READER_DELAY_MS"


def make_form(folder: Path, form_id: str, pages: int = 2, choices: int = 1) -> Form:
    """Register a form with one contest of three options on each page."""
    path = folder / form_id
    path.mkdir(parents=True)
    contests = []
    for number in range(1, pages + 1):
        (path / f"page-{number}.png").write_bytes(_png(np.full((60, 40), 200 + number, np.uint8)))
        options = tuple(
            Option(id=f"o{n}", label=f"Phương án {n}", page=number, x=20, y=20 * n, w=4, h=4)
            for n in (1, 2, 3)
        )
        contests.append(
            Contest(id=f"c{number}", title=f"Câu {number}", max=choices, options=options)
        )
    form = Form(
        id=form_id,
        title=f"Mẫu {form_id}",
        pages=tuple(
            Page(number=n, blank=f"page-{n}.png", width_mm=210, height_mm=297)
            for n in range(1, pages + 1)
        ),
        contests=tuple(contests),
    )
    write_form(form, path)
    return read_form(path)


def draw_page(
    path: Path, form: int, page: int, marks: Sequence[int] = (0, 0, 0), *, voter: int = 0
) -> Path:
    """Write a page: number of its form among the forms by id, page, and a state a target."""
    image = np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8)
    image[0, :2] = form, page
    image[0, 2 : 2 + len(marks)] = marks
    image[1, :3] = voter // 250, voter % 250, page
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_png(image))
    return path


def draw_pile(folder: Path, voters: int, *, form: int = 0) -> list[Path]:
    """A pile of two-sided sheets, one file a page; voter n marks option n mod 3 on both."""
    files = []
    for voter in range(voters):
        for page in (1, 2):
            marks = [int(voter % 3 == option) for option in range(3)]
            name = folder / f"{voter:03d}-{page}.png"
            files.append(draw_page(name, form, page, marks, voter=voter))
    return files


@dataclass(frozen=True)
class FakeFactory:
    """Makes fake readers, in this or another process."""

    forms: tuple[Form, ...]
    settings: Settings
    cache: Path | None = None

    def __call__(self) -> FakeReader:
        """A reader that knows these forms."""
        return FakeReader(list(self.forms))


class FakeReader:
    """Reads what the pixels say."""

    min_long_side_px = 0

    def __init__(self, forms: Sequence[Form]) -> None:
        self._forms = forms
        self._delay_s = float(os.environ.get(DELAY_VARIABLE, "0")) / 1000

    def read(self, image: PageImage) -> PageReading | UnreadablePage:
        """Read one page."""
        time.sleep(self._delay_s)
        kind, page, *marks = (int(value) for value in image.gray[0])
        if kind == CRASH:
            raise ZeroDivisionError("a page that trips the reader")
        if kind == DEADLY:
            os._exit(9)
        if kind == ENDLESS:
            time.sleep(3600)
        if kind >= len(self._forms):
            reason = Reason.BLANK_PAGE if kind == BLANK else Reason.UNKNOWN_FORM
            return UnreadablePage(reason, {"features_in_agreement": 3.0})
        form = self._forms[kind]
        targets = tuple(
            TargetReading(
                contest.id,
                option.id,
                STATES[mark],
                mark / 2,
                TargetMeasures(*(0.1 * mark for _ in fields(TargetMeasures))),
                (Reason.UNCLEAR_MARK,) if mark == 2 else (),
            )
            for (contest, option), mark in zip(form.targets_on(page), marks, strict=False)
        )
        return PageReading(
            form=form.id,
            form_hash=form.content_hash,
            page=page,
            rotation=0,
            homography=(10.0, 0, 0, 0, 15.0, 0, 0, 0, 1),
            targets=targets,
            evidence={"features_in_agreement": 99.0},
        )


def _png(image: np.ndarray) -> bytes:
    done, data = cv2.imencode(".png", image)
    assert done
    return data.tobytes()
