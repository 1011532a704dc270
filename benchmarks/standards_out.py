"""How long the cast vote records of a large count take, and how much memory.

    python benchmarks/standards_out.py [--sheets N] [-o FOLDER]

The count is made of rows as for ``review.py``, not scanned, and one sheet in twenty has a doubt.
Each export is the program's own command, in a process of its own. The exit code is 1 if the cast
vote records of 10,000 sheets would take longer than 20 seconds.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.commands import ROOT
from benchmarks.review import make_count
from benchmarks.tables import Cell, format_table

EXPORTS = ("cvr", "err", "dominion-csv", "manifest")
LIMIT_S = 20.0
"""For the cast vote records of :data:`SHEETS` sheets."""
SHEETS = 10_000
DOUBTS = 20
"""One sheet in so many has one."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print.

    Returns:
        The exit code: 1 if it takes too long.
    """
    options = _parse(arguments)
    output = options.output or Path(tempfile.mkdtemp(prefix="standards-"))
    output.mkdir(parents=True, exist_ok=True)
    count = output / "count"
    if not count.exists():
        make_count(count, options.sheets, options.sheets // DOUBTS, seed=1)
    measured = {what: _export(count, what, output) for what in EXPORTS}
    rows: list[list[Cell]] = [
        [what, one["seconds"], (one["peak_bytes"] or 0) / 2**20, one["bytes"] / 2**20]
        for what, one in measured.items()
    ]
    print(f"{options.sheets} sheets")
    print(format_table(["export", "s", "peak MB", "file MB"], rows))
    path = output / "standards_out.json"
    path.write_text(json.dumps({"sheets": options.sheets} | measured, indent=1), encoding="utf-8")
    print(path)
    return int(measured["cvr"]["seconds"] > LIMIT_S * options.sheets / SHEETS)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sheets", type=int, default=SHEETS, help="sheets of the count [10000]")
    text = "folder for the files and the count; a count that is there is used"
    parser.add_argument("-o", "--output", type=Path, help=text)
    return parser.parse_args(arguments)


def _export(count: Path, what: str, output: Path) -> dict[str, float]:
    """Seconds, peak memory and size of one export."""
    figures, file = output / f"{what}.peak.json", output / what
    command = [sys.executable, str(ROOT / "cli.py"), "export", str(count), "--to", what]
    subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "peak.py"), str(figures), *command, "-o",
         str(file)],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    measured: dict[str, float] = json.loads(figures.read_text(encoding="utf-8"))
    return measured | {"bytes": file.stat().st_size}


if __name__ == "__main__":
    sys.exit(main())
