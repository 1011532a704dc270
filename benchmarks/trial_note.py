"""What came out of a trial, as a document that is kept with the program."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.commands import ROOT

_TABLES = ("people", "pen", "paper", "scanner", "placing", "form")
_FIGURES = {
    "sheets": "sheets",
    "positions": "positions: clear targets on pages taken for what they are",
    "marked": "of these, marked",
    "silent": "silent errors",
    "doubts": "clear targets in doubt",
    "caught": "read wrongly where a person is asked anyway",
    "clear_sheets": "sheets on which all is clear",
    "clear_sheets_asked": "of these, shown to a person",
    "refused": "sheets refused",
    "wrong_form": "sheets taken for another form",
    "wrong_form_unasked": "of these, with nobody asked",
    "unclear": "targets that nobody could be sure of",
    "unclear_asked": "of these, in a question that a person is asked about",
    "seconds_to_draw_a_sheet": "seconds to draw a sheet",
    "seconds_to_read_a_sheet": "seconds to read a sheet",
}


def write_note(path: Path, command: str, summary: dict[str, Any]) -> None:
    """Write command, seed, date, machine, commit, figures and tables of a trial as Markdown.

    Args:
        path: The file; its folder is made.
        command: How to run the same trial again.
        summary: As ``accuracy.report`` returns it, with the setting of the trial.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(_lines(command, summary)) + "\n", encoding="utf-8", newline="\n")


def _lines(command: str, summary: dict[str, Any]) -> Iterator[str]:
    bound = summary["silent_upper_bound_95"]
    shown = 100 * summary["clear_sheets_asked"] / max(summary["clear_sheets"], 1)
    yield f"# Trial: {summary['world']} sheets, seed {summary['seed']}"
    yield ""
    yield (
        f"**{summary['silent']} silent errors in {summary['positions']:,} positions**; with 95 %"
        f" confidence at most {bound:.2e}, 1 in {1 / bound:,.0f}. Of the sheets on which all is"
        f" clear a person is shown {shown:.2f} %."
    )
    yield ""
    yield from _table(("", ""), _setting(command, summary))
    yield ""
    yield from _table(("figure", "value"), [[_FIGURES[key], summary[key]] for key in _FIGURES])
    for title, rows in (
        ("Predicted and observed share of marks, nobody being asked", summary["reliability"]),
        ("The same where a person is asked", summary["reliability_where_asked"]),
        ("Why clear targets are in doubt", summary["doubts_because_of"]),
        *((name.capitalize(), summary["tables"][name]) for name in _TABLES),
    ):
        yield from _section(title, rows)
    if summary["reasons"]:
        reasons = [{"reason": why, "sheets": count} for why, count in summary["reasons"].items()]
        yield from _section("Why clear sheets are shown to a person", reasons)
    errors = [
        {key: error[key] for key in ("seed", "target", "deed", "marked", "probability")}
        for error in summary["errors"]
    ]
    yield from _section("Silent errors", errors)


def _setting(command: str, summary: dict[str, Any]) -> list[list[Any]]:
    forms = ", ".join(f"{name} {hash_[:12]}" for name, hash_ in summary["forms"].items())
    seconds = summary["seconds_to_draw_a_sheet"] + summary["seconds_to_read_a_sheet"]
    hours = summary["sheets"] * seconds / 3600
    return [
        ["command", f"`{command}`"],
        ["seed", summary["seed"]],
        ["date", datetime.datetime.now(tz=datetime.UTC).date().isoformat()],
        ["commit", commit()],
        ["drawing, reading and judging code", f"SHA-256 {summary['code'][:16]}"],
        ["forms", forms],
        ["machine", f"{processor()}, {os.cpu_count()} cores, {platform.system()}"],
        ["Python", summary["python"]],
        ["time", f"{hours:.1f} hours of one core"],
    ]


def _section(title: str, rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    if rows:
        yield f"\n## {title}\n"
        yield from _table(tuple(rows[0]), [list(row.values()) for row in rows])


def _table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    yield _line(names)
    yield _line(["---", *["---:"] * (len(names) - 1)])
    for row in rows:
        yield _line([_text(cell) for cell in row])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(cell: Any) -> str:
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return str(cell).replace("|", "\\|")
    return f"{cell:,}" if isinstance(cell, int) else f"{cell:.4g}"


def processor() -> str:
    """The name of the processor as the system gives it."""
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def commit() -> str:
    """The commit that is checked out, and whether files differ from it; else ``unknown``."""
    try:
        hash_ = _git("rev-parse", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{hash_} with changes" if changed else hash_


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    )
    return done.stdout.strip()
