"""What all commands share: their options, the console, and help in two languages.

Only light modules are imported at the head of this room, so that ``--help`` is there at once;
what a command works with is imported when it runs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click
from rich.console import Console, RenderableType

from scanner.errors import KiemPhieuError
from scanner.messages import gettext

if TYPE_CHECKING:
    from scanner.counting.store import Store
    from scanner.forms.template import Form

HOME = Path(__file__).resolve().parents[2]
"""The folder of ``cli.py``, with the forms and samples that come with the program."""
FORMS_FOLDER = Path("form_templates")
FORMS_VARIABLE = "KIEMPHIEU_FORMS"
NARROWEST = 100
"""Columns of text where the output goes to no terminal."""

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path)


def mark(message: str) -> str:
    """Mark a help text for translation; :func:`translate` looks it up."""
    return message


_ = mark

count_argument = click.argument("count", type=FOLDER)
forms_option = click.option(
    "--forms", "forms_folder", type=FOLDER, envvar=FORMS_VARIABLE,
    help=_("Folder of registered forms [form_templates; environment: KIEMPHIEU_FORMS]."),
)  # fmt: skip
jobs_option = click.option(
    "-j", "--jobs", type=click.IntRange(1), default=os.cpu_count() or 1,
    help=_("Processes to read with [as many as the machine has cores]."),
)  # fmt: skip
issued_option = click.option("--issued", type=click.IntRange(0), help=_("Papers handed out."))
collected_option = click.option("--collected", type=click.IntRange(0), help=_("Papers taken back."))
hand_count_option = click.option(
    "--hand-count", type=click.IntRange(0), help=_("Papers counted by hand before they were"
    " scanned."),
)  # fmt: skip
channel_option = click.option("--channel", help=_("How the papers came: box, post, online."))
day_option = click.option(
    "--day", help=_("When they came, like 2026-03-31 [the day of the scan].")
)  # fmt: skip


def console(*, stderr: bool = False) -> Console:
    """Where a command writes; wide enough for a table where no terminal is."""
    made = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not made.is_terminal:
        made.width = max(made.width, NARROWEST)
    return made


def what_is_told(**asked: int | str | None) -> dict[str, int | str]:
    """Of what can be told of a batch, that which somebody has told.

    Raises:
        BadArgumentsError: It makes no sense.
    """
    from scanner.counting.reconcile import check_batch_facts

    told = {name: value for name, value in asked.items() if value is not None}
    check_batch_facts(told)
    return told


def say(*what: RenderableType) -> None:
    """Write what a command has to tell."""
    screen = console()
    for part in what:
        screen.print(part)


def tell_address(address: str) -> None:
    """Write the address that lets one browser in."""
    say(gettext("Open this address in one browser; it works once:"), f"    {address}")


def say_error(text: str) -> None:
    """Write one line about what went wrong."""
    console(stderr=True).print(text, style="bold red", soft_wrap=True)


def complain(error: KiemPhieuError) -> None:
    """Write what is wrong, with which file, and what to do about it."""
    where = f"{error.path}: " if error.path is not None else ""
    say_error(f"{where}{error.message}")
    if error.remedy:
        console(stderr=True).print(error.remedy, soft_wrap=True)


_english: dict[int, str] = {}


def translate(command: click.Command | click.Option) -> None:
    """Put the help of a command and of all below it into the language in use."""
    text = _english.setdefault(id(command), command.help or "")
    if text:
        command.help = gettext(text)
    if isinstance(command, click.Command):
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                translate(parameter)
    if isinstance(command, click.Group):
        for child in command.commands.values():
            translate(child)


def choose_forms_folder(given: Path | None) -> Path:
    """The folder of forms: as given, else in the current folder, else beside the program."""
    if given is not None:
        return given
    return FORMS_FOLDER if FORMS_FOLDER.is_dir() else HOME / FORMS_FOLDER


@contextmanager
def open_count(folder: Path) -> Iterator[tuple[Store, list[Form]]]:
    """A count with the forms that it keeps."""
    from scanner.counting.kept_forms import load_kept_forms
    from scanner.counting.store import Store

    with Store(folder) as store:
        yield store, load_kept_forms(store)
