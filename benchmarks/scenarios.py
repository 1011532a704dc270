"""Does every figure of the samples come out to the digit, counted from drawn papers?

Draws, scans, settles and adds up each sample, and compares with its expected figures. All five take
about ten minutes with two processes.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.commands import ROOT
from benchmarks.tables import Cell, format_table
from scanner.counting.intake import ScanOptions
from scanner.counting.results import now
from scanner.errors import KiemPhieuError
from scanner.publishing.scenario_check import ScenarioResult, check_scenario
from scanner.publishing.scenarios import ScenarioRun, list_samples, run_scenario

SAMPLES = ROOT / "samples"
FORMS = ROOT / "form_templates"
COLUMNS = ("sample", "papers", "read", "settled", "silent", "figures", "wrong", "seconds")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the samples and print.

    Returns:
        The exit code: 1 if a figure is not the expected one or a sheet was read wrongly and nobody
        was asked, 2 if a sample could not be run.
    """
    options = _parse(arguments)
    output = options.output or Path(tempfile.mkdtemp(prefix="scenarios-"))
    output.mkdir(parents=True, exist_ok=True)
    rows: list[list[Cell]] = []
    wrong: list[str] = []
    try:
        for name in options.names or list_samples(SAMPLES):
            begun = time.monotonic()
            run = ScenarioRun(ScanOptions(jobs=options.jobs))
            piles = run_scenario(SAMPLES / name, FORMS, output / name, run)
            result = check_scenario(SAMPLES / name, piles, now())
            rows.append([name, *_row(result), round(time.monotonic() - begun)])
            wrong += [
                f"{name}: {one.where}: {one.counted}, expected {one.expected}"
                for one in result.differences
            ]
            wrong += [
                f"{name}: {pile.pile.name}: sheet {sheet} was read wrongly"
                for pile in piles
                for sheet in pile.silent_errors
            ]
    except KiemPhieuError as error:
        print(error, file=sys.stderr)
        return 2
    print(format_table(COLUMNS, rows))
    results = output / "scenarios.json"
    data = {"columns": COLUMNS, "rows": rows, "wrong": wrong}
    results.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    print(f"\n{results}; counts and tallies are beside it")
    for line in wrong:
        print(line, file=sys.stderr)
    return int(bool(wrong))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help="samples [all]")
    parser.add_argument("-j", "--jobs", type=int, default=2, help="processes [2]")
    parser.add_argument("-o", "--output", type=Path, help="folder [a passing one]")
    return parser.parse_args(arguments)


def _row(result: ScenarioResult) -> list[Cell]:
    counted = [pile for pile in result.piles if pile.count is not None]
    return [
        sum(pile.tally.sheets.paper for pile in result.piles),
        sum(pile.tally.sheets.paper for pile in counted),
        sum(pile.settled for pile in counted),
        result.silent_errors,
        len(result.figures),
        len(result.differences),
    ]


if __name__ == "__main__":
    sys.exit(main())
