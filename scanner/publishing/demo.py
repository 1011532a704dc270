"""A sample counted, and its figures beside those it ought to have."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from scanner.counting.intake import ScanOptions, ScanSummary, scan
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.records import BatchRequest
from scanner.counting.results import tally_count
from scanner.counting.store import Store
from scanner.counting.tally import ContestTally, Tally, percent
from scanner.errors import FormError, UnreadableFileError
from scanner.forms.template import Form
from scanner.messages import gettext as _
from scanner.publishing.screen import closing_sentences, show_closing, show_summary

SCAN_FILE = "scan.pdf"
EXPECTED_FILE = "expected.json"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure beside the one it ought to be."""

    contest: str
    option: str
    """Empty for a figure of the contest as a whole."""
    what: str
    counted: int
    expected: int


@dataclass(frozen=True, slots=True)
class DemoResult:
    """A counted sample."""

    summary: ScanSummary
    form: Form
    tally: Tally
    published: tuple[Figure, ...]
    """The figures that were published, each with the one counted."""
    differences: tuple[Figure, ...]
    """Every figure that is not the expected one."""


def count_sample(
    sample: Path, forms_folder: Path, count: Path, options: ScanOptions | None = None
) -> DemoResult:
    """Count a sample and compare it with what is written down beside it.

    Args:
        sample: A folder with ``scan.pdf`` and ``expected.json``.
        forms_folder: Where its form is registered.
        count: Folder for the count; begun if it is not there.
        options: How the scan is done.

    Raises:
        UnreadableFileError: The sample is not there.
        FormError: Its form is not registered.
    """
    path = sample / EXPECTED_FILE
    if not path.is_file() or not (sample / SCAN_FILE).is_file():
        raise UnreadableFileError(
            _("The sample is not here."),
            remedy=_("Run this command in the project's folder."),
            path=sample,
        )
    expected = json.loads(path.read_text(encoding="utf-8"))
    request = BatchRequest(files=(str((sample / SCAN_FILE).resolve()),), forms=(expected["form"],))
    summary = scan(count, request, forms_folder, options)
    with Store(count) as store:
        store.set_papers(issued=expected["issued"], collected=expected["sheets"])
        forms = load_kept_forms(store)
        tally = tally_count(store, forms)
    form = next((form for form in forms if form.id == expected["form"]), None)
    if form is None:
        raise FormError(_("The sample's form is not in this count."), path=count)
    sums = {sum_.contest: sum_ for sum_ in tally.forms[forms.index(form)].contests}
    return DemoResult(
        summary=summary,
        form=form,
        tally=tally,
        published=tuple(_published(expected, sums)),
        differences=tuple(
            figure
            for figure in _all_figures(expected, sums, tally)
            if figure.counted != figure.expected
        ),
    )


def show_demo(result: DemoResult) -> Iterator[RenderableType]:
    """The published figures beside those counted, how the tally closes, and what differs."""
    yield from show_summary(result.summary)
    yield _show_published(result)
    yield show_closing(result.tally)
    yield from closing_sentences(result.tally)
    for figure in result.differences:
        name = "/".join(part for part in (figure.contest, figure.option) if part)
        place = f"{name}: " if name else ""
        words = _("{what} {counted}, expected {expected}").format(
            what=figure.what, counted=figure.counted, expected=figure.expected
        )
        yield Text(place + words, style="bold red")
    if not result.differences:
        yield Text(_("All figures are the expected ones."), style="bold green")


def _show_published(result: DemoResult) -> Table:
    """The published figures, as they were published: 23/38, 61 %."""
    table = Table(title=result.form.title, title_justify="left", title_style="bold")
    table.add_column(_("Option"))
    table.add_column(_("Counted"), justify="right")
    table.add_column(_("Published"), justify="right")
    last = ""
    whole = result.tally.scanned - result.tally.refused
    for figure in result.published:
        contest = result.form.contest(figure.contest)
        if contest is None:
            continue
        if figure.contest != last:
            table.add_section()
            table.add_row(Text(contest.title or contest.id, style="bold"))
        last = figure.contest
        labels = {option.id: option.label for option in contest.options}
        style = "green" if figure.counted == figure.expected else "bold red"
        table.add_row(
            Text(f"  {labels.get(figure.option, figure.option)}"),
            Text(_share(figure.counted, whole), style=style),
            figure.what,
        )
    return table


def _share(part: int, whole: int) -> str:
    return f"{part}/{whole}  {percent(part, whole)} %"


def _published(expected: Any, sums: dict[str, ContestTally]) -> Iterator[Figure]:
    for entry in expected["published"]:
        contest, option = entry["contest"], entry["option"]
        counted = sums[contest].options.get(option, 0)
        words = f"{entry['count']}/{entry['of']}  {entry['percent']} %"
        yield Figure(contest, option, words, counted, entry["count"])


def _all_figures(expected: Any, sums: dict[str, ContestTally], tally: Tally) -> Iterator[Figure]:
    yield Figure("", "", _("sheets counted"), tally.valid, expected["sheets"])
    yield Figure("", "", _("sheets refused"), tally.refused, 0)
    for contest, figures in expected["contests"].items():
        found = sums[contest]
        for option, votes in figures["options"].items():
            yield Figure(contest, option, _("votes"), found.options.get(option, 0), votes)
        yield Figure(contest, "", _("blank"), found.blank, figures["blank"])
        yield Figure(contest, "", _("overvote"), found.overvote, figures["overvote"])
