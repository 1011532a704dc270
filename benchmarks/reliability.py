"""Whether predicted probabilities can be believed, and why targets are left in doubt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from benchmarks.tables import Cell

BINS = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.99, 0.997, 0.999, 1.0)
"""Edges of the bins of the reliability table, over the predicted probability of a mark."""
ENOUGH = 100
"""Cases of which a bin must have so many to be judged."""
SLACK = 0.001
TIMES = 2.0

Row = dict[str, Cell]


def reliability_rows(bins: Iterable[Mapping[int, Sequence[float]]]) -> list[Row]:
    """The reliability table of many sheets.

    Args:
        bins: Of each sheet, by number of the bin: clear targets, how many of them are marked, and
            the sum of their predicted probabilities.

    Returns:
        One row for each bin that has a case. ``holds`` says of bins with ``ENOUGH`` cases whether
        the share that is otherwise than the nearer certainty is at most twice as large as
        predicted, or 0.1 %, whichever is larger.
    """
    totals: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for sheet in bins:
        for number, counts in sheet.items():
            for place, value in enumerate(counts):
                totals[number][place] += value
    return [_row(number, totals[number]) for number in sorted(totals)]


def _row(number: int, counts: Sequence[float]) -> Row:
    cases, marked, total = counts
    predicted, observed = total / cases, marked / cases
    is_low = BINS[number] < 0.5
    expected, found = (predicted, observed) if is_low else (1 - predicted, 1 - observed)
    holds = found <= max(TIMES * expected, SLACK) + 1e-12
    return {
        "bin": f"{BINS[number]} .. {BINS[number + 1]}",
        "cases": int(cases),
        "marked": int(marked),
        "predicted": f"{predicted:.5f}",
        "observed": f"{observed:.5f}",
        "error predicted": f"{expected:.5f}",
        "error observed": f"{found:.5f}",
        "holds": ("yes" if holds else "NO") if cases >= ENOUGH else "-",
    }


def in_words(rows: Sequence[Row]) -> list[str]:
    """One line: whether every bin holds, or which do not."""
    judged = [row for row in rows if row["holds"] != "-"]
    broken = [str(row["bin"]) for row in judged if row["holds"] == "NO"]
    said = f"not in {', '.join(broken)}" if broken else "in all of them"
    return [f"calibration: {len(judged)} bins have {ENOUGH} cases or more; it holds {said}"]


def doubt_rows(reasons: Iterable[Mapping[str, Sequence[int]]]) -> list[Row]:
    """Why clear targets are in doubt; one with two reasons counts under both.

    Args:
        reasons: Of each sheet, by reason: how many unmarked and how many marked targets.
    """
    totals: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for sheet in reasons:
        for reason, (unmarked, marked) in sheet.items():
            for place, value in enumerate((unmarked, marked, 1)):
                totals[reason][place] += value
    return [
        {
            "reason": reason,
            "targets": unmarked + marked,
            "unmarked": unmarked,
            "marked": marked,
            "sheets": sheets,
        }
        for reason, (unmarked, marked, sheets) in sorted(
            totals.items(), key=lambda item: -item[1][0] - item[1][1]
        )
    ]
