"""Draws sheets with known truth, reads them, and says how often the reading was wrong.

    python benchmarks/accuracy.py --positions N [--seed S] [--world conforming|hard|phone]
        [--forms FOLDER] [-j 2] [-o FOLDER] [--doubts] [--batch] [--committed FILE.md]

With ``-o`` the run can be stopped at any time and goes on where it was when it is started again.
Exit code 1 when a target was read wrongly and nobody would have been asked, else 0.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import multiprocessing
import os
import platform
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.batch_evidence import EVIDENCE_COLUMNS, compare
from benchmarks.commands import ROOT
from benchmarks.reliability import doubt_rows, in_words, reliability_rows
from benchmarks.sheet_record import SheetRecord
from benchmarks.tables import Cell, format_table
from benchmarks.trial import Trial, batch_size
from benchmarks.trial_note import write_note
from scanner.forms.catalog import list_forms
from tests.world.sheets import SHEETS_A_BATCH, WORLDS, World

BATCHES_A_SEED = 10_000_000
"""Two seeds share no batch."""
COLUMNS = (
    *("group", "sheets", "positions", "SILENT", "doubts", "caught", "asked %", "refused"),
    "wrong form",
)
LEGEND = """
positions   targets of which a careful person would be sure, on pages taken for what they are
SILENT      of these, read wrongly with nobody asked
doubts      of these, left in doubt; caught: read wrongly where a person is asked anyway
asked %     share of the sheets that a person is shown, refused ones among them"""

_worker: list[Trial] = []


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the trial and print what came out.

    Returns:
        The exit code.
    """
    options = _parse(arguments)
    output: Path = options.output or Path(tempfile.mkdtemp(prefix="accuracy-"))
    output.mkdir(parents=True, exist_ok=True)
    log = output / f"{options.world}-{options.seed}.jsonl"
    forms = list_forms(options.forms)
    setting = {
        "world": options.world,
        "seed": options.seed,
        "forms": {form.id: form.content_hash for form in forms},
        "code": hash_of_code(),
    }
    try:
        records = read_log(log, setting)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    wanted = list(plan(options.world, options.seed, options.positions, options.forms))
    started = time.perf_counter()
    done = Counter(record.seed // SHEETS_A_BATCH for record in records)
    missing = [number for number in wanted if done[number] < SHEETS_A_BATCH]
    with log.open("a", encoding="utf-8") as stream:
        for batch in run(missing, options, output / "silent"):
            records += batch
            stream.writelines(json.dumps(asdict(record)) + "\n" for record in batch)
            stream.flush()
            print(f"\r{len(records)} sheets ", end="", file=sys.stderr, flush=True)
    numbers = set(wanted)
    records = [record for record in records if record.seed // SHEETS_A_BATCH in numbers]
    summary = setting | report(records, time.perf_counter() - started)
    if options.batch:
        summary["by_batch"] = compare(records)
        print(f"\n{format_table(EVIDENCE_COLUMNS, summary['by_batch'])}")
    results = output / f"{options.world}-{options.seed}.json"
    results.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    print(f"\n{results}")
    if options.committed:
        write_note(options.committed, _command(options), summary)
    return 1 if summary["silent"] or summary["wrong_form_unasked"] else 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--positions", type=int, default=10_000, help="targets to draw [10000]")
    parser.add_argument("--seed", type=int, default=1, help="two seeds share no sheet [1]")
    parser.add_argument("--world", choices=WORLDS, default="conforming")
    parser.add_argument("--forms", type=Path, default=ROOT / "form_templates")
    parser.add_argument("-j", "--jobs", type=int, default=2, help="processes [2]")
    parser.add_argument("--doubts", action="store_true", help="draw the targets in doubt as well")
    parser.add_argument(
        "--batch", action="store_true", help="also with the doubts settled that a batch settles"
    )
    parser.add_argument("-o", "--output", type=Path, help="folder for the figures and pictures")
    parser.add_argument(
        "--committed", type=Path, metavar="FILE.md", help="write what came out as a document"
    )
    return parser.parse_args(arguments)


def _command(options: argparse.Namespace) -> str:
    """The same trial again, without the folders of one machine."""
    command = (
        f"python benchmarks/accuracy.py --positions {options.positions} --seed {options.seed}"
        f" --world {options.world} -j {options.jobs}"
    )
    own = options.forms.resolve() == (ROOT / "form_templates").resolve()
    return command if own else f"{command} --forms {options.forms.name}"


def plan(world: World, seed: int, positions: int, folder: Path) -> Iterator[int]:
    """The numbers of the batches that together have so many targets."""
    forms = list_forms(folder)
    number, total = seed * BATCHES_A_SEED, 0
    while total < positions:
        yield number
        total += batch_size(world, forms, number)
        number += 1


def hash_of_code() -> str:
    """SHA-256 over the modules that draw, read and judge: sheets of two of them do not mix."""
    digest = hashlib.sha256()
    folders = ROOT / "tests" / "world", ROOT / "scanner" / "reading"
    single = [ROOT / "scanner" / "settings.py"]
    single += [ROOT / "benchmarks" / name for name in ("trial.py", "reliability.py")]
    for path in (*(path for folder in folders for path in sorted(folder.glob("*.py"))), *single):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def read_log(log: Path, setting: dict[str, Any]) -> list[SheetRecord]:
    """What an earlier run of the same trial has done; writes the first line of a new one.

    Raises:
        ValueError: The file is of another trial.
    """
    if not log.exists():
        log.write_text(json.dumps(setting) + "\n", encoding="utf-8")
        return []
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    if not lines or json.loads(lines[0]) != setting:
        raise ValueError(
            f"{log} is of another trial, of other forms or of other code: give another folder."
        )
    whole = [line for line in lines[1:] if line.endswith("\n")]
    records: dict[int, list[SheetRecord]] = defaultdict(list)
    for line in whole:
        fields = json.loads(line)
        for bins in ("bins", "asked_bins"):
            fields[bins] = {int(number): counts for number, counts in fields[bins].items()}
        record = SheetRecord(**fields)
        records[record.seed // SHEETS_A_BATCH].append(record)
    kept = [
        record for batch in records.values() if len(batch) == SHEETS_A_BATCH for record in batch
    ]
    with log.open("w", encoding="utf-8") as stream:
        stream.write(lines[0])
        stream.writelines(json.dumps(asdict(record)) + "\n" for record in kept)
    return kept


def run(
    numbers: Sequence[int], options: argparse.Namespace, crops: Path
) -> Iterator[list[SheetRecord]]:
    """Draw and read batches, in processes of their own where there are to be several."""
    doubts = crops.parent / "doubts" if options.doubts else None
    setting = options.world, options.forms, crops, doubts
    if options.jobs == 1:
        trial = Trial(*setting)
        for number in numbers:
            yield trial.run_batch(number)
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(options.jobs, _start_worker, setting) as pool:
        yield from pool.imap_unordered(_run_batch, numbers)


def _start_worker(world: World, forms: Path, crops: Path, doubts: Path | None) -> None:
    _worker[:] = [Trial(world, forms, crops, doubts)]


def _run_batch(number: int) -> list[SheetRecord]:
    return _worker[0].run_batch(number)


def upper_bound(errors: int, trials: int, confidence: float = 0.95) -> float:
    """The largest rate that so many errors still allow (Clopper and Pearson, 1934), one-sided.

    At 0 errors this is the rule of three: about 3 / trials.
    """
    if errors >= trials:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(80):
        middle = (low + high) / 2
        if _at_most(errors, trials, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def _at_most(errors: int, trials: int, rate: float) -> float:
    """The probability of at most so many errors (binomial)."""
    if rate <= 0:
        return 1.0
    terms = (
        math.lgamma(trials + 1)
        - math.lgamma(k + 1)
        - math.lgamma(trials - k + 1)
        + k * math.log(rate)
        + (trials - k) * math.log1p(-rate)
        for k in range(errors + 1)
    )
    return min(sum(math.exp(term) for term in terms), 1.0)


def report(records: Sequence[SheetRecord], seconds: float) -> dict[str, Any]:
    """Print the tables of a trial; the same figures as data."""
    groups: dict[str, Callable[[SheetRecord], Iterable[str]]] = {
        "people": lambda record: [record.habit],
        "pen": lambda record: [record.pen],
        "paper": lambda record: record.paper or ["plain"],
        "scanner": lambda record: [record.scanner],
        "placing": lambda record: record.placing,
        "form": lambda record: [f"{record.form}/{record.page}"],
        "people × paper × scanner": _crossed,
    }
    tables = {name: _split(records, key) for name, key in groups.items()}
    for name in ("people", "pen", "paper", "scanner", "placing", "form"):
        print(f"\n{name}")
        print(format_table(COLUMNS, tables[name]))
    print(f"\n{format_table(COLUMNS, [_row('all', records)])}{LEGEND}")
    reliability = reliability_rows([record.bins for record in records])
    asked = reliability_rows([record.asked_bins for record in records])
    for title, rows in (("nobody", reliability), ("a person", asked)):
        print(f"\npredicted and observed share of marks where {title} is asked")
        print(format_table(list(reliability[0]), [list(row.values()) for row in rows]))
    doubts = doubt_rows([record.doubt_reasons for record in records])
    if doubts:
        print("\nwhy clear targets are in doubt")
        print(format_table(list(doubts[0]), [list(row.values()) for row in doubts]))
    figures = _figures(records)
    for line in [*_in_words(figures), *in_words(reliability)]:
        print(line)
    return figures | {
        "seconds": round(seconds, 1),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "tables": {name: [dict(zip(COLUMNS, row, strict=True)) for row in rows]
                   for name, rows in tables.items()},
        "reliability": reliability,
        "reliability_where_asked": asked,
        "doubts_because_of": doubts,
        "errors": [{"seed": record.seed, **error} for record in records for error in record.silent],
    }  # fmt: skip


def _crossed(record: SheetRecord) -> list[str]:
    mode = record.scanner.split(" ")[0]
    return [f"{record.habit} × {paper} × {mode}" for paper in record.paper or ["plain"]]


def _split(
    records: Sequence[SheetRecord], key: Callable[[SheetRecord], Iterable[str]]
) -> list[list[Cell]]:
    """One row for each group; a sheet with two damages is in the groups of both."""
    groups: dict[str, list[SheetRecord]] = defaultdict(list)
    for record in records:
        for name in key(record):
            groups[name].append(record)
    return [_row(name, groups[name]) for name in sorted(groups)]


def _row(name: str, records: Sequence[SheetRecord]) -> list[Cell]:
    return [
        name,
        len(records),
        sum(record.read for record in records),
        sum(len(record.silent) for record in records),
        sum(record.doubts for record in records),
        sum(record.caught for record in records),
        100 * sum(record.asked for record in records) / max(len(records), 1),
        sum(record.status == "refused" for record in records),
        sum(record.status == "wrong form" for record in records),
    ]


def _figures(records: Sequence[SheetRecord]) -> dict[str, Any]:
    read = sum(record.read for record in records)
    silent = sum(len(record.silent) for record in records)
    plain = [record for record in records if not record.must_ask]
    return {
        "sheets": len(records),
        "positions_drawn": sum(record.positions for record in records),
        "positions": read,
        "marked": sum(record.marked for record in records if record.status == "read"),
        "silent": silent,
        "silent_upper_bound_95": upper_bound(silent, read) if read else 1.0,
        "doubts": sum(record.doubts for record in records),
        "caught": sum(record.caught for record in records),
        "doubts_per_position": sum(record.doubts for record in records) / max(read, 1),
        "doubts_per_sheet": sum(record.doubts for record in records) / max(len(records), 1),
        "clear_sheets": len(plain),
        "clear_sheets_asked": sum(record.asked for record in plain),
        "refused": sum(record.status == "refused" for record in records),
        "wrong_form": sum(record.status == "wrong form" for record in records),
        "wrong_form_unasked": sum(
            record.status == "wrong form" and not record.asked for record in records
        ),
        "unclear": sum(r.positions - r.clear for r in records if r.status == "read"),
        "unclear_asked": sum(record.unclear_asked for record in records),
        "reasons": dict(Counter(why for record in plain for why in record.reasons).most_common()),
        "seconds_to_draw_a_sheet": _mean([record.seconds[0] for record in records]),
        "seconds_to_read_a_sheet": _mean([record.seconds[1] for record in records]),
    }


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / max(len(values), 1), 4)


def _in_words(figures: dict[str, Any]) -> Iterator[str]:
    share = 100 * figures["clear_sheets_asked"] / max(figures["clear_sheets"], 1)
    bound = figures["silent_upper_bound_95"]
    yield (
        f"\n{figures['silent']} silent errors in {figures['positions']} positions"
        f" ({figures['marked']} marked): at most {bound:.2e} (95 %), 1 in {1 / bound:,.0f}"
    )
    yield (
        f"doubts: {100 * figures['doubts_per_position']:.3f} % of the positions,"
        f" {figures['doubts_per_sheet']:.3f} a sheet"
    )
    yield (
        f"sheets on which all is clear: {figures['clear_sheets']}, of which a person is shown"
        f" {figures['clear_sheets_asked']} ({share:.2f} %), because of {figures['reasons']}"
    )
    yield (
        f"targets that nobody could be sure of: {figures['unclear']},"
        f" asked about {figures['unclear_asked']}"
    )
    yield (
        f"{figures['seconds_to_draw_a_sheet']:.3f} s to draw a sheet,"
        f" {figures['seconds_to_read_a_sheet']:.3f} s to read it"
    )


if __name__ == "__main__":
    sys.exit(main())
