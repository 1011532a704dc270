"""The commands: arguments in, calls, messages and exit codes out."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import rich_click as click
from click.exceptions import Exit
from rich.console import Console, RenderableType

from scanner import __version__
from scanner.ballot import SheetStatus
from scanner.counting.adjudication import Decision, Verdict, sheet_label
from scanner.counting.intake import scan
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.page_order import told_order
from scanner.counting.records import EXPORTS_FOLDER, BatchRequest
from scanner.counting.reorder import batches_without_order
from scanner.counting.results import decide, now, tally_count
from scanner.counting.store import Store
from scanner.errors import BadArgumentsError, ExitCode, KiemPhieuError, TallyMismatchError
from scanner.forms.catalog import DEFAULT_FOLDER, find_form, list_forms
from scanner.forms.template import Form
from scanner.messages import LANGUAGES, describe, gettext, set_language
from scanner.publishing import screen
from scanner.publishing.demo import count_sample, show_demo
from scanner.publishing.exports import Export, write_export
from scanner.publishing.progress import watch_scan
from scanner.publishing.sheet_list import list_sheets

HOME = Path(__file__).resolve().parent
DEMO_SAMPLE = Path("samples", "so_xay_dung_2023")
FORMS_VARIABLE = "KIEMPHIEU_FORMS"
NARROWEST = 100
"""Columns of text where the output goes to no terminal."""

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path)


def _(message: str) -> str:
    """Mark a help text for translation; :func:`_translate` looks it up."""
    return message


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: What follows the name of the program; None takes them from the shell.

    Returns:
        The exit code.
    """
    _translate(cli)
    try:
        cli.main(arguments, prog_name="kiemphieu", standalone_mode=False)
    except KiemPhieuError as error:
        _complain(error)
        return error.exit_code
    except Exit as leaving:
        return leaving.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        _say_error(gettext("Stopped. Nothing is lost: the same command goes on from here."))
        return ExitCode.INTERRUPTED
    return ExitCode.OK


def _console(*, stderr: bool = False) -> Console:
    """Where a command writes; wide enough for a table where no terminal is."""
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = max(console.width, NARROWEST)
    return console


def _say(*what: RenderableType) -> None:
    console = _console()
    for part in what:
        console.print(part)


def _say_error(text: str) -> None:
    _console(stderr=True).print(text, style="bold red", soft_wrap=True)


def _complain(error: KiemPhieuError) -> None:
    where = f"{error.path}: " if error.path is not None else ""
    _say_error(f"{where}{error.message}")
    if error.remedy:
        _console(stderr=True).print(error.remedy, soft_wrap=True)


_english: dict[int, str] = {}


def _translate(command: click.Command | click.Option) -> None:
    """Put the help of a command and of all below it into the language in use."""
    text = _english.setdefault(id(command), command.help or "")
    if text:
        command.help = gettext(text)
    if isinstance(command, click.Command):
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                _translate(parameter)
    if isinstance(command, click.Group):
        for child in command.commands.values():
            _translate(child)


def _choose_language(
    context: click.Context, _parameter: click.Parameter, value: str | None
) -> None:
    if value is not None:
        set_language(value)
        _translate(context.command)


def _forms_folder(given: Path | None) -> Path:
    """The folder of forms: as given, else in the current folder, else beside the program."""
    if given is not None:
        return given
    return DEFAULT_FOLDER if DEFAULT_FOLDER.is_dir() else HOME / DEFAULT_FOLDER


_count_argument = click.argument("count", type=FOLDER)
_forms_option = click.option(
    "--forms", "forms_folder", type=FOLDER, envvar=FORMS_VARIABLE,
    help=_("Folder of registered forms [form_templates; environment: KIEMPHIEU_FORMS]."),
)  # fmt: skip
_jobs_option = click.option(
    "-j", "--jobs", type=click.IntRange(1), default=os.cpu_count() or 1,
    help=_("Processes to read with [as many as the machine has cores]."),
)  # fmt: skip
_issued_option = click.option("--issued", type=click.IntRange(0), help=_("Papers handed out."))
_collected_option = click.option(
    "--collected", type=click.IntRange(0), help=_("Papers taken back.")
)


