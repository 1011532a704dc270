"""Counts real scanned ballots with the program's own commands and compares with their true marks.

    python benchmarks/real_ballots.py CASE_DIR... [-o FOLDER] [-j 2] [--all-forms] [--doubts]

Exit code 1 when a vote would have been counted wrongly, else 2 when something of a case could not
be run.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.cases import Ballot, Case, CaseError, find_case_files, read_case
from benchmarks.commands import CommandError, import_template, plain_id, scan_files
from benchmarks.crops import save_crop
from benchmarks.judge import (
    CaseScore,
    Finding,
    FormIds,
    SheetScore,
    image_name,
    judge_ballots,
    judge_negatives,
)
from benchmarks.outcome import read_outcome
from benchmarks.tables import Cell, format_table
from scanner.reading.pages import close_files

COLUMNS = (
    *(
        "set",
        "forms",
        "sheets",
        "pages",
        "targets",
        "marked",
        "SILENT",
        "doubt",
        "caught",
        "unread",
    ),
    *("asked", "overvote", "incompl", "refused", "wrong form", "mixed", "neg", "accepted"),
    *("neg asked", "s"),
)
LEGEND = """
SILENT      targets read wrongly with nobody asked (must be 0)
doubt       targets in doubt; caught: targets read wrongly where a person is asked anyway;
            unread: targets of pages that were refused or taken for another form
asked       sheets that a person is shown because of what was read
overvote    sheets shown only because too many options are marked, and they are
incompl     sheets of which the case has not all pages: flagged for that, not counted as asked
wrong form  sheets taken for another form, mixed: put together with another's page (must be 0)
accepted    negatives that would be counted (must be 0); neg asked: shown to a person"""


@dataclass(frozen=True, slots=True)
class Plan:
    """Where things go, and how the reading is done."""

    output: Path
    work: Path
    jobs: int
    all_forms: bool
    draw_doubts: bool

    def forms_of(self, number: int) -> Path:
        """The folder of forms for a case."""
        return self.work / "forms" / ("all" if self.all_forms else str(number))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cases and print what came out.

    Returns:
        The exit code.
    """
    options = _parse(arguments)
    output = options.output or Path(tempfile.mkdtemp(prefix="real-ballots-"))
    output.mkdir(parents=True, exist_ok=True)
    cases, failures = _read_cases(options.cases)
    work = Path(tempfile.mkdtemp(prefix="work-", dir=output))
    plan = Plan(output, work, options.jobs, options.all_forms, options.doubts)
    try:
        scores, not_run = _run(cases, plan)
    finally:
        close_files()
        if not options.keep:
            shutil.rmtree(work, ignore_errors=True)
    _report(scores, output, work if options.keep else None)
    for failure in (*failures, *not_run):
        print(f"NOT MEASURED {failure}", file=sys.stderr)
    if any(score.failed for score in scores):
        return 1
    return 2 if failures or not_run else 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("cases", nargs="+", type=Path, help="folders with a case.json, or of such")
    parser.add_argument("-o", "--output", type=Path, help="folder for results.json and pictures")
    parser.add_argument("-j", "--jobs", type=int, default=2, help="processes to read with [2]")
    parser.add_argument(
        "--all-forms",
        action="store_true",
        help="register the forms of all cases together: many forms in one pile",
    )
    parser.add_argument("--doubts", action="store_true", help="draw the targets in doubt as well")
    parser.add_argument("--keep", action="store_true", help="keep the counts")
    return parser.parse_args(arguments)


def _read_cases(folders: Sequence[Path]) -> tuple[list[Case], list[str]]:
    cases, failures = [], []
    for folder in folders:
        try:
            for path in find_case_files([folder]):
                cases.append(read_case(path))
                failures += [f"{cases[-1].name}: {fault}" for fault in cases[-1].faults]
        except CaseError as error:
            failures.append(str(error))
    return cases, failures


def _run(cases: Sequence[Case], plan: Plan) -> tuple[list[CaseScore], list[str]]:
    failures: list[str] = []
    form_ids: dict[int, dict[str, tuple[str, str]]] = {}
    for number, case in enumerate(cases):
        try:
            form_ids[number] = _register(case, plan, number)
        except CommandError as error:
            failures.append(f"{case.name}: {error}")
    everything = {form: owner for ids in form_ids.values() for form, owner in ids.items()}
    scores = []
    for number, ids in form_ids.items():
        case = cases[number]
        print(f"{case.name} ...", file=sys.stderr, flush=True)
        try:
            score = _count(case, plan, number, everything if plan.all_forms else ids)
        except CommandError as error:
            failures.append(f"{case.name}: {error}")
            continue
        _draw(score, plan)
        scores.append(score)
    return scores, failures


def _register(case: Case, plan: Plan, number: int) -> dict[str, tuple[str, str]]:
    """Register the forms of a case; (case, template) by the id that each form got."""
    forms = plan.forms_of(number)
    forms.mkdir(parents=True, exist_ok=True)
    ids: dict[str, tuple[str, str]] = {}
    for place, template in enumerate(case.templates):
        form_id = plain_id(case.name, template) if plan.all_forms else plain_id(template)
        if (forms / form_id).exists():
            form_id = plain_id(form_id, f"{number}-{place}")
        import_template(case.path, template, form_id, forms)
        ids[form_id] = (case.name, template)
    return ids


