"""Compares the reading with a plain ink threshold that is told where every box lies.

    python benchmarks/baseline.py --positions N [--seed S] [--world conforming|hard|phone]
        [--forms FOLDER] [-j 2] [-o FOLDER]

The threshold has what no program has: the exact place of each box on each scan, and limits that
are chosen on the very data, knowing the truth, so that they err as seldom as they can.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np

from benchmarks.accuracy import plan
from benchmarks.commands import ROOT
from benchmarks.plain_ink import (
    MEASURES,
    Verdict,
    best_limits,
    best_limits_seen,
    measure_ink,
)
from benchmarks.tables import Cell, format_table
from benchmarks.trial import asked_contests, judge, save_crop
from scanner.ballot import PageReading, UnreadablePage
from scanner.forms.catalog import list_forms
from scanner.reading.interpret import Reader, use_one_core
from scanner.reading.pages import close_files, load_page
from tests.world.sheets import SHEETS_A_BATCH, WORLDS, DrawnSheet, World, draw_sheet, plan_batch

COLUMNS = ("reader", "limits", "positions", "SILENT", "caught", "doubts", "to a person")
LEGEND = """
SILENT       clear targets read wrongly in a question about which nobody is asked
doubts       clear targets in doubt; of ours, on pages that were read
to a person  clear targets in questions that a person sees; of ours, all of refused sheets too"""

_workers: list[Worker] = []


@dataclass(frozen=True, slots=True)
class Seen:
    """What both readers made of one sheet, target by target."""

    contests: list[str]
    """Unique over all sheets."""
    most: list[int]
    """How many options of the target's contest may be chosen."""
    marked: list[bool]
    clear: list[bool]
    ink: list[tuple[float, ...]]
    """The plain measures, in the order of ``MEASURES``."""
    silent: int
    """Silent errors of the reading."""
    caught: int
    doubts: int
    seen: int
    """Clear targets that the reading puts before a person."""
    read: int
    """Clear targets on pages that the reading took for what they are."""


class Worker:
    """Draws sheets and reads them both ways; one for each process."""

    def __init__(self, world: World, forms: Path, crops: Path) -> None:
        use_one_core()
        self._world = world
        self._crops = crops
        self._forms = list_forms(forms)
        self._reader = Reader(self._forms)

    def run_batch(self, number: int) -> list[Seen]:
        """Both readings of the sheets of one batch."""
        batch = plan_batch(self._world, self._forms, number)
        first = number * SHEETS_A_BATCH
        with tempfile.TemporaryDirectory(prefix="baseline-") as folder:
            seen = [
                self._run_sheet(draw_sheet(batch, first + place), Path(folder))
                for place in range(SHEETS_A_BATCH)
            ]
            close_files()
        return seen

    def _run_sheet(self, sheet: DrawnSheet, folder: Path) -> Seen:
        path = folder / f"{sheet.seed}{sheet.suffix}"
        path.write_bytes(sheet.data)
        image = load_page(path, 1, min_long_side_px=self._reader.min_long_side_px)
        reading = self._reader.read(image)
        record = judge(sheet, reading, (0.0, 0.0))
        for error in record.silent:
            save_crop(sheet, error, self._crops)
        scan = cv2.imdecode(np.frombuffer(sheet.data, np.uint8), cv2.IMREAD_GRAYSCALE)
        if scan is None:
            raise ValueError(f"sheet {sheet.seed} is no picture")
        targets = sheet.batch.form.targets_on(sheet.batch.page.number)
        return Seen(
            contests=[f"{sheet.seed}/{contest.id}" for contest, _ in targets],
            most=[contest.max for contest, _ in targets],
            marked=[truth.marked for truth in sheet.truths],
            clear=[truth.clear for truth in sheet.truths],
            ink=measure_ink(sheet, np.asarray(scan, np.uint8)),
            silent=len(record.silent),
            caught=record.caught,
            doubts=record.doubts,
            seen=_before_a_person(sheet, reading),
            read=record.read,
        )


