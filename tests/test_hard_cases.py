"""Sheets of the hard world on which a mark was once lost or made up with nobody asked.

Each case is drawn anew by its seed; what it shows is named. None is read wrongly in silence now.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.trial import judge
from scanner.ballot import MarkState, PageReading, UnreadablePage
from scanner.forms.catalog import DEFAULT_FOLDER, list_forms
from scanner.forms.template import Form
from scanner.reading.interpret import Reader
from scanner.reading.pages import load_page
from tests.world.sheets import SHEETS_A_BATCH, DrawnSheet, draw_sheet, plan_batch

CASES = {
    "a dark fold through a roomy cell": 4920000634,
    "a dry tick on a fold": 4920000669,
    "dots of a stamp on a 1-bit scan": 4920000828,
    "a pale seal over a roomy cell": 3720000441,
    "letters of a seal over a roomy cell": 9240000283,
    "a seal over a box": 12360000257,
    "a stamp's border through a box": 12360000312,
    "a dash among lines that show through": 12360000222,
    "a highlighter in cells": 12600000026,
    "a highlighter on a grey page": 12600000249,
    "a highlighter beside a folded row": 9360000077,
    "a pale tick on the outline": 12600000138,
    "a crease along the outline": 12960000067,
    "a highlighter's tail in the cell above": 12960001838,
    "half a crease within a box": 36120000397,
    "a mark on the outline of one more option": 36120000140,
    "the ring of a stamp on a 1-bit scan": 36360000072,
    "a seal over a row that was left out": 36360001043,
    "the corner of a stamp in a cell": 18000000030,
    "a highlighter in a row with another mark": 18000000731,
    "a dry tick beside a filled box": 18000000965,
    "what a 1-bit scan leaves of a highlighter": 18120001795,
    "a filled box of the other side in a cell": 77000234,
    "a small dry tick on an outline": 18240000431,
    "a fold through a cell on a 1-bit scan": 18120001474,
    "a tick on the outline of one option too many": 18000002355,
    "a very pale pencil line in a row with another mark": 18360000484,
    "half on the outline and half inside, beside another mark": 19500000318,
    "filled boxes of the other side in cells": 20520000574,
    "a stamp's line through a box and behind its label": 20520000538,
    "the ring of a seal through a box": 20520005895,
    "a small tick over the lower outline": 20520007325,
    "dots of a highlighter on a 1-bit scan": 20640002241,
    "the rings of a red seal through a box": 20640002357,
    "a pale tick on the corner of a box": 20640002846,
    "the ring of a grey seal through a box": 20640002985,
    "two letters of a stamp within a box": 20880000304,
    "letters of a stamp in a box among its lines": 20880002324,
    "a stamp's border and a letter in a box": 20880002353,
    "a pale stamp under a blackened box": 20880004962,
    "a highlighter in boxes that a streak runs through": 21120007030,
    "the edge of a seal in a box": 20880005540,
    "the broken ring of a stamp in a box": 21360001978,
    "a highlighter in a box that a fold runs through": 21720001686,
    "a highlighter's blot in a box that a fold runs through": 21720001991,
    "a large cross that touches the one above": 21720004966,
    "dashes of a streak, with a speck, on a 1-bit scan": 20880004582,
    "a hatch over the upper outline on a 1-bit scan": 20880003536,
    "a highlighter's tick that touches the one above": 20880007906,
}
NO_MARKS = {
    "the year of a stamp in a cell": (20880000224, "m3/o5"),
    "a pale stamp over two cells": (20880001897, "m2/o1"),
    "a seal's letters in a cell": (20880006565, "m7/o4"),
    "a crease through a cell": (20880003618, "m6/o5"),
    "dashes of a streak through a cell": (20880004574, "m8/o4"),
    "a broken fold through a cell": (20880008036, "m8/o4"),
    "a letter of the other side in a box": (20880005148, "q2_3/o2"),
    "words of the other side in a cell": (20880007600, "m3/o1"),
    "the specks of a shadow on a 1-bit scan": (20880003852, "m4/o4"),
}
"""What once was read as a mark where only the voter's own, in the same row, made a person look."""


@pytest.fixture(scope="module")
def forms() -> list[Form]:
    return list_forms(Path(__file__).resolve().parents[1] / DEFAULT_FOLDER)


@pytest.fixture(scope="module")
def reader(forms: list[Form]) -> Reader:
    return Reader(forms)


@pytest.mark.parametrize("what", CASES)
def test_what_was_once_read_wrongly_is_read_rightly_or_asked_about(
    forms: list[Form], reader: Reader, tmp_path: Path, what: str
) -> None:
    record = judge(*_read(forms, reader, tmp_path, CASES[what]), (0.0, 0.0))
    assert record.silent == []
    assert record.status in ("read", "refused")


@pytest.mark.parametrize("what", NO_MARKS)
def test_what_no_voter_made_is_not_read_as_a_mark(
    forms: list[Form], reader: Reader, tmp_path: Path, what: str
) -> None:
    seed, target = NO_MARKS[what]
    _, reading = _read(forms, reader, tmp_path, seed)
    assert isinstance(reading, PageReading)
    states = {one.target: one.state for one in reading.targets}
    assert states[target] is not MarkState.MARKED


def _read(
    forms: list[Form], reader: Reader, folder: Path, seed: int
) -> tuple[DrawnSheet, PageReading | UnreadablePage]:
    sheet = draw_sheet(plan_batch("hard", forms, seed // SHEETS_A_BATCH), seed)
    path = folder / f"sheet{sheet.suffix}"
    path.write_bytes(sheet.data)
    return sheet, reader.read(load_page(path, 1, min_long_side_px=reader.min_long_side_px))