@contextmanager
def _open_count(folder: Path) -> Iterator[tuple[Store, list[Form]]]:
    with Store(folder) as store:
        yield store, load_kept_forms(store)


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


# --- counting -----------------------------------------------------------------------------------


@cli.command(
    "scan",
    help=_(
        "Reads scanned files into the count in the folder COUNT, which is made if it is not"
        " there. FILES are PDF, TIFF, JPEG or PNG files, or folders of them. Stopped at any"
        " moment, the same command goes on.\n\n"
        "Example: kiemphieu scan ward-3 monday.pdf tuesday.pdf --issued 120 --collected 98"
    ),
)
@_count_argument
@click.argument("files", nargs=-1, type=FILE)
@click.option("-f", "--form", "form_ids", multiple=True, help=_("Id of a form in the pile."))
@_forms_option
@_jobs_option
@click.option("--fronts", multiple=True, type=FILE, help=_("Scan of all fronts, by a feeder that"
              " reads one side."))  # fmt: skip
@click.option("--backs", multiple=True, type=FILE, help=_("Scan of all backs."))
@click.option("--reversed", "reversed_", is_flag=True, help=_("The backs were scanned from the last"
              " sheet to the first."))  # fmt: skip
@click.option("--fronts-first/--backs-first", "is_fronts_first", default=None, help=_("Which side"
              " of a sheet comes first; also for files in the count already."))  # fmt: skip
@click.option("--last-leaf-first", "is_last_leaf_first", is_flag=True, help=_("Sheets of several"
              " leaves were scanned from the last leaf to the first."))  # fmt: skip
@_issued_option
@_collected_option
def _scan(
    count: Path,
    files: tuple[Path, ...],
    form_ids: tuple[str, ...],
    forms_folder: Path | None,
    jobs: int,
    fronts: tuple[Path, ...],
    backs: tuple[Path, ...],
    reversed_: bool,
    is_fronts_first: bool | None,
    is_last_leaf_first: bool,
    issued: int | None,
    collected: int | None,
) -> None:
    if bool(fronts) != bool(backs):
        raise BadArgumentsError(gettext("--fronts and --backs go together."))
    request = BatchRequest(
        files=_absolute(files),
        fronts=_absolute(fronts),
        backs=_absolute(backs),
        reversed_=reversed_,
        order=told_order(fronts_first=is_fronts_first, last_leaf_first=is_last_leaf_first),
        forms=form_ids,
    )
    with watch_scan(_console(stderr=True), jobs) as options:
        summary = scan(count, request, _forms_folder(forms_folder), options)
    with Store(count) as store:
        store.set_papers(issued=issued, collected=collected)
    _say(*screen.show_summary(summary), *screen.next_steps(summary, str(count)))


def _absolute(paths: Sequence[Path]) -> tuple[str, ...]:
    """The files behind paths, folders and patterns; absolute, so that a scan can go on anywhere."""
    from scanner.reading.pages import expand_paths

    return tuple(str(path.resolve()) for path in expand_paths(paths)) if paths else ()


@cli.command(
    "tally",
    help=_(
        "Shows the figures of a count and how they close.\n\n"
        "Example: kiemphieu tally ward-3 --issued 120 --collected 98"
    ),
)
@_count_argument
@_issued_option
@_collected_option
def _tally(count: Path, issued: int | None, collected: int | None) -> None:
    with _open_count(count) as (store, forms):
        store.set_papers(issued=issued, collected=collected)
        tally = tally_count(store, forms)
    _say(*screen.show_form_tallies(forms, tally))
    _say(screen.show_closing(tally), *screen.closing_sentences(tally))


@cli.command(
    "export",
    help=_(
        "Writes tally.json (the figures), boxes.csv (one row a target) or votes.csv (one row a"
        " sheet).\n\nExample: kiemphieu export ward-3 --to votes -o ward-3.csv"
    ),
)
@_count_argument
@click.option(
    "--to", "what", required=True, type=click.Choice([*(str(e) for e in Export), "all"]),
    help=_("What to write."),
)  # fmt: skip
@click.option("-o", "--output", type=FILE, help=_("File to write; with 'all', a folder [the"
              " count's folder exports]."))  # fmt: skip
