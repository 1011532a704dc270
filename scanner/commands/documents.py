"""The commands that write documents: report, unit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from scanner.commands.shared import FILE, open_count, say, say_error
from scanner.commands.shared import mark as _
from scanner.errors import BadArgumentsError
from scanner.messages import gettext

if TYPE_CHECKING:
    from datetime import datetime

    from scanner.publishing.documents.facts import Facts, Kind
    from scanner.publishing.documents.unit import Unit

KINDS = ("minutes", "report", "notice", "posting", "rollup", "election", "english", "page")
"""What ``--kind`` takes: the members of ``scanner.publishing.documents.facts.Kind``."""


@click.command(
    "report",
    help=_(
        "Writes a document of a count, or of a tally that was mailed: counting minutes, report with"
        " annex, notice, minutes of posting, roll-up of several tallies, election-style minutes, a"
        " report in English, or a public page. Figures come from the count, all else from the file"
        " of facts about the unit. As long as the count is not final only provisional documents"
        " are written, and marked so.\n\n"
        "Example: kiemphieu report ward-3 --kind minutes --unit unit.yaml -o minutes.docx"
    ),
)
@click.argument("sources", nargs=-1, required=True, type=FILE, metavar="COUNT|TALLY...")
@click.option("--kind", required=True, type=click.Choice(KINDS), help=_("Which document."))
@click.option("--unit", "unit_file", required=True, type=FILE, help=_("The facts about the unit:"
              " unit.yaml."))  # fmt: skip
@click.option("-o", "--output", required=True, type=FILE, help=_("File to write: .docx, .pdf, or"
              " .html for the public page."))  # fmt: skip
@click.option("--tree", type=FILE, help=_("The tree of units, for a roll-up: units.yaml."))
@click.option("--provisional", is_flag=True, help=_("Write it although the count is not final, and"
              " mark it so."))  # fmt: skip
def _report(
    sources: tuple[Path, ...],
    kind: str,
    unit_file: Path,
    output: Path,
    tree: Path | None,
    provisional: bool,
) -> None:
    from scanner.counting.results import now
    from scanner.counting.sealing import keep_sealed
    from scanner.publishing.documents.compose import check_suffix, write_document
    from scanner.publishing.documents.contradictions import contradictions
    from scanner.publishing.documents.facts import Kind
    from scanner.publishing.documents.gather import see_that_it_is_final
    from scanner.publishing.documents.unit import read_unit

    wanted = Kind(kind)
    check_suffix(wanted, output)
    for source in sources:
        keep_sealed(source, output)
    unit = read_unit(unit_file)
    at = now()
    facts = _gather(sources, tree, wanted, unit, at)
    found = contradictions(wanted, facts)
    for one in found:
        say_error(one.text)
    if not provisional:
        see_that_it_is_final(facts, found, sources[0])
    write_document(wanted, facts, output, at)
    say(str(output))


@click.command(
    "unit",
    help=_(
        "Writes a commented file of facts about the unit, to be changed in any editor.\n\n"
        "Example: kiemphieu unit unit.yaml"
    ),
)
@click.argument("file", type=FILE)
def _unit(file: Path) -> None:
    from scanner.forms.workshop import open_whole
    from scanner.publishing.documents.unit import NEW_UNIT

    if file.exists():
        raise BadArgumentsError(gettext("This file is there already."), path=file)
    with open_whole(file) as stream:
        stream.write(NEW_UNIT.read_bytes())
    say(str(file))


def _gather(
    sources: tuple[Path, ...], tree: Path | None, kind: Kind, unit: Unit, at: datetime
) -> Facts:
    """What the document is made of: a count, a tally, or several tallies added up."""
    from scanner.publishing.documents.facts import Kind
    from scanner.publishing.documents.gather import facts_of_count, facts_of_sum, facts_of_tally

    if kind is Kind.ROLLUP or len(sources) > 1:
        if tree is None:
            raise BadArgumentsError(
                gettext("Several tallies are added up along a tree of units."),
                remedy=gettext("Give --tree units.yaml."),
            )
        return facts_of_sum(sources, tree, unit, kind.language, at)
    (source,) = sources
    if source.is_dir():
        with open_count(source) as (store, forms):
            return facts_of_count(store, forms, unit, kind.language, at)
    return facts_of_tally(source, unit, kind.language)


COMMANDS = (_report, _unit)
"""In the order in which the help names them."""
