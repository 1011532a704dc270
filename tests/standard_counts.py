"""A count with everything that a report has to say: doubts, decisions, void and refused sheets."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from scanner.counting.adjudication import Decision, Verdict
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.results import decide, now
from scanner.counting.store import Store
from scanner.forms.template import Contest, Form, Option, Page, read_form, write_form
from tests.stored_counts import Measured, ink, make_count

Shape = Literal["box", "strike"]

EMPTY, CLEAR, WEAK, STRUCK = ink(0.001), ink(0.5), ink(0.11), ink(0.97)
QUESTIONS = (("q1", 1, 3), ("q 2", 2, 4))
NAMES, SEATS = 4, 2


def make_mixed_form(folder: Path, *, breakdown: bool = False) -> Form:
    """A form with a question, one with up to two answers, and a ballot with names to strike.

    Args:
        folder: Where it goes.
        breakdown: The first question says who answers.
    """
    path = folder / "bau-cu"
    path.mkdir(parents=True)
    _done, blank = cv2.imencode(".png", np.full((60, 40), 200, np.uint8))
    (path / "page-1.png").write_bytes(blank.tobytes())
    contests = [
        Contest(id=name, title="Câu hỏi\u2028thứ", max=most, options=_options(row, 4, number))
        for row, (name, most, number) in enumerate(QUESTIONS)
    ]
    contests[0] = contests[0].model_copy(update={"breakdown": breakdown})
    contests.append(
        Contest(id="ten", title="Bầu", max=SEATS, options=_options(5, 40, NAMES, "strike"))
    )
    form = Form(
        id="bau-cu",
        title="Phiếu, bầu",
        pages=(Page(number=1, blank="page-1.png", width_mm=210, height_mm=297),),
        contests=tuple(contests),
    )
    write_form(form, path)
    return read_form(path)


def _options(row: int, width: int, number: int, shape: Shape = "box") -> tuple[Option, ...]:
    return tuple(
        Option(
            id=f"o{n}", label=f'"Số" {n}', shape=shape, x=45 * n - 40, y=20 + 30 * row, w=width, h=4
        )
        for n in range(1, number + 1)
    )


def sheet_of(
    first: Sequence[int], second: Sequence[int], struck: Sequence[int]
) -> tuple[tuple[Measured, ...], ...]:
    """One page: which options have a mark, by their numbers from 1; below 0 a weak one."""
    page = []
    wanted = ((first, 3, CLEAR), (second, 4, CLEAR), (struck, NAMES, STRUCK))
    for marked, number, mark in wanted:
        for n in range(1, number + 1):
            page.append(mark if n in marked else WEAK if -n in marked else EMPTY)
    return (tuple(page),)


SHEETS = (
    sheet_of([1], [1, 2], [1, 2]),
    sheet_of([2], [3], [1, 4]),
    sheet_of([], [], [1, 2, 3]),
    sheet_of([3], [1, 2, 3], [3, 4]),
    sheet_of([-1], [4], [1, 2]),
    sheet_of([1, 2], [2], [2, 4]),
    sheet_of([1], [1], [1, 3]),
)
"""1, 2 clean; 3 short of answers; 4, 6 with too many marks; 5 with a weak one; 7 clean."""


def make_mixed_count(folder: Path) -> Path:
    """A count of two batches, decided in part; sheet 6 waits, sheet 7 was refused by a person."""
    form = make_mixed_form(folder / "forms")
    count = make_count(folder / "count", form, SHEETS[:5])
    make_count(count, form, SHEETS[5:])
    decide_on(count, 4, Verdict.OVERVOTE, "q 2")
    decide_on(count, 5, Verdict.OPTIONS, "q1", "o3")
    decide_on(count, 7, Verdict.REFUSE)
    return count


def make_random_count(folder: Path, seed: int, sheets: int = 40) -> Path:
    """A count of random marks; some of what is in doubt is decided at random."""
    chance = random.Random(seed)
    form = make_mixed_form(folder / "forms")
    pages = [
        sheet_of(*(_some(chance, number) for number in (3, 4, NAMES))) for _sheet in range(sheets)
    ]
    count = make_count(folder / "count", form, pages)
    with Store(count) as store:
        waiting = [
            (record.sheet, reading.contest)
            for record in store.sheets()
            for reading in record.contests
            if reading.reasons
        ]
    for sheet, contest in waiting:
        verdict = chance.choice([Verdict.BLANK, Verdict.OVERVOTE, Verdict.OPTIONS, None])
        if verdict is Verdict.OPTIONS:
            decide_on(count, sheet, verdict, contest, chance.choice(["o1", "o2", "o3"]))
        elif verdict is not None:
            decide_on(count, sheet, verdict, contest)
    return count


def decide_on(
    count: Path, sheet: int, verdict: Verdict, contest: str | None = None, *options: str
) -> None:
    """Decide on a sheet, as a person does."""
    with Store(count) as store:
        made = Decision(sheet, verdict, "Nguyễn Thị Lan", "nhìn rõ", now(), contest, options)
        decide(store, load_kept_forms(store), made)


def _some(chance: random.Random, number: int) -> list[int]:
    found = chance.sample(range(1, number + 1), chance.choice([0, 1, 1, 1, 2, 2, 3]))
    return [-found[0], *found[1:]] if found and chance.random() < 0.15 else found