def _export(count: Path, what: str, output: Path | None) -> None:
    folder = count / EXPORTS_FOLDER if output is None else output
    with _open_count(count) as (store, forms):
        for one in Export if what == "all" else [Export(what)]:
            is_file = output is not None and what != "all"
            path = folder if is_file else folder / one.file_name
            write_export(one, store, forms, path, now())
            _say(str(path))


@cli.command(
    "list",
    help=_(
        "Lists the sheets of a count with the reasons why they wait for a person or are"
        " refused.\n\nExample: kiemphieu list ward-3 --status in_doubt"
    ),
)
@_count_argument
@click.option("--status", type=click.Choice([str(status) for status in SheetStatus]),
              help=_("Only sheets that stand so."))  # fmt: skip
def _list(count: Path, status: str | None) -> None:
    wanted = SheetStatus(status) if status else None
    with _open_count(count) as (store, forms):
        lines = list_sheets(store, forms, wanted)
        needs_order = bool(batches_without_order(store))
    _say(screen.show_sheets(lines) if lines else gettext("There is no such sheet."))
    if needs_order and any(line.status is SheetStatus.IN_DOUBT for line in lines):
        _say(screen.remedy_for_order(str(count)))


@cli.command(
    "show",
    help=_(
        "Draws what was read on the pages of a sheet: a PNG picture for each page.\n\n"
        "Example: kiemphieu show ward-3 0007 -o pictures"
    ),
)
@_count_argument
@click.argument("sheet", type=click.IntRange(1))
@click.option("-o", "--output", type=FILE, help=_("Folder for the pictures, or a name that ends"
              " in .png [the count's folder exports]."))  # fmt: skip
def _show(count: Path, sheet: int, output: Path | None) -> None:
    from scanner.publishing.pictures import write_sheet

    with _open_count(count) as (store, forms):
        lines = list_sheets(store, forms, sheet=sheet)
        for path in write_sheet(store, forms, sheet, output or count / EXPORTS_FOLDER):
            _say(str(path))
    _say(screen.show_sheets(lines))


@cli.command(
    "decide",
    help=_(
        "Records a person's decision. It is added to those made before, and the latest"
        " counts.\n\nExample: kiemphieu decide ward-3 0007 cau-1 hai-long --by 'Lan' --why 'The"
        " cross touches the box.'"
    ),
)
@_count_argument
@click.argument("sheet", type=click.IntRange(1))
@click.argument("contest", required=False)
@click.argument("options", nargs=-1)
@click.option("--blank", "verdict", flag_value=Verdict.BLANK.value, help=_("Nothing was chosen."))
@click.option("--invalid", "verdict", flag_value=Verdict.OVERVOTE.value,
              help=_("Too many were chosen; none counts."))  # fmt: skip
@click.option("--accept", "verdict", flag_value=Verdict.ACCEPT.value,
              help=_("The sheet is good as read."))  # fmt: skip
@click.option("--refuse", "verdict", flag_value=Verdict.REFUSE.value,
              help=_("The sheet is not to be counted."))  # fmt: skip
@click.option("--by", required=True, help=_("Who decides."))
@click.option("--why", required=True, help=_("The reason."))
def _decide(
    count: Path,
    sheet: int,
    contest: str | None,
    options: tuple[str, ...],
    verdict: str | None,
    by: str,
    why: str,
) -> None:
    if verdict is not None and options:
        raise BadArgumentsError(gettext("Name options or give a flag, not both."))
    decision = Decision(
        sheet=sheet,
        verdict=Verdict(verdict) if verdict else Verdict.OPTIONS,
        by=by,
        why=why,
        at=now(),
        contest=contest,
        options=options,
    )
    with _open_count(count) as (store, forms):
        status = decide(store, forms, decision)
        _say(f"{sheet_label(sheet)}: {describe(status)}")
        lines = list_sheets(store, forms, SheetStatus.IN_DOUBT, sheet)
    if lines:
        _say(screen.show_sheets(lines))


# --- forms --------------------------------------------------------------------------------------


@cli.group("form", help=_("Registers forms and looks at them."))
def _form() -> None: ...


@_form.command("list", help=_("Lists the registered forms.\n\nExample: kiemphieu form list"))
@_forms_option
def _form_list(forms_folder: Path | None) -> None:
    _say(screen.show_forms(list_forms(_forms_folder(forms_folder))))


