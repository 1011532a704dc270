"""Registers blanks as they were found, and compares with what is true of them.

    python benchmarks/register.py CASE_DIR... [--forms FOLDER] [-o FOLDER] [--seeds 1,2]

Exit code 2 when something of a case could not be run.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.blanks import Blank, TrueTarget, case_blanks, form_blanks
from benchmarks.cases import CaseError, find_case_files
from benchmarks.commands import ROOT
from benchmarks.tables import Cell, format_table
from scanner.errors import KiemPhieuError
from scanner.geometry import Box
from scanner.reading.pages import close_files
from scanner.registering.draft import Findings, read_findings
from scanner.registering.found import Example, FoundTarget, Source
from scanner.registering.targets import find_targets, looks_marked

LEAST_OVERLAP = 0.5
"""Of a true target and a found one, intersection over union."""
COLUMNS = (
    *("set", "blanks", "targets", "recall", "precision", "recall 1", "precision 1"),
    *("contests", "right", "label CER", "title CER", "all right*", "label CER*", "marked", "s"),
)
LEGEND = """
recall, precision       of targets, found without help; with 1: with one example of each kind
right                   contests whose targets are exactly those of one found contest
label CER, title CER    wrong characters of labels and questions, per 100 true ones
*                       the same with the true targets given
marked                  blanks that would be refused since they seem to be filled in"""


@dataclass(frozen=True, slots=True)
class Score:
    """What came out for one blank."""

    group: str
    name: str
    targets: int
    found: int
    hit: int
    found_by_example: int
    hit_by_example: int
    contests: int
    contests_right: int
    contests_right_given: int
    label_letters: int
    label_errors: int
    label_errors_given: int
    title_letters: int
    title_errors: int
    looks_marked: bool
    seconds: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Register every blank and print what came out.

    Returns:
        The exit code.
    """
    options = _parse(arguments)
    output = options.output or Path(tempfile.mkdtemp(prefix="register-"))
    output.mkdir(parents=True, exist_ok=True)
    scores: list[Score] = []
    failures: list[str] = []
    try:
        for blank in _blanks(options, failures):
            scores.append(_score(blank))
            print(f"{blank.group}: {blank.name}", file=sys.stderr)
    finally:
        close_files()
    print(format_table(COLUMNS, list(_rows(scores))))
    print(LEGEND)
    result = output / "results.json"
    result.write_text(json.dumps([asdict(score) for score in scores], indent=1), encoding="utf-8")
    print(f"\n{result}")
    for failure in failures:
        print(f"NOT MEASURED {failure}", file=sys.stderr)
    return 2 if failures else 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("cases", nargs="*", type=Path, help="folders with a case.json, or of such")
    parser.add_argument(
        "--forms", type=Path, default=ROOT / "form_templates", help="forms that were drawn here"
    )
    parser.add_argument("--seeds", default="1", help="scans of each form, by their seeds [1]")
    parser.add_argument("-o", "--output", type=Path, help="folder for results.json")
    return parser.parse_args(arguments)


def _blanks(options: argparse.Namespace, failures: list[str]) -> Iterator[Blank]:
    seeds = [int(seed) for seed in options.seeds.split(",")]
    yield from form_blanks(options.forms, seeds)
    for folder in options.cases:
        try:
            for path in find_case_files([folder]):
                yield from case_blanks(path)
        except (CaseError, KiemPhieuError, KeyError) as error:
            failures.append(f"{folder}: {error}")


def _score(blank: Blank) -> Score:
    start = time.perf_counter()
    found, _notes = find_targets(blank.sides, blank.path)
    findings = read_findings(blank.sides, found)
    seconds = time.perf_counter() - start
    helped, _notes = find_targets(blank.sides, blank.path, list(_examples(blank)))
    given = read_findings(
        blank.sides, [FoundTarget(t.page, t.box, t.shape, Source.IMAGE) for t in blank.targets]
    )
    pairs = match(blank.targets, found)
    given_pairs = {index: index for index in range(len(blank.targets))}
    labels, errors = _label_errors(blank, findings, pairs)
    titles, title_errors = _title_errors(blank, findings, pairs)
    return Score(
        group=blank.group,
        name=blank.name,
        targets=len(blank.targets),
        found=len(found),
        hit=len(pairs),
        found_by_example=len(helped),
        hit_by_example=len(match(blank.targets, helped)),
        contests=len(blank.titles),
        contests_right=len(_right(blank, findings, pairs)),
        contests_right_given=len(_right(blank, given, given_pairs)),
        label_letters=labels,
        label_errors=errors,
        label_errors_given=_label_errors(blank, given, given_pairs)[1],
        title_letters=titles,
        title_errors=title_errors,
        looks_marked=bool(looks_marked(blank.sides, found)),
        seconds=round(seconds, 2),
    )


def _examples(blank: Blank) -> Iterator[Example]:
    """The first target of each kind, as a person would draw it."""
    seen = set()
    for target in blank.targets:
        if target.shape not in seen:
            seen.add(target.shape)
            yield Example(target.page, target.box)


