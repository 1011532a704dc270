"""Is a test deck of each form counted as it was meant, after an office scanner?

    python benchmarks/testdecks.py [-f FORM] [--forms FOLDER] [-n SHEETS] [--scale PERCENT] ...

For each form a deck is made and scanned with the program's own commands, each in a process of its
own, and compared with its description, target by target.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.commands import ROOT, CommandError, run_command, scan_files
from benchmarks.tables import Cell, format_table
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.store import Store
from scanner.errors import KiemPhieuError
from scanner.forms.catalog import find_form, list_forms
from scanner.forms.deck import Deck, read_deck
from scanner.forms.deck_plan import least_sheets
from scanner.forms.template import Form
from scanner.publishing.deck_result import DeckResult, Outcome, compare_deck

FORMS = ROOT / "form_templates"
SHEETS = 200


@dataclass(frozen=True, slots=True)
class DeckRun:
    """One deck, made, scanned and compared."""

    form: str
    deck: Deck
    result: DeckResult
    drawing_s: float
    scan_s: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print.

    Returns:
        The exit code: 1 if a mark was counted otherwise than meant, 2 if a deck could not be run.
    """
    options = _parse(arguments)
    output = options.output or Path(tempfile.mkdtemp(prefix="testdecks-"))
    output.mkdir(parents=True, exist_ok=True)
    try:
        runs = list(run_decks(options, output))
    except (KiemPhieuError, CommandError) as error:
        print(error, file=sys.stderr)
        return 2
    _report(runs)
    results = output / "testdecks.json"
    data = [_as_json(run) for run in runs]
    results.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    print(f"\n{results}; counts and decks are beside it ('kiemphieu show COUNT SHEET')")
    return int(any(run.result.total[Outcome.WRONG] for run in runs))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-f", "--form", action="append", help="id of a form [all]")
    parser.add_argument("--forms", type=Path, default=FORMS, help="folder of registered forms")
    parser.add_argument("-n", "--sheets", type=int, default=SHEETS, help=f"a deck [{SHEETS}]")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=float, default=100.0, help="percent, as 'fit to page'")
    parser.add_argument("--onto", choices=["a4"], help="lay smaller pages on this glass")
    parser.add_argument("--clean", action="store_true", help="as printed, not as scanned")
    parser.add_argument("-j", "--jobs", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, help="folder for decks, counts and figures")
    return parser.parse_args(arguments)


def run_decks(options: argparse.Namespace, output: Path) -> Iterator[DeckRun]:
    """Make, scan and compare a deck of each form.

    Raises:
        KiemPhieuError: A form or a deck cannot be read.
        CommandError: A command failed.
    """
    folder: Path = options.forms
    forms = [find_form(folder, name) for name in options.form or []] or list_forms(folder)
    for form in forms:
        print(f"{form.id} ...", file=sys.stderr, flush=True)
        yield _run_deck(form, options, output)


def _run_deck(form: Form, options: argparse.Namespace, output: Path) -> DeckRun:
    pdf, count = output / f"{form.id}.pdf", output / form.id
    shutil.rmtree(count, ignore_errors=True)
    look = [] if options.clean else ["--scan"]
    laid = ["--onto", options.onto] if options.onto else []
    sheets = max(options.sheets, least_sheets(form))
    started = time.perf_counter()
    run_command(
        *("form", "testdeck", form.id, "-n", str(sheets), "--seed", str(options.seed)),
        *("-o", pdf, "--replace", "--forms", options.forms, "--scale", str(options.scale)),
        *look,
        *laid,
    )
    drawn = time.perf_counter()
    scan_files(count, [pdf], options.forms, options.jobs)
    scanned = time.perf_counter()
    deck = read_deck(pdf.with_suffix(".json"))
    with Store(count) as store:
        result = compare_deck(store, load_kept_forms(store), form.id, deck)
    return DeckRun(form.id, deck, result, drawn - started, scanned - drawn)


def _report(runs: Sequence[DeckRun]) -> None:
    names = ("form", "sheets", "targets", "right", "asked", "needless", "WRONG", "draw s", "scan s")
    rows: list[list[Cell]] = []
    for run in runs:
        total = run.result.total
        rows.append(
            [
                *(run.form, run.result.sheets, total.total(), total[Outcome.RIGHT]),
                *(total[Outcome.ASKED], run.result.needless, total[Outcome.WRONG]),
                *(run.drawing_s, run.scan_s),
            ]
        )
    print(format_table(names, rows))
    print()
    marks: list[list[Cell]] = [
        [mark, *(figures[name] for name in ("drawn", "needless", "wrong"))]
        for mark, figures in sorted(_by_mark(runs).items())
    ]
    print(format_table(("mark", "drawn", "asked for nothing", "WRONG"), marks))


def _by_mark(runs: Sequence[DeckRun]) -> dict[str, Counter[str]]:
    """Targets by the kind of their mark, with what went amiss at them."""
    figures: dict[str, Counter[str]] = {}
    for run in runs:
        for sheet in run.deck.sheets:
            for targets in sheet.contests.values():
                for one in targets.values():
                    figures.setdefault(one.mark or "none", Counter())["drawn"] += 1
        for difference in run.result.differences:
            figures[difference.meant.mark or "none"][difference.outcome.value] += 1
    return figures


def _as_json(run: DeckRun) -> dict[str, Any]:
    return {
        "form": run.form,
        "sheets": run.result.sheets,
        "seed": run.deck.seed,
        "scan": run.deck.scan,
        "scale_percent": run.deck.scale_percent,
        "onto": run.deck.onto,
        "targets": {outcome.value: run.result.total[outcome] for outcome in Outcome},
        "needless_questions": run.result.needless,
        "drawing_s": round(run.drawing_s, 2),
        "scan_s": round(run.scan_s, 2),
        "differences": [
            {
                "sheet": one.sheet,
                "in_count": list(one.counted_as),
                "target": f"{one.contest}/{one.option}",
                "mark": one.meant.mark,
                "outcome": one.outcome.value,
            }
            for one in run.result.differences
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
