"""What a reader of any make said about sheets of known truth, and how often it was wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.plain_ink import best_limits
from benchmarks.tables import Cell
from tests.world.sheets import DrawnSheet

COLUMNS = (
    *("reader", "limits", "positions", "SILENT", "caught", "doubts", "asked %"),
    *("refused", "sheets/s"),
)
LEGEND = """
positions    clear targets on sheets that were not refused
SILENT       of these, read wrongly in a question about which nobody is asked; caught: where
             somebody is asked, if only because too many options are marked
doubts       of these, left in doubt
asked %      share of the sheets that a person is shown, refused ones among them"""


@dataclass(frozen=True, slots=True)
class SheetAnswer:
    """What one reader made of one sheet."""

    values: tuple[float, ...] | None
    """How sure or how dark each target is, in the order of the form; None for a refused sheet."""
    is_flagged: bool = False
    """Whether the reader says that a person should look at the sheet."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What one reader made of all sheets, with the limits that it comes with."""

    reader: str
    sheets: tuple[SheetAnswer, ...]
    seconds: float
    limits: tuple[float, float]
    """Up to the first a target is not marked, above the second it is, between them in doubt."""


def score(sheets: Sequence[DrawnSheet], answers: Answers, title: str, *, flags: bool) -> list[Cell]:
    """One row of the table.

    Args:
        sheets: What was drawn.
        answers: What was read, in the same order.
        title: What stands in the column of the limits.
        flags: Whether a person looks at the sheets that the reader flags.
    """
    counts = np.zeros(4, int)
    asked_sheets = refused = 0
    for sheet, answer in zip(sheets, answers.sheets, strict=True):
        if answer.values is None:
            refused += 1
            asked_sheets += 1
            continue
        found, is_asked = _score_sheet(sheet, answer, answers.limits, flags=flags)
        counts += found
        asked_sheets += is_asked
    speed = len(sheets) / max(answers.seconds, 1e-9)
    share = 100 * asked_sheets / max(len(sheets), 1)
    return [answers.reader, title, *counts.tolist(), share, refused, speed]


def _score_sheet(
    sheet: DrawnSheet, answer: SheetAnswer, limits: tuple[float, float], *, flags: bool
) -> tuple[list[int], bool]:
    """Positions, silent errors, caught errors and doubts; and whether a person sees the sheet."""
    values = np.array(answer.values)
    taken = values > limits[1]
    doubtful = (values > limits[0]) & ~taken
    most = {contest.id: contest.max for contest in sheet.batch.form.contests}
    contests = np.array([truth.contest for truth in sheet.truths])
    asked = np.full(len(contests), flags and answer.is_flagged)
    for contest in set(contests.tolist()):
        here = contests == contest
        asked |= here & bool(doubtful[here].any() or taken[here].sum() > most[contest])
    clear = np.array([truth.clear for truth in sheet.truths])
    wrong = clear & ~doubtful & (taken != np.array([truth.marked for truth in sheet.truths]))
    counts = [clear.sum(), (wrong & ~asked).sum(), (wrong & asked).sum(), (clear & doubtful).sum()]
    return [int(count) for count in counts], bool(asked.any())


def fit(sheets: Sequence[DrawnSheet], answers: Answers, doubts: int) -> tuple[float, float]:
    """The limits with the fewest silent errors on these very sheets, for so many doubts."""
    most = {contest.id: contest.max for contest in sheets[0].batch.form.contests}
    rows = [
        (value, f"{sheet.seed}/{truth.contest}", most[truth.contest], truth.marked, truth.clear)
        for sheet, answer in zip(sheets, answers.sheets, strict=True)
        if answer.values is not None
        for value, truth in zip(answer.values, sheet.truths, strict=True)
    ]
    values, contests, allowed, marked, clear = (
        np.array(column) for column in zip(*rows, strict=True)
    )
    numbers = np.unique(contests, return_inverse=True)[1]
    most_doubts = min(doubts, int(clear.sum()))
    verdict = best_limits(values, (numbers, allowed), (marked, clear), most_doubts)
    return verdict.low, verdict.high
