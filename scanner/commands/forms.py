"""The commands about forms: register one, look at it, try it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import rich_click as click
from click.exceptions import Exit

from scanner.commands.shared import (
    FILE,
    FOLDER,
    choose_forms_folder,
    console,
    forms_option,
    open_count,
    say,
    tell_address,
)
from scanner.commands.shared import mark as _
from scanner.errors import BadArgumentsError, ExitCode
from scanner.messages import LANGUAGES, gettext

if TYPE_CHECKING:
    from scanner.registering.found import Example


_DOCUMENTS = {".doc", ".docx", ".odt", ".rtf", ".xls", ".xlsx", ".ods"}
"""What offices write forms in; a page has its lay-out only once it is printed."""


port_option = click.option(
    "--port", type=click.IntRange(0, 65535),
    help=_("Port to serve the page at [the first free one from 8420 on]."),
)  # fmt: skip
no_browser_option = click.option(
    "--no-browser", is_flag=True, help=_("Only show the address of the page.")
)


@click.group("form", help=_("Registers forms and looks at them."))
def form() -> None:
    """The group of the commands about forms."""


@form.command("list", help=_("Lists the registered forms.\n\nExample: kiemphieu form list"))
@forms_option
def _form_list(forms_folder: Path | None) -> None:
    from scanner.forms.catalog import list_forms
    from scanner.publishing import form_screen

    say(form_screen.show_forms(list_forms(choose_forms_folder(forms_folder))))


@form.command(
    "show",
    help=_(
        "Draws the pages of a form with their targets, a PNG picture for each.\n\n"
        "Example: kiemphieu form show khao-sat -o pictures"
    ),
)
@click.argument("form_id", metavar="ID")
@click.option("-o", "--output", type=FOLDER, default=Path(), help=_("Folder for the pictures."))
@forms_option
def _form_show(form_id: str, output: Path, forms_folder: Path | None) -> None:
    from scanner.forms.catalog import find_form
    from scanner.publishing.pictures import write_form

    for path in write_form(find_form(choose_forms_folder(forms_folder), form_id), output):
        say(str(path))


@form.command(
    "check",
    help=_(
        "Says what about a form may make trouble when it is read, how bad it is and what to do"
        " about it; without ID, about all. A form without a flaw has 100 points.\n\n"
        "Example: kiemphieu form check khao-sat"
    ),
)
@click.argument("form_id", metavar="[ID]", required=False)
@forms_option
def _form_check(form_id: str | None, forms_folder: Path | None) -> None:
    from scanner.forms.catalog import find_form, list_forms
    from scanner.forms.findings import Severity
    from scanner.publishing import form_screen
    from scanner.registering.fitness import check_forms

    folder = choose_forms_folder(forms_folder)
    every = list_forms(folder)
    findings = check_forms([find_form(folder, form_id)] if form_id else every, every)
    say(*form_screen.show_findings(findings))
    if any(f.severity is Severity.FAULT for found in findings.values() for f in found):
        raise Exit(ExitCode.BAD_FORM)


@form.command(
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
@forms_option
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
    from scanner.publishing import form_screen
    from scanner.reading.pages import load_blanks

    request = ImportRequest(
        targets=targets,
        folder=choose_forms_folder(forms_folder),
        form_id=None if form_id == "-" else form_id,
        blanks=(*blanks, *more_blanks),
        title=title,
        dpi=dpi,
        template=template,
        replace=replace,
    )
    for made in import_forms(request, load_blanks):
        say(*form_screen.show_imported(made.form, made.notes))


@form.command(
    "testdeck",
    help=_(
        "Makes a PDF of marked sheets of a form, with a known tally written beside it: each option"
        " once, blank sheets, too many marks, faint marks, marks taken back. Print it or scan the"
        " file as it is into a count of its own; then --compare says whether every mark was read"
        " as it was meant.\n\n"
        "Example: kiemphieu form testdeck khao-sat -n 40 -o deck.pdf, then kiemphieu scan trial"
        " deck.pdf -f khao-sat, then kiemphieu form testdeck khao-sat --compare trial"
    ),
)
@click.argument("form_id", metavar="ID")
@click.option("-n", "--sheets", type=click.IntRange(1), default=40, show_default=True,
              help=_("How many sheets."))  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True,
              help=_("Another number makes another deck."))  # fmt: skip
@click.option("-o", "--output", type=FILE, help=_("PDF to write [testdeck-ID.pdf]."))
@click.option("--scan", "is_scan", is_flag=True, help=_("Draw the pages as an office scanner gives"
              " them, not as a printer does."))  # fmt: skip
@click.option("--scale", type=click.FloatRange(50, 110), default=100.0, metavar="PERCENT",
              help=_("Print smaller or larger, as with 'fit to page'."))  # fmt: skip
@click.option("--onto", type=click.Choice(["a4"]), help=_("Lay smaller pages on a sheet of glass of"
              " this size."))  # fmt: skip
@click.option("--replace", is_flag=True, help=_("Replace files that are there."))
@click.option("--compare", "count", type=FOLDER, metavar="COUNT", help=_("Make nothing; compare the"
              " deck that was scanned into this count."))  # fmt: skip
@click.option("--deck", "description", type=FILE, help=_("What the deck says: the JSON file beside"
              " its PDF."))  # fmt: skip
@click.option("--allow", type=click.IntRange(0), default=0, metavar="N", help=_("So many questions"
              " about clear marks still pass [0]."))  # fmt: skip
@forms_option
def _form_testdeck(
    form_id: str,
    sheets: int,
    seed: int,
    output: Path | None,
    is_scan: bool,
    scale: float,
    onto: Literal["a4"] | None,
    replace: bool,
    count: Path | None,
    description: Path | None,
    allow: int,
    forms_folder: Path | None,
) -> None:
    from scanner.forms.catalog import find_form
    from scanner.forms.testdeck import DeckRequest, make_deck
    from scanner.publishing.deck_result import show_deck
    from scanner.publishing.progress import show_sheets_drawn

    pdf = output or _usual_deck(form_id)
    if count is not None:
        _compare_deck(count, form_id, description, allow)
        return
    found = find_form(choose_forms_folder(forms_folder), form_id)
    _refuse_to_replace([pdf, pdf.with_suffix(".json")], replace=replace)
    request = DeckRequest(sheets, seed, is_scan, scale, onto or "")
    with show_sheets_drawn(console(stderr=True)) as tell:
        deck = make_deck(found, request, pdf, tell)
    say(*show_deck(deck, pdf))


def _compare_deck(count: Path, form_id: str, given: Path | None, allow: int) -> None:
    from scanner.forms.deck import read_deck
    from scanner.publishing.deck_result import (
        compare_deck,
        find_description,
        show_deck_advice,
        show_deck_result,
    )

    with open_count(count) as (store, forms):
        description = given or find_description(store, _usual_deck(form_id).with_suffix(".json"))
        deck = read_deck(description)
        result = compare_deck(store, forms, form_id, deck)
        of_deck = next(one for one in forms if one.id == form_id)
    say(*show_deck_result(of_deck, result, allow))
    if not result.passes(allow):
        say(*show_deck_advice(result, count, form_id))
        raise Exit(ExitCode.TALLY_DIFFERS)


def _usual_deck(form_id: str) -> Path:
    return Path(f"testdeck-{form_id}.pdf")


def _refuse_to_replace(paths: Sequence[Path], *, replace: bool) -> None:
    for path in paths:
        if path.exists() and not replace:
            raise BadArgumentsError(
                gettext("This file is there already."),
                remedy=gettext("Give --replace, or another name with -o."),
                path=path,
            )


@form.command(
    "new",
    help=_(
        "Writes a description of a form to begin with: a text file with comments, to be changed in"
        " any editor, from which 'form print' makes the form.\n\n"
        "Example: kiemphieu form new questions.yaml"
    ),
)
@click.argument("file", type=FILE)
@click.option("--language", type=click.Choice(LANGUAGES), default="vi", show_default=True,
              help=_("Language of the form."))  # fmt: skip
def _form_new(file: Path, language: str) -> None:
    from scanner.forms.questions import write_questions_draft

    write_questions_draft(file, language=language)
    say(str(file))
    say(gettext("Change it in any editor, then: kiemphieu form print {file}").format(file=file))


@form.command(
    "print",
    help=_(
        "Makes a form from its description: the PDF to print, and the registered form to count it"
        " with, in one go. --copies adds a PDF of numbered copies.\n\n"
        "Example: kiemphieu form print questions.yaml --copies 120 --serial-from 1"
    ),
)
@click.argument("questions", type=FILE)
@click.option("--copies", type=click.IntRange(1), help=_("Also draw so many copies, each with a"
              " serial number."))  # fmt: skip
@click.option("--serial-from", type=click.IntRange(0), default=1, show_default=True,
              help=_("Serial number of the first copy."))  # fmt: skip
@click.option("--replace", is_flag=True, help=_("Replace a registered form of that id."))
@forms_option
def _form_print(
    questions: Path, copies: int | None, serial_from: int, replace: bool, forms_folder: Path | None
) -> None:
    from scanner.forms.layout import print_form
    from scanner.publishing import form_screen
    from scanner.publishing.progress import show_sheets_drawn

    serials = range(serial_from, serial_from + copies) if copies is not None else None
    with show_sheets_drawn(console(stderr=True)) as tell:
        made = print_form(
            questions,
            choose_forms_folder(forms_folder),
            replace=replace,
            serials=serials,
            progress=tell,
        )
    say(*form_screen.show_printed(made, has_copies=serials is not None))


@form.command(
    "register",
    help=_(
        "Registers a form as it was found: finds the boxes on its blank pages (PDF or picture),"
        " reads the words beside them, and writes a draft to be looked through. If boxes are"
        " missed, draw one of them with --example and the rest that look like it are found.\n\n"
        "Example: kiemphieu form register blank.pdf --id khao-sat --example 1,25.5,80,5,5"
    ),
)
@click.argument("blanks", metavar="BLANK...", nargs=-1, required=True, type=FILE)
@click.option("--id", "form_id", required=True, help=_("Id of the form."))
@click.option("--example", "examples", multiple=True, metavar="PAGE,X,Y,W,H",
              help=_("One target: its page, its left and upper edge, its width and height, in"
              " millimetres."))  # fmt: skip
@click.option("--title", default="", help=_("Title of the form [the heading on its first page]."))
@click.option("--language", type=click.Choice(LANGUAGES), default="vi", show_default=True,
              help=_("Language of the form."))  # fmt: skip
@click.option("--dpi", type=click.FloatRange(30, 2400), help=_("Resolution of the blank, if its"
              " file does not say."))  # fmt: skip
@click.option("--replace", is_flag=True, help=_("Replace a registered form of that id."))
@click.option("--allow-marked", is_flag=True, help=_("Take the blank although marks seem to be on"
              " it."))  # fmt: skip
@click.option("--edit", "is_edited", is_flag=True, help=_("Open the draft in the browser, to be"
              " corrected there; also if no box was found."))  # fmt: skip
@port_option
@no_browser_option
@forms_option
def _form_register(
    blanks: tuple[Path, ...],
    form_id: str,
    examples: tuple[str, ...],
    title: str,
    language: str,
    dpi: float | None,
    replace: bool,
    allow_marked: bool,
    is_edited: bool,
    port: int | None,
    no_browser: bool,
    forms_folder: Path | None,
) -> None:
    from scanner.publishing import form_screen
    from scanner.registering.draft import RegisterRequest, register_blank

    _refuse_documents(blanks)
    request = RegisterRequest(
        blank=blanks,
        folder=choose_forms_folder(forms_folder),
        form_id=form_id,
        title=title,
        examples=tuple(_read_example(text) for text in examples),
        language=language,
        dpi=dpi,
        replace=replace,
        allow_marked=allow_marked,
        allow_empty=is_edited,
    )
    with console(stderr=True).status("") as status:
        made = register_blank(request, status.update)
    if is_edited:
        say(*form_screen.show_doubts(made.form, made.notes))
        _serve_form(made.form.folder, port, opens_browser=not no_browser)
        return
    say(*form_screen.show_registered(made.form, made.notes, made.pictures))


@form.command(
    "edit",
    help=_(
        "Opens a registered form in the browser of this PC: its boxes are moved, added and deleted"
        " there, put together to questions, and checked. Saving makes a new version and keeps the"
        " former one; Ctrl-C ends the command, and nothing is lost.\n\n"
        "Example: kiemphieu form edit khao-sat"
    ),
)
@click.argument("form_id", metavar="ID")
@port_option
@no_browser_option
@forms_option
def _form_edit(form_id: str, port: int | None, no_browser: bool, forms_folder: Path | None) -> None:
    from scanner.forms.catalog import find_form

    found = find_form(choose_forms_folder(forms_folder), form_id)
    _serve_form(found.folder, port, opens_browser=not no_browser)


def _serve_form(folder: Path, port: int | None, *, opens_browser: bool) -> None:
    from scanner.registering.bench import Bench
    from scanner.review.form_app import create_form_app
    from scanner.review.server import Service, serve

    service = Service(port=port, opens_browser=opens_browser)
    with Bench(folder) as bench:
        serve(lambda guard: create_form_app(bench, guard), service, tell_address)
        say(
            gettext("The form's page is closed.")
            if bench.state().is_saved
            else gettext(
                "The form's page is closed. What was not saved is offered again next time."
            )
        )


def _refuse_documents(blanks: Sequence[Path]) -> None:
    for path in blanks:
        if path.suffix.lower() in _DOCUMENTS:
            raise BadArgumentsError(
                gettext("This is a document of a word processor, not a page."),
                remedy=gettext(
                    "Open it there, save it as PDF (File, Save as, PDF), and register the PDF."
                ),
                path=path,
            )


def _read_example(text: str) -> Example:
    from scanner.geometry import Box
    from scanner.registering.found import Example

    try:
        page, x, y, w, h = (float(part) for part in text.split(","))
    except ValueError:
        page = x = y = w = h = 0.0
    if page < 1 or page != int(page) or min(x, y) < 0 or not min(w, h) > 0:
        raise BadArgumentsError(
            gettext("--example {text} is no target.").format(text=text),
            remedy=gettext(
                "Write PAGE,X,Y,W,H: the page, then left edge, upper edge, width and height in"
                " millimetres, for example 1,25.5,80,5,5."
            ),
        )
    return Example(int(page), Box(x, y, w, h))
