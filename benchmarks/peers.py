"""Compares the reading with other readers, on the same pictures in the same run.

    python benchmarks/peers.py [--sheets N] [--world conforming|hard|phone] [--seed S]
        [--form ID] [--cache FOLDER] [-o FOLDER]

A reader that cannot be had on this machine is left out, and named.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dataclasses import replace

from benchmarks import peer_amc, peer_marksense
from benchmarks.commands import ROOT
from benchmarks.environments import NotThereError, prepare_python
from benchmarks.readers import COLUMNS, LEGEND, Answers, fit, score
from benchmarks.sheet_record import SheetRecord
from benchmarks.tables import Cell, format_table
from benchmarks.trial import judge, save_crop
from scanner.forms.catalog import find_form
from scanner.forms.template import Form
from scanner.reading.interpret import Reader, use_one_core
from scanner.reading.pages import close_files, load_page
from tests.world.sheets import SHEETS_A_BATCH, WORLDS, DrawnSheet, World, draw_sheet, plan_batch

_BATCHES_A_SEED = 10_000_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw the sheets, have everybody read them, and print who erred how often.

    Returns:
        The exit code: 1 where another reader has fewer silent errors as it comes, else 0.
    """
    options = _parse(arguments)
    use_one_core()
    cache: Path = options.cache or Path(tempfile.mkdtemp(prefix="peers-"))
    output: Path = options.output or Path(tempfile.mkdtemp(prefix="peers-"))
    output.mkdir(parents=True, exist_ok=True)
    results: dict[str, list[dict[str, Cell]]] = {}
    is_beaten = False
    for form, project in _forms(options, cache):
        with tempfile.TemporaryDirectory(prefix="peers-") as folder:
            rows = _compare(form, project, options, (Path(folder), cache, output))
        print(f"\n{form.id}: {options.sheets} {options.world} sheets, seed {options.seed}")
        print(format_table(COLUMNS, rows))
        results[form.id] = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
        others = [int(row[3]) for row in rows[1:] if "default" in str(row[1])]
        is_beaten |= min(others, default=int(rows[0][3])) < int(rows[0][3])
    print(LEGEND)
    path = output / f"peers-{options.world}-{options.seed}.json"
    path.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(f"\n{path}")
    return int(is_beaten)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sheets", type=int, default=240, help="of each form [240]")
    parser.add_argument("--world", choices=WORLDS, default="conforming")
    parser.add_argument("--seed", type=int, default=1, help="two seeds share no sheet [1]")
    parser.add_argument("--forms", type=Path, default=ROOT / "form_templates")
    parser.add_argument("--form", default="tth5_phuong", help="one of ours, with a single page")
    parser.add_argument("--cache", type=Path, help="folder in which other readers are kept")
    parser.add_argument("-o", "--output", type=Path, help="folder for the figures")
    return parser.parse_args(arguments)


def _forms(options: argparse.Namespace, cache: Path) -> list[tuple[Form, peer_amc.Project | None]]:
    """A form of ours, and one of Auto Multiple Choice's own making where that is installed."""
    forms: list[tuple[Form, peer_amc.Project | None]] = [
        (find_form(options.forms, options.form), None)
    ]
    try:
        project = peer_amc.make_project(cache / "amc")
    except NotThereError as reason:
        print(f"left out: {reason}", file=sys.stderr)
    else:
        forms.append((project.form, project))
    return forms


def _compare(
    form: Form,
    project: peer_amc.Project | None,
    options: argparse.Namespace,
    folders: tuple[Path, Path, Path],
) -> list[list[Cell]]:
    """The rows of one form: ours first, the others as they come and as well as they can be set."""
    folder, cache, output = folders
    sheets, files = _draw(form, options, folder)
    records, seconds = _read(form, sheets, files)
    for sheet, record in zip(sheets, records, strict=True):
        for error in record.silent:
            save_crop(sheet, error, output / "silent")
    rows = [_own_row(records, seconds)]
    doubts = sum(record.doubts for record in records)
    for answers in _others(form, project, (sheets, files), (folder, cache)):
        rows.append(score(sheets, answers, "default", flags=False))
        if any(sheet.is_flagged for sheet in answers.sheets):
            rows.append(score(sheets, answers, "default, with its flags", flags=True))
        for title, budget in (("fitted", 0), ("fitted, as many doubts", doubts)):
            limits = fit(sheets, answers, budget)
            named = f"{title} {limits[0]:.3f} .. {limits[1]:.3f}"
            rows.append(score(sheets, replace(answers, limits=limits), named, flags=False))
    return rows


def _draw(
    form: Form, options: argparse.Namespace, folder: Path
) -> tuple[list[DrawnSheet], list[Path]]:
    world: World = options.world
    sheets, files = [], []
    for place in range(options.sheets):
        number = options.seed * _BATCHES_A_SEED + place // SHEETS_A_BATCH
        batch = plan_batch(world, [form], number)
        sheet = draw_sheet(batch, number * SHEETS_A_BATCH + place % SHEETS_A_BATCH)
        file = folder / f"{place:05d}{sheet.suffix}"
        file.write_bytes(sheet.data)
        sheets.append(sheet)
        files.append(file)
    return sheets, files


def _read(
    form: Form, sheets: Sequence[DrawnSheet], files: Sequence[Path]
) -> tuple[list[SheetRecord], float]:
    """Our own reading of the files, and how long it took."""
    reader = Reader([form])
    started = time.perf_counter()
    readings = [
        reader.read(load_page(file, 1, min_long_side_px=reader.min_long_side_px)) for file in files
    ]
    seconds = time.perf_counter() - started
    close_files()
    pairs = zip(sheets, readings, strict=True)
    return [judge(sheet, reading, (0.0, 0.0)) for sheet, reading in pairs], seconds


def _own_row(records: Sequence[SheetRecord], seconds: float) -> list[Cell]:
    return [
        "this program",
        "default",
        sum(record.read for record in records),
        sum(len(record.silent) for record in records),
        sum(record.caught for record in records),
        sum(record.doubts for record in records),
        100 * sum(record.asked for record in records) / max(len(records), 1),
        sum(record.status != "read" for record in records),
        len(records) / max(seconds, 1e-9),
    ]


def _others(
    form: Form,
    project: peer_amc.Project | None,
    drawn: tuple[list[DrawnSheet], list[Path]],
    folders: tuple[Path, Path],
) -> list[Answers]:
    sheets, files = drawn
    folder, cache = folders
    answers = []
    try:
        python = prepare_python(cache, peer_marksense.PACKAGE)
        answers.append(peer_marksense.read(python, form, sheets, files, folder / "marksense"))
    except NotThereError as reason:
        print(f"left out: {reason}", file=sys.stderr)
    if project is not None:
        try:
            answers.append(peer_amc.read(project, files))
        except NotThereError as reason:
            print(f"left out: {reason}", file=sys.stderr)
    return answers


if __name__ == "__main__":
    sys.exit(main())
