"""A form description -> a printable PDF, its blanks and its box positions, in one pass.

Every block of the description becomes a piece: things to draw, in millimetres from the
piece's top left corner. Pieces are put on pages one below the other, a question never across
two; then the same things are drawn and written down as targets, so that the two cannot differ.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from scanner.errors import BadArgumentsError, FormError
from scanner.forms.codes import HIGHEST_SERIAL
from scanner.forms.drawing.blocks import draw_pieces
from scanner.forms.drawing.design import design_form
from scanner.forms.drawing.paging import paginate
from scanner.forms.drawing.printing import Progress, draw_blanks, print_blank, print_copies
from scanner.forms.drawing.record import record_form
from scanner.forms.fonts import check_letters, load_faces
from scanner.forms.questions import QUESTIONS_FILE, Questions, read_questions
from scanner.forms.template import FORM_FILE, Form, read_form, write_form
from scanner.forms.workshop import cannot_write, move_into_place, open_workshop
from scanner.messages import gettext as _

BLANK_PDF = "blank.pdf"
COPIES_PDF = "copies.pdf"


def lay_out_form(
    questions: Questions,
    folder: Path,
    *,
    serials: range | None = None,
    progress: Progress | None = None,
) -> Form:
    """Draw a form and register it: ``blank.pdf``, ``page-1.png`` … and ``form.yaml``.

    The same description gives the same files. Nothing is written if the form cannot be drawn.

    Args:
        questions: What is printed.
        folder: Where the files go; it is made if it is not there.
        serials: Numbers of copies to be drawn into ``copies.pdf``; none are if it is None.
        progress: Told how many copies are drawn.

    Returns:
        The registered form, as read back from the folder.

    Raises:
        FormError: A letter the font lacks, or a block that is taller than a page.
        BadArgumentsError: The serial numbers are none, or are not within 0..999999.
        MissingToolError: The font is not installed.
        StorageError: The folder cannot be written.
    """
    if serials is not None:
        _check_serials(serials)
    load_faces()
    design = design_form(questions)
    check_letters((*design.words.texts(), *questions.texts()))
    placed = paginate(draw_pieces(questions, design), design.room_mm)
    pdf = print_blank(questions, design, placed)
    form = record_form(questions, design, placed)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / BLANK_PDF).write_bytes(pdf)
        for number, png in enumerate(draw_blanks(pdf), start=1):
            (folder / f"page-{number}.png").write_bytes(png)
        write_form(form, folder)
        if serials is not None:
            print_copies(questions, design, placed, serials, folder / COPIES_PDF, progress)
    except OSError as error:
        raise cannot_write(folder, error) from error
    return read_form(folder)


def print_form(
    questions_path: Path,
    forms_folder: Path,
    *,
    replace: bool = False,
    serials: range | None = None,
    progress: Progress | None = None,
) -> Form:
    """Print a description and register it among the forms, whole or not at all.

    The folder ``forms_folder/<id>`` then has the form, its PDF, a copy of the description and,
    with ``serials``, the numbered copies. Printing a form again that has not changed is no
    replacement: so more copies are had of a form that is in use.

    Raises:
        FormError: The description is faulty or cannot be drawn, or another form has its id.
        BadArgumentsError: The serial numbers are none, or are not within 0..999999.
        MissingToolError: The font is not installed.
        StorageError: The folder cannot be written.
    """
    questions = read_questions(questions_path)
    place = forms_folder / questions.id
    with open_workshop(forms_folder) as workshop:
        try:
            made = workshop / questions.id
            form = lay_out_form(questions, made, serials=serials, progress=progress)
        except FormError as error:
            raise FormError(error.message, remedy=error.remedy, path=questions_path) from error
        shutil.copyfile(questions_path, made / QUESTIONS_FILE)
        if not place.exists() or replace:
            move_into_place(workshop, forms_folder, questions.id)
        elif not (place / FORM_FILE).exists() or _is_the_same(read_form(place), form):
            for file in made.iterdir():
                if file.name != FORM_FILE or not (place / FORM_FILE).exists():
                    file.replace(place / file.name)
        else:
            raise FormError(
                _("There is a form {id!r} already.").format(id=questions.id),
                remedy=_("Choose another id, or give --replace to put this one in its place."),
                path=place,
            )
    return read_form(place)


def _is_the_same(registered: Form, made: Form) -> bool:
    """Whether a form is drawn as it was; one from before the comment zones stays without them."""
    return registered.content_hash in {made.content_hash, made.hash_without_comments}


def _check_serials(serials: range) -> None:
    if not serials or min(serials) < 0 or max(serials) > HIGHEST_SERIAL:
        raise BadArgumentsError(
            _("Serial numbers lie between 0 and {highest}.").format(highest=HIGHEST_SERIAL)
        )
