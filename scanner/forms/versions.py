"""New versions of a registered form; the former ones stay beside it.

In the folder of a form lies ``form.yaml``, and ``form.v1.yaml`` and so on for each version that
was saved before. Blanks are never touched, so a former version is whole as long as they are there.
A count reads with its own copy and is not concerned.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from scanner.errors import FormError
from scanner.forms.template import FORM_FILE, Form, read_form, write_form
from scanner.forms.workshop import open_workshop
from scanner.messages import gettext as _

_FORMER = "form.v{name}.yaml"
_LAST_NUMBER = re.compile(r"^(.*?)(\d+)$")
_YEAR = re.compile(r"(?:19|20)\d\d$")
_NO_FILE_NAME = re.compile(r"[^A-Za-z0-9_.-]+")


def next_version(version: str) -> str:
    """What the version after this one is called.

    ``1`` -> ``2``, ``A9`` -> ``A10``; what ends in no number, or in a year, gets one: ``2023`` ->
    ``2023.2``.
    """
    number = _LAST_NUMBER.match(version)
    if number is None or _YEAR.search(version):
        return f"{version}.2" if version else "2"
    return f"{number.group(1)}{int(number.group(2)) + 1}"


def stamp_of(folder: Path) -> str:
    """Which state of ``form.yaml`` a form was read from: 64 hexadecimal digits.

    Raises:
        FormError: It cannot be read.
    """
    try:
        return hashlib.sha256((folder / FORM_FILE).read_bytes()).hexdigest()
    except OSError as error:
        raise FormError(_("There is no form.yaml here."), path=folder) from error


def former_versions(folder: Path) -> Iterator[Form]:
    """The versions that were saved before, the latest first; faulty ones are passed over."""
    files = sorted(folder.glob(_FORMER.format(name="*")), key=_age, reverse=True)
    for file in files:
        try:
            yield read_form(folder, file.name)
        except FormError:
            continue


def save_version(form: Form, folder: Path, stamp: str) -> Form:
    """Put a form in the place of its ``form.yaml``, which is kept under its version.

    The new file takes its place whole or not at all, and only after the former one is safe.

    Args:
        form: What is to be saved.
        folder: The folder of the form.
        stamp: The state of ``form.yaml`` that it was made from, by :func:`stamp_of`.

    Returns:
        The form as read back.

    Raises:
        FormError: ``form.yaml`` has been changed meanwhile.
        StorageError: The folder cannot be written.
    """
    if stamp_of(folder) != stamp:
        raise FormError(
            _("The form was changed elsewhere while it was open here. Nothing was saved."),
            remedy=_("Close this page and open the form anew; what you changed is offered again."),
            path=folder / FORM_FILE,
        )
    with open_workshop(folder.parent) as workshop:
        write_form(form, workshop)
        _flush(workshop / FORM_FILE)
        shutil.copy2(folder / FORM_FILE, workshop / "former.yaml")
        _flush(workshop / "former.yaml")
        (workshop / "former.yaml").replace(_place_for_former(folder))
        (workshop / FORM_FILE).replace(folder / FORM_FILE)
    return read_form(folder)


def _place_for_former(folder: Path) -> Path:
    """``form.v1.yaml`` for version 1, with a number behind where that is taken."""
    version = read_form(folder).version
    name = _NO_FILE_NAME.sub("-", version).strip("-.")[:40] or "0"
    for number in range(1, 100_000):
        path = folder / _FORMER.format(name=name if number == 1 else f"{name}-{number}")
        if not path.exists():
            return path
    raise FormError(_("This form has too many versions."), path=folder)


def _age(path: Path) -> tuple[int, str]:
    return path.stat().st_mtime_ns, path.name


def _flush(path: Path) -> None:
    """Have a file on the disk before it takes the place of another."""
    with path.open("r+b") as stream:
        os.fsync(stream.fileno())
