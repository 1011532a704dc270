"""The folder of registered forms."""

from __future__ import annotations

from pathlib import Path

from scanner.errors import FormError
from scanner.forms.template import FORM_FILE, Form, read_form

DEFAULT_FOLDER = Path("form_templates")


def list_forms(folder: Path) -> list[Form]:
    """Every form of a folder, by id.

    Raises:
        FormError: The folder is not there, or one of its forms is faulty.
    """
    if not folder.is_dir():
        raise FormError(
            "There is no such folder of forms.",
            remedy="Register a form with 'kiemphieu form import', or give --forms FOLDER.",
            path=folder,
        )
    return [read_form(entry.parent) for entry in sorted(folder.glob(f"*/{FORM_FILE}"))]


def find_form(folder: Path, form_id: str) -> Form:
    """The registered form with that id.

    Raises:
        FormError: There is none; the message names those that are there.
    """
    if (folder / form_id / FORM_FILE).is_file():
        return read_form(folder / form_id)
    known = ", ".join(form.id for form in list_forms(folder)) or "none yet"
    raise FormError(f"There is no form {form_id!r}.", remedy=f"Registered: {known}.", path=folder)
