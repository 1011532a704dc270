"""A blank and a list of targets become a registered form.

Nothing is left half-written: every form is made complete in a folder beside the others, read back,
and only then moved into its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from scanner.errors import FormError
from scanner.forms.target_list import ContestRows, TargetList, TargetRow, read_target_lists
from scanner.forms.template import ID_PATTERN, Contest, Form, Option, Page, read_form, write_form
from scanner.forms.workshop import move_into_place, open_workshop
from scanner.geometry import MM_PER_INCH, px_to_mm
from scanner.messages import gettext as _

A4_SHORT_SIDE_MM = 210.0
_LOWEST_STATED_DPI = 100.0
"""72 and 96 are what programs write who do not know."""
_MOST_STRETCH = 0.02


@dataclass(frozen=True, slots=True)
class BlankImage:
    """One page of a blank, as it was read from a file."""

    gray: NDArray[np.uint8]
    """Shape (height, width), 0 black .. 255 white."""
    dpi: float | None
    """The resolution that the file states."""
    path: Path


LoadBlanks = Callable[[Path, float | None], list[BlankImage]]
"""Reads every page of a file; a page that is no scan is drawn at the given dpi."""


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What is to be registered, and where."""

    targets: Path
    folder: Path
    form_id: str | None = None
    blanks: tuple[Path, ...] = ()
    title: str = ""
    dpi: float | None = None
    template: str | None = None
    replace: bool = False


@dataclass(frozen=True, slots=True)
class ImportedForm:
    """A form that was registered, and what had to be guessed for it."""

    form: Form
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _NumberedBlank:
    number: int
    image: BlankImage
    dpi: float


def import_forms(request: ImportRequest, load_blanks: LoadBlanks) -> list[ImportedForm]:
    """Register every form that the list of targets describes; all of them or none.

    A list with one form (or ``request.template``) takes ``request.form_id``, or else its own id.
    With several, each is called by its own id, after ``request.form_id`` and a hyphen if given.

    Raises:
        FormError: The list, the blanks or the id will not do; names file, row and field.
        InputError: A blank cannot be read.
        StorageError: The folder cannot be written.
    """
    lists = _choose_lists(request)
    ids = [_form_id(request, targets, alone=len(lists) == 1) for targets in lists]
    _refuse_taken(request, ids)
    made = []
    with open_workshop(request.folder) as workshop:
        for form_id, targets in zip(ids, lists, strict=True):
            form, blanks, notes = _make_form(request, targets, form_id, load_blanks)
            _write(form, blanks, workshop / form_id)
            made.append(notes)
        for form_id in ids:
            move_into_place(workshop, request.folder, form_id)
    forms = [read_form(request.folder / form_id) for form_id in ids]
    return [ImportedForm(form, tuple(notes)) for form, notes in zip(forms, made, strict=True)]


def _choose_lists(request: ImportRequest) -> list[TargetList]:
    lists = read_target_lists(request.targets)
    if request.template is not None:
        known = ", ".join(targets.id for targets in lists if targets.id)
        lists = [targets for targets in lists if targets.id == request.template]
        if not lists:
            raise FormError(
                _("There is no template {name!r} in this list.").format(name=request.template),
                remedy=_("It has: {known}.").format(known=known or "–"),
                path=request.targets,
            )
    if not lists:
        raise FormError(_("This list has no templates."), path=request.targets)
    if len(lists) > 1 and request.blanks:
        raise FormError(
            _("This list holds several forms, so it is not clear whose blank was given."),
            remedy=_("Name one with --template, or leave --blank out."),
            path=request.targets,
        )
    return lists


def _form_id(request: ImportRequest, targets: TargetList, *, alone: bool) -> str:
    if request.form_id and (alone or targets.id is None):
        form_id = request.form_id
    elif targets.id is None:
        raise FormError(
            _("The form needs an id."), remedy=_("Give one: kiemphieu form import ID …")
        )
    else:
        own = re.sub(r"[^A-Za-z0-9_.-]+", "-", targets.id).strip("-._")
        form_id = f"{request.form_id}-{own}" if request.form_id else own
    if not re.match(ID_PATTERN, form_id):
        raise FormError(
            _("{id!r} cannot be the id of a form.").format(id=form_id),
            remedy=_("Use up to 64 letters a–z, digits, points, hyphens and underscores."),
        )
    return form_id


def _refuse_taken(request: ImportRequest, ids: Sequence[str]) -> None:
    for form_id in ids:
        if ids.count(form_id) > 1:
            raise FormError(
                _("Two forms of this list would both be called {id!r}.").format(id=form_id),
                remedy=_("Import them one by one with --template."),
                path=request.targets,
            )
        if (request.folder / form_id).exists() and not request.replace:
            raise FormError(
                _("There is a form {id!r} already.").format(id=form_id),
                remedy=_("Choose another id, or give --replace to put this one in its place."),
                path=request.folder / form_id,
            )


