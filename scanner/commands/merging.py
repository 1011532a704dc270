"""The command that makes one tally of many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from scanner.commands.shared import FILE, say
from scanner.commands.shared import mark as _
from scanner.errors import BadArgumentsError
from scanner.messages import gettext

if TYPE_CHECKING:
    from scanner.counting.tally_file import TallyFile


@click.command(
    "merge",
    help=_(
        "Adds tallies up along a tree of units: wards to towns, towns to provinces, quarters to"
        " years. TALLIES are files that 'export --to tally', 'seal' or 'merge' wrote, or folders of"
        " them. Says who is missing, late or short of the quota. A sealed tally is added only if"
        " its seal holds.\n\n"
        "Example: kiemphieu merge tallies --tree units.yaml --period 2026-Q3 -o town.json"
    ),
)
@click.argument("tallies", nargs=-1, required=True, type=FILE)
@click.option("--tree", required=True, type=FILE, help=_("Who adds up into whom: units.yaml."))
@click.option("--period", help=_("The whole period, such as 2026 or 2026-Q3 [the smallest that has"
              " all tallies]."))  # fmt: skip
@click.option("--map", "mapping", type=FILE, help=_("How versions of a form are mapped."))
@click.option("--as", "told", type=(FILE, str, str), multiple=True, metavar="FILE UNIT PERIOD",
              help=_("Of which unit and period a tally is that does not say so."))  # fmt: skip
@click.option("--trust", "trusted", multiple=True, type=FILE,
              help=_("Public key that you have from elsewhere; it must have signed."))  # fmt: skip
@click.option("-o", "--output", type=FILE, help=_("Tally file to write."))
def _merge(
    tallies: tuple[Path, ...],
    tree: Path,
    period: str | None,
    mapping: Path | None,
    told: tuple[tuple[Path, str, str], ...],
    trusted: tuple[Path, ...],
    output: Path | None,
) -> None:
    from scanner.counting.form_map import read_form_mapping
    from scanner.counting.keys import read_public_key
    from scanner.counting.merge import merge
    from scanner.counting.results import now
    from scanner.counting.unit_tree import read_unit_tree
    from scanner.publishing import merge_screen as screen
    from scanner.publishing.tally_json import write_tally

    units = read_unit_tree(tree)
    keys = [read_public_key(file) for file in trusted]
    result = merge(
        _read_all(_files_of(tallies), told, keys),
        units,
        period,
        at=now(),
        mapping=None if mapping is None else read_form_mapping(mapping),
    )
    say(*screen.show_roll_up(result))
    if output is not None and result.total is not None:
        write_tally(result.total, output)
        say(screen.sources_in_words(result.total), str(output))


def _files_of(paths: Sequence[Path]) -> list[Path]:
    """The files given, and the ``.json`` files of folders given."""
    files: list[Path] = []
    for path in paths:
        files += sorted(path.glob("*.json")) if path.is_dir() else [path]
    return files


def _read_all(
    files: Sequence[Path], told: Sequence[tuple[Path, str, str]], trusted: Sequence[str]
) -> list[TallyFile]:
    """The tallies, each after its seal was found to hold.

    Raises:
        BadArgumentsError: A file is told to be of another unit than it says, or is not given.
        TallyMismatchError: A file is no tally, or its seal does not hold.
    """
    from scanner.counting.tally_file import TallyUnit
    from scanner.counting.verifying import check_sealed_tally
    from scanner.publishing.tally_json import read_tally

    names = {path.resolve(): (unit, period) for path, unit, period in told}
    read: list[TallyFile] = []
    for path in files:
        check_sealed_tally(path, trusted)
        tally = read_tally(path)
        unit, period = names.pop(path.resolve(), ("", ""))
        if unit:
            own = tally.unit.id if tally.unit is not None else unit
            if own != unit or (tally.period or period) != period:
                raise BadArgumentsError(
                    gettext("This tally says itself that it is of {unit}, {period}.").format(
                        unit=own, period=tally.period
                    ),
                    path=path,
                )
            tally = replace(tally, unit=tally.unit or TallyUnit(unit), period=period)
        read.append(tally)
    if names:
        raise BadArgumentsError(
            gettext("Told with --as, but not among the tallies: {files}.").format(
                files=", ".join(map(str, names))
            )
        )
    return read


COMMANDS = (_merge,)
"""In the order in which the help names them."""