@_form.command(
    "show",
    help=_(
        "Draws the pages of a form with their targets, a PNG picture for each.\n\n"
        "Example: kiemphieu form show khao-sat -o pictures"
    ),
)
@click.argument("form_id", metavar="ID")
@click.option("-o", "--output", type=FOLDER, default=Path(), help=_("Folder for the pictures."))
@_forms_option
def _form_show(form_id: str, output: Path, forms_folder: Path | None) -> None:
    from scanner.publishing.pictures import write_form

    for path in write_form(find_form(_forms_folder(forms_folder), form_id), output):
        _say(str(path))


@_form.command(
    "check",
    help=_(
        "Says what about a form may make trouble when it is read; without ID, about all.\n\n"
        "Example: kiemphieu form check khao-sat"
    ),
)
@click.argument("form_id", metavar="[ID]", required=False)
@_forms_option
def _form_check(form_id: str | None, forms_folder: Path | None) -> None:
    from scanner.forms.health import Severity, check_form

    folder = _forms_folder(forms_folder)
    findings = {
        form.id: check_form(form)
        for form in ([find_form(folder, form_id)] if form_id else list_forms(folder))
    }
    _say(*screen.show_findings(findings))
    if any(f.severity is Severity.FAULT for found in findings.values() for f in found):
        raise Exit(ExitCode.BAD_FORM)


@_form.command(
    "import",
    help=_(
        "Registers a form: its blank pages, and a list of its targets (JSON or CSV, in pixels of"
        " the blank or millimetres). With '-' for ID, forms are called as the list calls"
        " them.\n\nExample: kiemphieu form import khao-sat --blank p1.png p2.png --targets"
        " targets.csv"
    ),
)
@click.argument("form_id", metavar="ID")
@click.argument("more_blanks", metavar="", nargs=-1, type=FILE)
@click.option("--targets", type=FILE, required=True, help=_("List of the targets."))
@click.option("--blank", "blanks", multiple=True, type=FILE, help=_("Blank pages: PNG, JPEG, TIFF"
              " or PDF."))  # fmt: skip
@click.option("--title", default="", help=_("Title of the form."))
@click.option("--dpi", type=click.FloatRange(30, 2400), help=_("Resolution of the blank, if its"
              " file does not say."))  # fmt: skip
@click.option("--template", help=_("Which form of a list that holds several."))
@click.option("--replace", is_flag=True, help=_("Replace a registered form of that id."))
@_forms_option
def _form_import(
    form_id: str,
    more_blanks: tuple[Path, ...],
    targets: Path,
    blanks: tuple[Path, ...],
    title: str,
    dpi: float | None,
    template: str | None,
    replace: bool,
    forms_folder: Path | None,
) -> None:
    from scanner.forms.importing import ImportRequest, import_forms
    from scanner.reading.pages import load_blanks

    request = ImportRequest(
        targets=targets,
        folder=_forms_folder(forms_folder),
        form_id=None if form_id == "-" else form_id,
        blanks=(*blanks, *more_blanks),
        title=title,
        dpi=dpi,
        template=template,
        replace=replace,
    )
    for made in import_forms(request, load_blanks):
        _say(*screen.show_imported(made.form, made.notes))


@cli.command(
    "demo",
    help=_(
        "Counts a sample: the survey of a provincial Department of Construction in 2023, 38"
        " two-sided papers in one PDF, and compares with the published figures.\n\n"
        "Example: kiemphieu demo -o demo-count"
    ),
)
@click.option("-o", "--output", type=FOLDER, help=_("Folder for the count [a passing one]."))
@_jobs_option
def _demo(output: Path | None, jobs: int) -> None:
    with tempfile.TemporaryDirectory(prefix="kiemphieu-") as passing:
        folder = output if output is not None else Path(passing) / "demo"
        with watch_scan(_console(stderr=True), jobs) as options:
            result = count_sample(HOME / DEMO_SAMPLE, HOME / DEFAULT_FOLDER, folder, options)
    _say(*show_demo(result))
    if result.differences:
        raise TallyMismatchError(
            gettext("The tally is not the expected one."),
            remedy=gettext("Sheets in doubt have to be decided first, see 'kiemphieu list'."),
        )


if __name__ == "__main__":
    sys.exit(main())
