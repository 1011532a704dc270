"""What reading a batch of a trial gains, or loses, by what its sheets show together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from benchmarks.sheet_record import SheetRecord
from benchmarks.tables import Cell
from scanner.ballot import PageReading, UnreadablePage
from scanner.counting.batch_grey import Greys
from scanner.forms.template import Form
from scanner.reading.batch import has_no_stroke
from scanner.settings import Settings

Result = PageReading | UnreadablePage

EVIDENCE_COLUMNS = ("doubts of the batch", "positions", "SILENT", "doubts", "caught", "asked %")
JUDGED_TWICE = ("silent", "doubts", "caught", "asked")


def settle_batch(results: Sequence[Result], forms: Iterable[Form]) -> list[Result]:
    """The pages of one batch with the doubts settled that a count would settle."""
    by_id = {form.id: form for form in forms}
    pages = [page for page in results if isinstance(page, PageReading)]
    weights: defaultdict[tuple[str, str, str], list[float]] = defaultdict(list)
    for page in pages:
        for target in page.targets:
            if has_no_stroke(target.measures):
                weights[page.form, target.contest, target.option].append(target.measures.weight)
    greys, settings = Greys(lambda: weights, by_id.values()), Settings()
    return [
        page
        if isinstance(page, UnreadablePage)
        else replace(
            page,
            targets=tuple(
                greys.settle(target, by_id[page.form], settings) for target in page.targets
            ),
        )
        for page in results
    ]


def compare(records: Sequence[SheetRecord]) -> list[list[Cell]]:
    """One row without what the batch shows and one with it, from the same readings."""
    alone = [{name: getattr(record, name) for name in JUDGED_TWICE} for record in records]
    together = [record.by_batch for record in records]
    positions = sum(record.read for record in records)
    return [_row("left", positions, alone), _row("settled", positions, together)]


def _row(name: str, positions: int, judged: Sequence[dict[str, Any]]) -> list[Cell]:
    silent = sum(len(one["silent"]) for one in judged)
    doubts, caught, asked = (sum(one[key] for one in judged) for key in JUDGED_TWICE[1:])
    return [name, positions, silent, doubts, caught, 100 * asked / max(len(judged), 1)]