def _make_form(
    request: ImportRequest, targets: TargetList, form_id: str, load_blanks: LoadBlanks
) -> tuple[Form, list[_NumberedBlank], list[str]]:
    notes = list(targets.notes)
    blanks = _number_blanks(request, targets, load_blanks, notes)
    scale_of = {blank.number: _mm_per_unit(blank, targets, notes) for blank in blanks}
    try:
        form = Form(
            id=form_id,
            title=request.title or targets.title,
            pages=tuple(_page(blank) for blank in blanks),
            contests=tuple(_contest(contest, targets, scale_of) for contest in targets.contests),
        )
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))} {fault['msg']}".strip()
            for fault in error.errors()[:3]
        )
        raise FormError(
            _("These targets do not make a form: {faults}.").format(faults=faults),
            remedy=_("Correct the list; docs/forms.md describes it."),
            path=targets.path,
        ) from error
    return form, blanks, notes


def _number_blanks(
    request: ImportRequest, targets: TargetList, load_blanks: LoadBlanks, notes: list[str]
) -> list[_NumberedBlank]:
    asked_dpi = request.dpi or targets.blank_dpi
    paths = list(request.blanks) or [blank.path for blank in targets.blanks]
    if not paths:
        raise FormError(
            _("The form has no blank."),
            remedy=_("Give the empty form with --blank: PDF, PNG, TIFF or JPEG."),
            path=targets.path,
        )
    images = [image for path in paths for image in load_blanks(path, asked_dpi)]
    numbers = [blank.number for blank in targets.blanks] or list(range(1, len(images) + 1))
    if len(numbers) != len(images):
        raise FormError(
            _("The list has {pages} pages, but {blanks} blanks were given.").format(
                pages=len(numbers), blanks=len(images)
            ),
            remedy=_("Give one blank for each page, in their order."),
            path=targets.path,
        )
    _check_sizes(targets, images)
    return [
        _NumberedBlank(number, image, asked_dpi or _find_dpi(image, targets, notes))
        for number, image in zip(numbers, images, strict=True)
    ]


def _check_sizes(targets: TargetList, images: Sequence[BlankImage]) -> None:
    for named, image in zip(targets.blanks, images, strict=False):
        height, width = image.gray.shape
        if named.size_px is not None and named.size_px != (width, height):
            raise FormError(
                _("The list means a blank of {wanted} pixels, this one has {found}.").format(
                    wanted="{} × {}".format(*named.size_px), found=f"{width} × {height}"
                ),
                remedy=_("Give the blank that the targets were measured on."),
                path=image.path,
            )


def _find_dpi(image: BlankImage, targets: TargetList, notes: list[str]) -> float:
    if image.dpi is not None and image.dpi >= _LOWEST_STATED_DPI:
        return image.dpi
    if targets.likely_dpi is not None:
        return targets.likely_dpi
    dpi = round(min(image.gray.shape) / A4_SHORT_SIDE_MM * MM_PER_INCH)
    notes.append(
        _("{name}: no resolution is stated; taken as {dpi} dpi, as if it were A4.").format(
            name=image.path.name, dpi=dpi
        )
    )
    return float(dpi)


def _page(blank: _NumberedBlank) -> Page:
    height, width = blank.image.gray.shape
    return Page(
        number=blank.number,
        blank=f"page-{blank.number}.png",
        width_mm=round(px_to_mm(width, blank.dpi), 3),
        height_mm=round(px_to_mm(height, blank.dpi), 3),
    )


def _mm_per_unit(
    blank: _NumberedBlank, targets: TargetList, notes: list[str]
) -> tuple[float, float]:
    """Millimetres for one unit of the list, across and down."""
    if targets.unit == "mm":
        return 1.0, 1.0
    pixel = px_to_mm(1.0, blank.dpi)
    if targets.page_px is None:
        return pixel, pixel
    height, width = blank.image.gray.shape
    across, down = width / targets.page_px[0], height / targets.page_px[1]
    if abs(across / down - 1) > _MOST_STRETCH:
        notes.append(
            _(
                "{name} has other proportions than the page of the list: check with 'form show' "
                "that the targets lie where they should."
            ).format(name=blank.image.path.name)
        )
    return across * pixel, down * pixel


def _contest(
    contest: ContestRows, targets: TargetList, scale_of: dict[int, tuple[float, float]]
) -> Contest:
    options = tuple(_option(row, targets, scale_of) for row in contest.targets)
    return Contest(id=contest.id, title=contest.title, max=contest.max, options=options)


def _option(
    row: TargetRow, targets: TargetList, scale_of: dict[int, tuple[float, float]]
) -> Option:
    if row.page not in scale_of:
        raise FormError(
            _("{where}, field 'page': there is no blank for page {page}.").format(
                where=row.where, page=row.page
            ),
            remedy=_("Give the blanks of all pages with --blank, in their order."),
            path=targets.path,
        )
    box = row.box.scaled(*scale_of[row.page])
    x, y, w, h = (round(value, 3) for value in (box.x, box.y, box.w, box.h))
    # The schema names the shapes; a list with any other has been refused before.
    return Option.model_validate(
        {"id": row.option, "label": row.label, "page": row.page, "shape": row.shape}
        | {"x": x, "y": y, "w": w, "h": h}
    )


def _write(form: Form, blanks: Sequence[_NumberedBlank], folder: Path) -> None:
    folder.mkdir()
    for page, blank in zip(form.pages, blanks, strict=True):
        encoded = cv2.imencode(".png", blank.image.gray)[1]
        (folder / page.blank).write_bytes(encoded.tobytes())
    write_form(form, folder)
    read_form(folder)