def _before_a_person(sheet: DrawnSheet, reading: PageReading | UnreadablePage) -> int:
    """How many clear targets a person looks at because of what was read."""
    if isinstance(reading, UnreadablePage) or reading.reasons:
        return sum(truth.clear for truth in sheet.truths)
    asked, _ = asked_contests(sheet.batch.form, reading)
    return sum(truth.clear and truth.contest in asked for truth in sheet.truths)


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the sheets both ways and print who erred how often.

    Returns:
        The exit code: 1 where the plain threshold has fewer silent errors, else 0.
    """
    options = _parse(arguments)
    output: Path = options.output or Path(tempfile.mkdtemp(prefix="baseline-"))
    output.mkdir(parents=True, exist_ok=True)
    sheets: list[Seen] = []
    numbers = list(plan(options.world, options.seed, options.positions, options.forms))
    for batch in _run(numbers, options, output / "silent"):
        sheets += batch
        print(f"\r{len(sheets)} sheets ", end="", file=sys.stderr, flush=True)
    rows = compare(sheets)
    print(f"\n{format_table(COLUMNS, rows)}{LEGEND}")
    results = output / f"baseline-{options.world}-{options.seed}.json"
    table = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    figures = {"world": options.world, "seed": options.seed, "sheets": len(sheets), "rows": table}
    results.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(f"\n{results}")
    return int(any(int(row[3]) < int(rows[0][3]) for row in rows[1:]))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--positions", type=int, default=10_000, help="targets to draw [10000]")
    parser.add_argument("--seed", type=int, default=1, help="two seeds share no sheet [1]")
    parser.add_argument("--world", choices=WORLDS, default="hard")
    parser.add_argument("--forms", type=Path, default=ROOT / "form_templates")
    parser.add_argument("-j", "--jobs", type=int, default=2, help="processes [2]")
    parser.add_argument("-o", "--output", type=Path, help="folder for the figures")
    return parser.parse_args(arguments)


def _run(numbers: Sequence[int], options: argparse.Namespace, crops: Path) -> Iterator[list[Seen]]:
    setting = options.world, options.forms, crops
    if options.jobs == 1:
        worker = Worker(*setting)
        for number in numbers:
            yield worker.run_batch(number)
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(options.jobs, _start_worker, setting) as pool:
        yield from pool.imap_unordered(_run_batch, numbers)


def _start_worker(world: World, forms: Path, crops: Path) -> None:
    _workers[:] = [Worker(world, forms, crops)]


def _run_batch(number: int) -> list[Seen]:
    return _workers[0].run_batch(number)


def compare(sheets: Sequence[Seen]) -> list[list[Cell]]:
    """One row for the reading and one for each way to set the limits of plain ink.

    The threshold alone leaves nothing in doubt. With a band it leaves as many clear targets in
    doubt as the reading does, or puts as many before a person as the reading does.
    """
    ours = {
        name: sum(getattr(sheet, name) for sheet in sheets)
        for name in ("read", "silent", "caught", "doubts", "seen")
    }
    rows: list[list[Cell]] = [["this program", "-", *(ours[name] for name in ours)]]
    for title, find, budget in (
        ("plain ink, one limit", best_limits, 0),
        ("plain ink, as many doubts", best_limits, ours["doubts"]),
        ("plain ink, as many to a person", best_limits_seen, ours["seen"]),
    ):
        name, verdict = _best(sheets, find, budget)
        limits = f"{name} {verdict.low:.3f} .. {verdict.high:.3f}"
        counts = verdict.silent, verdict.caught, verdict.doubts, verdict.seen
        rows.append([title, limits, verdict.positions, *counts])
    return rows


def _best(sheets: Sequence[Seen], find: Callable[..., Verdict], budget: int) -> tuple[str, Verdict]:
    """The measure, and its limits, with the fewest silent errors within a budget."""
    ink = np.array([one for sheet in sheets for one in sheet.ink])
    contests = np.unique([one for sheet in sheets for one in sheet.contests], return_inverse=True)
    most = np.array([one for sheet in sheets for one in sheet.most])
    marked = np.array([one for sheet in sheets for one in sheet.marked])
    clear = np.array([one for sheet in sheets for one in sheet.clear])
    found = [
        (name, find(ink[:, number], (contests[1], most), (marked, clear), budget))
        for number, name in enumerate(MEASURES)
    ]
    return min(found, key=lambda one: (one[1].silent, one[1].caught))


if __name__ == "__main__":
    sys.exit(main())
