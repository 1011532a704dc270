"""The command that takes files out of a count."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from scanner.commands.shared import FILE, console, count_argument, open_count, say
from scanner.commands.shared import mark as _
from scanner.errors import BadArgumentsError
from scanner.messages import gettext

if TYPE_CHECKING:
    from scanner.counting.tally_making import TallyHeading

EXPORTS = (
    "tally",
    "csv-long",
    "csv-wide",
    "xlsx",
    "spss",
    "boxes",
    "votes",
    "words",
    "cvr",
    "err",
    "dominion-csv",
    "manifest",
)
"""What ``export --to`` takes: the members of ``scanner.publishing.exports.Export``."""
TABLES = "csv"
"""Both tables of figures: ``csv-long`` and ``csv-wide``."""
EVIDENCE = "evidence"
"""It is a folder of pages, and so no file of ``scanner.publishing.exports``."""
BUNDLE = "bundle"
"""It is a file of pictures of all sheets, and takes its time, so that ``all`` leaves it out."""


@click.command(
    "export",
    help=_(
        "Writes files that leave the house; docs/exports.md describes each. 'words' is private,"
        " and so not part of 'all'.\n\n"
        "Example: kiemphieu export ward-3 --to tally --unit w3 --unit-name 'Ward 3'"
        " --period 2026-Q1"
    ),
)
@count_argument
@click.option(
    "--to", "what", required=True, type=click.Choice([*EXPORTS, TABLES, EVIDENCE, BUNDLE, "all"]),
    help=_("What to write."),
)  # fmt: skip
@click.option("-o", "--output", type=FILE, help=_("File to write; with 'csv' and 'all', a"
              " folder [the count's folder exports]."))  # fmt: skip
@click.option(
    "--unit", default="", help=_("Whose count it is: the unit's id in the tree of units.")
)
@click.option("--unit-name", default="", help=_("The unit's name."))
@click.option("--period", default="", help=_("Of which period, such as 2026-Q1."))
@click.option("--smallest-group", type=click.IntRange(0), default=0, help=_("Groups of fewer valid"
              " sheets get no figures of their own [0: all have]."))  # fmt: skip
@click.option("--secret", "is_secret", is_flag=True, help=_("The vote is secret: sheets go out in"
              " an order drawn by lot, and nothing that shows theirs is written [as the form says;"
              " nothing can be less secret]."))  # fmt: skip
def _export(
    count: Path,
    what: str,
    output: Path | None,
    unit: str,
    unit_name: str,
    period: str,
    smallest_group: int,
    is_secret: bool,
) -> None:
    from scanner.counting.records import EXPORTS_FOLDER
    from scanner.counting.results import now
    from scanner.counting.sealing import keep_sealed
    from scanner.publishing.exports import SHOW_ORDER, Export, write_export

    heading = replace(heading_of(unit, unit_name, period, smallest_group), is_secret=is_secret)
    folder = count / EXPORTS_FOLDER if output is None else output
    if what == EVIDENCE:
        _export_evidence(count, folder if output else folder / EVIDENCE, heading)
        return
    if what == BUNDLE:
        path = output or folder / "bundle.pdf"
        _export_bundle(count, path, is_secret=is_secret)
        return
    with open_count(count) as (store, forms):
        hidden = SHOW_ORDER if heading.kept_to(forms).is_secret else frozenset()
        everything = [one for one in Export if one.goes_with_all and one not in hidden]
        several = {"all": everything, TABLES: [Export.CSV_LONG, Export.CSV_WIDE]}
        for one in several[what] if what in several else [Export(what)]:
            is_file = output is not None and what not in several
            path = folder if is_file else folder / one.file_name
            keep_sealed(count, path)
            write_export(one, store, forms, path, now(), heading)
            say(str(path))


def _export_evidence(count: Path, folder: Path, heading: TallyHeading) -> None:
    from scanner.counting.results import now
    from scanner.publishing.evidence import EvidenceRequest, write_evidence
    from scanner.publishing.progress import show_sheets_drawn

    with open_count(count) as (store, forms), show_sheets_drawn(console(stderr=True)) as tell:
        request = EvidenceRequest(heading, tell)
        say(str(write_evidence(store, forms, folder, request, now())))


def _export_bundle(count: Path, path: Path, *, is_secret: bool) -> None:
    from scanner.counting.sealing import keep_sealed
    from scanner.publishing.bundle import write_bundle
    from scanner.publishing.progress import show_sheets_drawn

    keep_sealed(count, path)
    with open_count(count) as (store, forms), show_sheets_drawn(console(stderr=True)) as tell:
        done = write_bundle(store, forms, path, is_secret=is_secret, tell=tell)
    say(str(path), gettext("Pages: {number}").format(number=done.pages))
    coarser, not_shown = done.coarser, done.not_shown
    if coarser:
        say(gettext("Coarser than 200 dpi, to stay small: {number}").format(number=coarser))
    if not_shown:
        say(gettext("Not shown, but listed with the reason: {number}").format(number=not_shown))


def heading_of(unit: str, unit_name: str, period: str, smallest_group: int) -> TallyHeading:
    """What a tally says about itself, as the options give it.

    Raises:
        BadArgumentsError: The period is none.
    """
    from scanner.counting.periods import read_period
    from scanner.counting.tally_file import TallyUnit
    from scanner.counting.tally_making import TallyHeading

    try:
        period = read_period(period).id if period else ""
    except ValueError as error:
        raise BadArgumentsError(str(error)) from error
    named = TallyUnit(unit or unit_name, unit_name) if unit or unit_name else None
    return TallyHeading(unit=named, period=period, smallest_group=smallest_group)


COMMANDS = (_export,)
