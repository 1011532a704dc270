"""Is a test deck of each form counted as it was meant, after an office scanner?

    python benchmarks/testdecks.py [-f FORM] [--forms FOLDER] [-n SHEETS] [--seeds 1,2] ...

For each form a deck is made and scanned with the program's own commands, each in a process of its
own, and compared with its description, target by target; then every question is answered as the
deck means it, and the tally compared with the deck's.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.commands import ROOT, CommandError
from benchmarks.decks import (
    DeckOrder,
    DeckRun,
    count_deck,
    draw_deck,
    draw_on_a5,
    has_wrong,
    judge_count,
)
from benchmarks.found_again import MismatchError, register_again
from benchmarks.tables import Cell, format_table
from scanner.errors import KiemPhieuError
from scanner.forms.catalog import find_form, list_forms
from scanner.forms.template import Form
from scanner.publishing.deck_result import Outcome

FORMS = ROOT / "form_templates"
SHEETS = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print.

    Returns:
        The exit code: 1 if a mark was counted otherwise than meant, 2 if a deck could not be run.
    """
    options = _parse(arguments)
    output = options.output or Path(tempfile.mkdtemp(prefix="testdecks-"))
    output.mkdir(parents=True, exist_ok=True)
    failures: list[str] = []
    try:
        runs = list(run_decks(options, output, failures))
    except (KiemPhieuError, CommandError) as error:
        print(error, file=sys.stderr)
        return 2
    _report(runs)
    results = output / "testdecks.json"
    data = [_as_json(run) for run in runs]
    results.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    print(f"\n{results}; counts and decks are beside it ('kiemphieu show COUNT SHEET')")
    for failure in failures:
        print(f"NOT REGISTERED AS DRAWN {failure}", file=sys.stderr)
    return int(bool(failures) or has_wrong(runs))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-f", "--form", action="append", help="id of a form [all]")
    parser.add_argument("--forms", type=Path, default=FORMS, help="folder of registered forms")
    parser.add_argument("-n", "--sheets", type=int, default=SHEETS, help=f"a deck [{SHEETS}]")
    parser.add_argument("--seeds", default="1", help="decks of each form, by their seeds [1]")
    parser.add_argument("--scale", type=float, default=100.0, help="percent, as 'fit to page'")
    parser.add_argument("--onto", choices=["a4"], help="lay smaller pages on this glass")
    parser.add_argument("--clean", action="store_true", help="as printed, not as scanned")
    parser.add_argument("--a5", action="store_true", help="draw the forms anew on A5")
    parser.add_argument(
        *("--registered",),
        action="store_true",
        help="count with what is registered from an office scan of the blank",
    )
    parser.add_argument("-j", "--jobs", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, help="folder for decks, counts and figures")
    return parser.parse_args(arguments)


def run_decks(options: argparse.Namespace, output: Path, failures: list[str]) -> Iterator[DeckRun]:
    """Make, scan and compare decks of each form.

    Args:
        options: What was asked for.
        output: Where decks and counts go.
        failures: Gets what was registered otherwise than drawn.

    Raises:
        KiemPhieuError: A form or a deck cannot be read.
        CommandError: A command failed.
    """
    folder: Path = options.forms
    forms = [find_form(folder, name) for name in options.form or []] or list_forms(folder)
    for drawn in forms:
        form = draw_on_a5(drawn, output / "a5") if options.a5 else drawn
        for seed in map(int, options.seeds.split(",")):
            print(f"{form.id}, seed {seed} ...", file=sys.stderr, flush=True)
            try:
                yield _run_deck(form, seed, options, output)
            except MismatchError as error:
                failures.append(f"{error}, seed {seed}")


def _run_deck(form: Form, seed: int, options: argparse.Namespace, output: Path) -> DeckRun:
    name = f"{form.id}-{seed}"
    again = None
    if options.registered:
        again = register_again(form, seed, output / f"registered-{seed}")
    order = DeckOrder(
        sheets=options.sheets,
        seed=seed,
        scale_percent=options.scale,
        onto=options.onto or "",
        is_clean=options.clean,
    )
    pdf, count = output / f"{name}.pdf", output / name
    drawing_s = draw_deck(form, order, pdf)
    scan_s = count_deck(again.form if again else form, pdf, count, jobs=options.jobs)
    return judge_count(form, pdf, count, (drawing_s, scan_s), again)


def _report(runs: Sequence[DeckRun]) -> None:
    names = (
        *("form", "seed", "sheets", "targets", "right", "asked", "needless", "WRONG"),
        *("tally", "draw s", "scan s"),
    )
    rows: list[list[Cell]] = []
    for run in runs:
        total = run.result.total
        rows.append(
            [
                *(run.form, run.deck.seed, run.result.sheets, total.total()),
                *(total[Outcome.RIGHT], total[Outcome.ASKED], run.result.needless),
                *(total[Outcome.WRONG], "as meant" if run.tally_is_meant else "DIFFERS"),
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
        "tally_is_meant": run.tally_is_meant,
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
