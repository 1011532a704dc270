"""A count whose figures are known: two batches, a breakdown, doubts, decisions, a blank sheet."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from PIL import Image

from scanner.counting.adjudication import Verdict
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.store import Store
from scanner.counting.tally_file import TallyFile, TallyUnit
from scanner.counting.tally_making import TallyHeading, make_tally
from scanner.forms.template import Contest, Form, Option, Page, read_form, write_form
from tests.stored_counts import Measured, ink, make_count, take_decision

AT = datetime(2026, 4, 2, 9, 30, tzinfo=UTC)
WARD = TallyHeading(unit=TallyUnit("w3", "Phường Ba"), period="2026-Q1")
EMPTY, CLEAR, WEAK = ink(0.001), ink(0.5), ink(0.11)
FIELDS = ("dat_dai", "tu_phap", "ho_tich")
FIELD, QUESTION, SEVERAL = "linh_vuc", "c1", "c2"
PLAIN = ("rất hài lòng", "hài lòng", "=1+1")

Sheet = tuple[Collection[int], Collection[int], Collection[int]]
"""Which options are marked, from 0: field, one answer, up to two."""

FIRST_BATCH: list[Sheet] = [
    *[({0}, {0}, {0, 1})] * 6,
    *[({0}, {1}, {0})] * 3,
    ({1}, {1}, {1}),
    ({1}, {0}, ()),
    ({1}, (), {2}),
]
SECOND_BATCH: list[Sheet] = [
    *[({1}, {2}, {1, 2})] * 4,
    ({2}, {0}, {0}),
    ((), {0, 1}, {0, 1, 2}),
    ((), (), ()),
]


def make_survey(folder: Path) -> Form:
    """A form of one page: a field of service, a question, and one with up to two answers."""
    path = folder / "khao-sat"
    path.mkdir(parents=True)
    Image.fromarray(np.full((297, 210), 210, np.uint8)).save(path / "page-1.png")
    names = {
        FIELD: ("Lĩnh vực", tuple(zip(FIELDS, ("Đất đai", "Tư pháp", "Hộ tịch"), strict=True))),
        QUESTION: ("Ông/bà hài lòng không?", tuple(zip("abc", PLAIN, strict=True))),
        SEVERAL: ("Cần cải tiến gì?", tuple(zip("xyz", ("Chỗ ngồi", "Giờ", "Khác"), strict=True))),
    }
    contests = tuple(
        Contest(
            id=name,
            title=title,
            max=2 if name == SEVERAL else 1,
            breakdown=name == FIELD,
            options=tuple(
                Option(id=option, label=label, x=20 + 20 * place, y=40 * row, w=4, h=4)
                for place, (option, label) in enumerate(options)
            ),
        )
        for row, (name, (title, options)) in enumerate(names.items(), 1)
    )
    page = Page(number=1, blank="page-1.png", width_mm=210, height_mm=297)
    write_form(Form(id="khao-sat", title="Phiếu khảo sát", pages=(page,), contests=contests), path)
    return read_form(path)


def make_figures(folder: Path) -> Path:
    """The count: 20 sheets, of which one is blank and one was in doubt until Lan decided."""
    form = make_survey(folder / "forms")
    count = folder / "phuong-3"
    doubtful = (*_targets({0}), WEAK, EMPTY, EMPTY, *_targets({2}))
    first = [[_sheet(one)] for one in FIRST_BATCH]
    make_count(count, form, [*first, [doubtful]])
    make_count(count, form, [[_sheet(one)] for one in SECOND_BATCH])
    take_decision(count, 13, Verdict.OPTIONS, QUESTION, "b")
    number = len(FIRST_BATCH) + 1 + SECOND_BATCH.index(((), {0, 1}, {0, 1, 2})) + 1
    take_decision(count, number, Verdict.OVERVOTE, QUESTION)
    take_decision(count, number, Verdict.OVERVOTE, SEVERAL)
    with Store(count) as store:
        store.set_papers(issued=25, collected=20)
    return count


def tally_of(count: Path, heading: TallyHeading = WARD) -> TallyFile:
    """The tally of a count."""
    with Store(count) as store:
        return make_tally(store, load_kept_forms(store), heading, at=AT)


def _sheet(sheet: Sheet) -> tuple[Measured, ...]:
    return tuple(one for marked in sheet for one in _targets(marked))


def _targets(marked: Collection[int]) -> list[Measured]:
    return [CLEAR if place in marked else EMPTY for place in range(3)]