def _count(case: Case, plan: Plan, number: int, form_ids: FormIds) -> CaseScore:
    started = time.perf_counter()
    forms = plan.forms_of(number)
    score = CaseScore(case)
    count = plan.work / "counts" / f"{number}-ballots"
    for ballots in _batches(case):
        images = [image.resolve() for ballot in ballots for _page, image in ballot.pages]
        scan_files(count, images, forms, plan.jobs)
    score.sheets = judge_ballots(case, read_outcome(count), form_ids) if case.ballots else []
    if case.negatives:
        apart = plan.work / "counts" / f"{number}-negatives"
        scan_files(apart, [image.resolve() for image, _why in case.negatives], forms, plan.jobs)
        judge_negatives(score, read_outcome(apart), form_ids)
    score.seconds = time.perf_counter() - started
    return score


def _batches(case: Case) -> list[list[Ballot]]:
    """Whole sheets together; others by the pages they have, so that no two of them make one."""
    batches: dict[tuple[int, ...], list[Ballot]] = {}
    for ballot in case.ballots:
        kind = () if case.is_complete(ballot) else ballot.page_numbers
        batches.setdefault(kind, []).append(ballot)
    return list(batches.values())


def _draw(score: CaseScore, plan: Plan) -> None:
    folder = plan.output / plain_id(score.case.name)
    for finding in score.silent:
        save_crop(finding, folder / "silent" / image_name(finding))
    if plan.draw_doubts:
        for sheet in score.sheets:
            for finding in sheet.asked:
                save_crop(finding, folder / "doubts" / image_name(finding))


def _report(scores: Sequence[CaseScore], output: Path, kept: Path | None) -> None:
    rows = [row_of(score) for score in scores]
    print(format_table(COLUMNS, [*rows, _total(rows)]))
    print(LEGEND)
    for score in scores:
        for line in details(score, output):
            print(line)
    results = output / "results.json"
    data = [_as_data(score, row, output) for score, row in zip(scores, rows, strict=True)]
    results.write_text(json.dumps(data, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    print(f"\n{results}")
    if kept is not None:
        print(f"counts: {kept}")


def row_of(score: CaseScore) -> list[Cell]:
    """The figures of one case, in the order of :data:`COLUMNS`."""
    sheets = score.sheets
    return [
        score.case.name,
        len(score.case.templates),
        len(sheets),
        sum(sheet.pages for sheet in sheets),
        sum(sheet.targets for sheet in sheets),
        sum(sheet.marked for sheet in sheets),
        len(score.silent),
        sum(len(sheet.asked) for sheet in sheets),
        sum(sheet.flagged_errors for sheet in sheets),
        sum(sheet.not_read for sheet in sheets),
        sum(sheet.in_doubt for sheet in sheets),
        sum(sheet.overvote_is_true for sheet in sheets),
        sum(sheet.incomplete for sheet in sheets),
        sum(bool(sheet.refused) for sheet in sheets),
        sum(bool(sheet.wrong_form) for sheet in sheets),
        sum(sheet.mixed for sheet in sheets),
        len(score.case.negatives),
        len(score.accepted),
        len(score.negatives_in_doubt),
        round(score.seconds),
    ]


def _total(rows: Sequence[Sequence[Cell]]) -> list[Cell]:
    columns = range(1, len(COLUMNS))
    return ["total", *(sum(int(row[column]) for row in rows) for column in columns)]


def details(score: CaseScore, output: Path) -> list[str]:
    """What is to be looked at in one case, a line each under its name; empty if nothing is."""
    lines = [
        f"  SILENT ERROR {_in_words(finding)}: {_crop(score, finding, output)}"
        for finding in score.silent
    ]
    lines += [f"  NEGATIVE ACCEPTED {line}" for line in score.accepted]
    lines += [line for sheet in score.sheets for line in _sheet_details(sheet)]
    lines += [f"  negative asked {line}" for line in score.negatives_in_doubt]
    if counts := score.reasons():
        lines.append("  reasons: " + ", ".join(f"{n} × {why}" for why, n in counts.most_common()))
    return [f"\n{score.case.name}", *lines] if lines else []


def _sheet_details(sheet: SheetScore) -> Iterator[str]:
    for line in sheet.wrong_form:
        yield f"  WRONG FORM {sheet.ballot}: {line}"
    if sheet.mixed:
        yield f"  MIXED {sheet.ballot}: lies in a sheet with another's pages"
    if sheet.refused:
        yield f"  refused {sheet.ballot}: {'; '.join(sheet.refused)}"
    if sheet.reasons:
        targets = ", ".join(finding.target for finding in sheet.asked)
        yield f"  asked {sheet.ballot}: {', '.join(sorted(sheet.reasons))} {targets}".rstrip()


def _in_words(finding: Finding) -> str:
    truth = "marked" if finding.is_marked else "unmarked"
    words = f"{finding.ballot} {finding.target}: {truth}, read as {finding.box.state}"
    return f"{words} ({finding.why})" if finding.why else words


def _crop(score: CaseScore, finding: Finding, output: Path) -> Path:
    return output / plain_id(score.case.name) / "silent" / image_name(finding)


def _as_data(score: CaseScore, row: Sequence[Cell], output: Path) -> dict[str, Any]:
    return {
        **dict(zip(COLUMNS, row, strict=True)),
        "reasons": {str(why): n for why, n in score.reasons().items()},
        "errors": [
            {
                "ballot": finding.ballot,
                "target": finding.target,
                "truth": "marked" if finding.is_marked else "unmarked",
                "read": finding.box.state,
                "probability": finding.box.probability,
                "note": finding.why,
                "crop": str(_crop(score, finding, output)),
            }
            for finding in score.silent
        ],
        "negatives_accepted": score.accepted,
        "details": details(score, output),
    }


if __name__ == "__main__":
    sys.exit(main())
