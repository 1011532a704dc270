"""The program as it is started: one command, its messages and its exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import rich_click as click

from scanner import __version__
from scanner.commands import (
    closing,
    counting,
    documents,
    exporting,
    forms,
    merging,
    record,
    review,
    sealing,
)
from scanner.commands.shared import complain, say_error, translate
from scanner.commands.shared import mark as _
from scanner.errors import ExitCode, KiemPhieuError
from scanner.messages import LANGUAGES, gettext, set_language


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: What follows the name of the program; None takes them from the shell.

    Returns:
        The exit code.
    """
    translate(cli)
    try:
        # A command gives nothing back, unless it has left with a code.
        code = cli.main(arguments, prog_name="kiemphieu", standalone_mode=False)
    except KiemPhieuError as error:
        complain(error)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        say_error(gettext("Stopped. Nothing is lost: the same command goes on from here."))
        return ExitCode.INTERRUPTED
    return ExitCode.OK if code is None else int(code)


def _choose_language(
    context: click.Context, _parameter: click.Parameter, value: str | None
) -> None:
    if value is not None:
        set_language(value)
        translate(context.command)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    help=_(
        "Counts paper forms with tick boxes from their scans, and asks a person when unsure.\n\n"
        "Example: kiemphieu scan ward-3 scans/*.pdf, then kiemphieu tally ward-3"
    ),
)
@click.option(
    "--lang",
    type=click.Choice(LANGUAGES),
    is_eager=True,
    expose_value=False,
    callback=_choose_language,
    help=_("Language of the messages."),
)
@click.version_option(__version__, prog_name="kiemphieu")
def cli() -> None:
    """The group of all commands."""


for _command in (
    *counting.COMMANDS,
    *closing.COMMANDS,
    *exporting.COMMANDS,
    *documents.COMMANDS,
    *merging.COMMANDS,
    *review.COMMANDS,
    *record.COMMANDS,
    *sealing.COMMANDS,
    forms.form,
):
    cli.add_command(_command)

if __name__ == "__main__":
    sys.exit(main())