def match(true: Sequence[TrueTarget], found: Sequence[FoundTarget]) -> dict[int, int]:
    """Which true target each found one is: place among the found -> place among the true."""
    overlaps = [
        (_overlap(target.box, other.box), place, index)
        for place, other in enumerate(found)
        for index, target in enumerate(true)
        if target.page == other.page and target.box.overlaps(other.box)
    ]
    pairs: dict[int, int] = {}
    for overlap, place, index in sorted(overlaps, reverse=True):
        if overlap >= LEAST_OVERLAP and place not in pairs and index not in pairs.values():
            pairs[place] = index
    return pairs


def _overlap(one: Box, other: Box) -> float:
    width = min(one.right, other.right) - max(one.x, other.x)
    height = min(one.bottom, other.bottom) - max(one.y, other.y)
    shared = max(width, 0.0) * max(height, 0.0)
    return shared / (one.w * one.h + other.w * other.h - shared)


def _numbers(findings: Findings) -> list[list[int]]:
    """For each found contest the places of its targets among all that were found."""
    own: dict[int, list[int]] = {}
    for place, target in enumerate(findings.targets):
        own.setdefault(target.page, []).append(place)
    return [
        [own[contest.page][option.target] for option in contest.options]
        for contest in findings.contests
    ]


def _right(blank: Blank, findings: Findings, pairs: dict[int, int]) -> dict[str, int]:
    """The contests whose targets are exactly those of one found contest, with its place."""
    true: dict[str, set[int]] = {}
    for index, target in enumerate(blank.targets):
        true.setdefault(target.contest, set()).add(index)
    right: dict[str, int] = {}
    for number, places in enumerate(_numbers(findings)):
        group = {pairs.get(place, -1) for place in places}
        right |= {contest: number for contest, targets in true.items() if targets == group}
    return right


def _label_errors(blank: Blank, findings: Findings, pairs: dict[int, int]) -> tuple[int, int]:
    """Letters of all true labels, and how many are wrong; a target not found lacks all of its."""
    if not blank.has_labels:
        return 0, 0
    read = dict.fromkeys(range(len(blank.targets)), "")
    for places, contest in zip(_numbers(findings), findings.contests, strict=True):
        for place, option in zip(places, contest.options, strict=True):
            if place in pairs:
                read[pairs[place]] = option.label
    texts = [(_plain(t.label), _plain(read[i])) for i, t in enumerate(blank.targets)]
    return sum(len(true) for true, _ in texts), sum(distance(*pair) for pair in texts)


def _title_errors(blank: Blank, findings: Findings, pairs: dict[int, int]) -> tuple[int, int]:
    """The same for the questions of contests that were grouped right."""
    letters = errors = 0
    for contest, number in _right(blank, findings, pairs).items():
        true, read = _question(blank.titles[contest]), _question(findings.contests[number].title)
        if true:
            letters += len(true)
            errors += min(distance(true, read), distance(true.upper(), read))
    return letters, errors


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _question(text: str) -> str:
    """Without its number and colon: what a form calls a question leaves them out at times."""
    return re.sub(r"^(?:\d+|[IVX]+)\.\s*", "", _plain(text)).rstrip(": ")


def distance(one: str, other: str) -> int:
    """Levenshtein's: letters to be put in, taken out or exchanged."""
    row = list(range(len(other) + 1))
    for number, letter in enumerate(one, start=1):
        before, row[0] = row[0], number
        for place, wanted in enumerate(other, start=1):
            before, row[place] = (
                row[place],
                min(row[place] + 1, row[place - 1] + 1, before + (letter != wanted)),
            )
    return row[-1]


def _rows(scores: Sequence[Score]) -> Iterator[tuple[Cell, ...]]:
    groups = dict.fromkeys(score.group for score in scores)
    for group in groups:
        yield _row(group, [score for score in scores if score.group == group])
    yield _row("all", scores)


def _row(group: str, scores: Sequence[Score]) -> tuple[Cell, ...]:
    def total(name: str) -> int:
        return sum(getattr(score, name) for score in scores)

    targets, letters = total("targets"), total("label_letters")
    return (
        group,
        len(scores),
        targets,
        _share(total("hit"), targets),
        _share(total("hit"), total("found")),
        _share(total("hit_by_example"), targets),
        _share(total("hit_by_example"), total("found_by_example")),
        total("contests"),
        total("contests_right"),
        _share(100 * total("label_errors"), letters),
        _share(100 * total("title_errors"), total("title_letters")),
        total("contests_right_given"),
        _share(100 * total("label_errors_given"), letters),
        total("looks_marked"),
        round(sum(score.seconds for score in scores), 1),
    )


def _share(part: float, whole: float) -> Cell:
    return f"{part / whole:.3f}" if whole else "-"


if __name__ == "__main__":
    sys.exit(main())
