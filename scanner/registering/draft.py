"""A blank as it was found becomes a draft of a registered form, for a person to correct."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
from ruamel.yaml import YAML

from scanner.errors import FormError
from scanner.forms.template import (
    FORM_FILE,
    ID_PATTERN,
    Contest,
    Form,
    Option,
    Page,
    Zone,
    read_form,
    write_form,
)
from scanner.forms.workshop import move_into_place, open_workshop
from scanner.messages import gettext as _
from scanner.reading.text import available_languages
from scanner.registering.doubts import Doubt, find_doubts
from scanner.registering.found import BlankSide, Example, FoundTarget
from scanner.registering.grouping import FoundContest, group_pages
from scanner.registering.labels import label_pages
from scanner.registering.level_page import LevelPage, make_level
from scanner.registering.private import find_private, find_title
from scanner.registering.proposal import draw_proposal
from scanner.registering.rulings import find_level
from scanner.registering.sides import load_sides
from scanner.registering.specks import remove_specks
from scanner.registering.targets import find_targets, looks_marked
from scanner.registering.words import read_side

_MOST_PLACES = 8

Tell = Callable[[str], None]
"""Told in a few words what is being done."""


@dataclass(frozen=True, slots=True)
class RegisterRequest:
    """Which blank is to be registered, and how."""

    blank: tuple[Path, ...]
    """One file or several: PDF, TIFF, JPEG, PNG; their pages in this order."""
    folder: Path
    """The folder of forms."""
    form_id: str
    title: str = ""
    """Empty: taken from the heading that is read on the first page."""
    examples: tuple[Example, ...] = ()
    """Targets that a person drew."""
    language: str = "vi"
    dpi: float | None = None
    """The resolution of the blank, where the file states none or a wrong one."""
    replace: bool = False
    """Put the draft in the place of a form of the same id."""
    allow_marked: bool = False
    """Take the blank though marks seem to be on it."""
    allow_empty: bool = False
    """Take a blank on which no target was found; a person will draw them."""


@dataclass(frozen=True, slots=True)
class RegisteredForm:
    """A draft that was written."""

    form: Form
    notes: tuple[str, ...]
    """What the program was not sure of, a sentence each."""
    pictures: tuple[Path, ...]
    """The proposal drawn on the blank, a picture a page."""


@dataclass(frozen=True, slots=True)
class Findings:
    """All that is found on a blank before it becomes a form."""

    sides: tuple[BlankSide, ...]
    targets: tuple[FoundTarget, ...]
    pages: tuple[LevelPage, ...]
    contests: tuple[FoundContest, ...]
    notes: tuple[str, ...] = ()


def register_blank(request: RegisterRequest, tell: Tell | None = None) -> RegisteredForm:
    """Find targets, labels and contests on a blank and write the draft of a form.

    The draft is written whole or not at all.

    Args:
        request: What is to be registered.
        tell: Called with a few words at each step.

    Returns:
        The form as read back from its folder, what was uncertain, and the pictures of it.

    Raises:
        FormError: No target was found, marks are on the blank, or the id will not do or is taken.
        InputError: The blank cannot be read.
        StorageError: The folder cannot be written.
    """
    say = tell or _say_nothing
    _refuse_id(request)
    say(_("Reading the blank"))
    sides, targets, notes = find_on_blanks(request.blank, request.examples, request.dpi)
    if not targets and not request.allow_empty:
        raise _no_target(request)
    if not request.allow_marked:
        _refuse_marked(request, sides, targets)
    say(_("Reading the words"))
    findings = read_findings(sides, targets, notes)
    form = _make_form(request, findings)
    doubts = find_doubts(findings.contests)
    say(_("Writing the draft"))
    with open_workshop(request.folder) as workshop:
        _write(form, findings.sides, doubts, workshop / request.form_id)
        move_into_place(workshop, request.folder, request.form_id)
    place = request.folder / request.form_id
    pictures = tuple(place / _picture_name(page.number) for page in form.pages)
    said = [*findings.notes, *(doubt.text for doubt in doubts), *_private_note(form)]
    return RegisteredForm(read_form(place), tuple(said), pictures)


def find_on_blanks(
    blanks: Sequence[Path], examples: Sequence[Example] = (), dpi: float | None = None
) -> tuple[list[BlankSide], list[FoundTarget], list[str]]:
    """The pages of one file or several, numbered through, with their targets and notes.

    Raises:
        FormError: An example lies on no page, or on white paper.
        InputError: A blank cannot be read.
    """
    sides: list[BlankSide] = []
    targets: list[FoundTarget] = []
    notes: list[str] = []
    if len(blanks) == 1:
        sides = load_sides(blanks[0], dpi)
        targets, notes = find_targets(sides, blanks[0], examples)
        return sides, targets, notes
    for blank in blanks:
        own = load_sides(blank, dpi)
        found, said = find_targets(own, blank)
        shift = len(sides)
        sides += [replace(side, number=side.number + shift) for side in own]
        targets += [replace(target, page=target.page + shift) for target in found]
        notes += [f"{blank.name}: {note}" for note in said]
    if examples:
        # An example counts for all files, so they are searched once more as pictures together.
        targets, notes = find_targets(sides, None, examples)
    return sides, targets, notes


def read_findings(
    sides: Sequence[BlankSide], targets: Sequence[FoundTarget], notes: Sequence[str] = ()
) -> Findings:
    """The words, labels and contests of pages whose targets are known."""
    said = list(notes)
    if not available_languages() and not all(side.words for side in sides):
        said.append(
            _(
                "The words could not be read, since Tesseract is not installed; the targets are "
                "only numbered. Write the labels into form.yaml."
            )
        )
    pages = []
    for side in sides:
        own = [target for target in targets if target.page == side.number]
        pages.append(make_level(side, own, read_side(side, own)))
    contests = group_pages(label_pages(pages))
    return Findings(tuple(sides), tuple(targets), tuple(pages), tuple(contests), tuple(said))


def _say_nothing(_text: str) -> None:
    pass


def _refuse_id(request: RegisterRequest) -> None:
    if not re.match(ID_PATTERN, request.form_id):
        raise FormError(
            _("{id!r} cannot be the id of a form.").format(id=request.form_id),
            remedy=_("Use up to 64 letters a–z, digits, points, hyphens and underscores."),
        )
    if (request.folder / request.form_id).exists() and not request.replace:
        raise FormError(
            _("There is a form {id!r} already.").format(id=request.form_id),
            remedy=_("Choose another id, or give --replace to put this one in its place."),
            path=request.folder / request.form_id,
        )


def _no_target(request: RegisterRequest) -> FormError:
    return FormError(
        _("No place for a mark was found on this blank."),
        remedy=_(
            "Draw one: --example PAGE,X,Y,W,H in millimetres; all that look like it are then found."
        ),
        path=request.blank[0],
    )


def _refuse_marked(
    request: RegisterRequest, sides: Sequence[BlankSide], targets: Sequence[FoundTarget]
) -> None:
    marked = looks_marked(sides, targets)
    if not marked:
        return
    places = [
        _("page {page}, {x:.0f} mm from the left and {y:.0f} mm from the top").format(
            page=target.page, x=target.box.center[0], y=target.box.center[1]
        )
        for target in marked[:_MOST_PLACES]
    ]
    more = len(marked) - len(places)
    if more > 0:
        places.append(_("and {count} more").format(count=more))
    raise FormError(
        _("This sheet seems to be filled in: {places}.").format(places="; ".join(places)),
        remedy=_("Give an empty one; if nothing is marked there, give --allow-marked."),
        path=request.blank[0],
    )


def _make_form(request: RegisterRequest, findings: Findings) -> Form:
    title = request.title or find_title(findings.pages[0]) or request.form_id
    return Form(
        id=request.form_id,
        title=title,
        language=request.language,
        pages=tuple(_page(side) for side in findings.sides),
        contests=tuple(_contests(findings)),
        private=tuple(_private(findings)),
    )


def _page(side: BlankSide) -> Page:
    return Page(
        number=side.number,
        blank=f"page-{side.number}.png",
        width_mm=round(side.width_mm, 3),
        height_mm=round(side.height_mm, 3),
    )


def _contests(findings: Findings) -> Iterator[Contest]:
    own = {
        side.number: [target for target in findings.targets if target.page == side.number]
        for side in findings.sides
    }
    for number, contest in enumerate(findings.contests, start=1):
        options = [
            _option(f"o{place}", option.label, own[contest.page][option.target])
            for place, option in enumerate(contest.options, start=1)
        ]
        yield Contest(id=f"q{number}", title=contest.title, max=contest.max, options=tuple(options))


def _option(option_id: str, label: str, target: FoundTarget) -> Option:
    box = target.box
    return Option(
        id=option_id,
        label=label,
        page=target.page,
        shape=target.shape,
        x=round(max(box.x, 0.0), 3),
        y=round(max(box.y, 0.0), 3),
        w=round(box.w, 3),
        h=round(box.h, 3),
    )


def _private(findings: Findings) -> Iterator[Zone]:
    for side, page in zip(findings.sides, findings.pages, strict=True):
        level = find_level(side)
        for zone in find_private(page):
            box = level.turn_back(zone)
            left, top = max(box.x, 0.0), max(box.y, 0.0)
            right, bottom = min(box.right, side.width_mm), min(box.bottom, side.height_mm)
            yield Zone(
                page=side.number,
                x=round(left, 1),
                y=round(top, 1),
                w=round(right - left, 1),
                h=round(bottom - top, 1),
            )


def _private_note(form: Form) -> Iterator[str]:
    for page in form.pages:
        if any(zone.page == page.number for zone in form.private):
            yield _(
                "Page {page}: lines for a name or an address were taken as private; check where "
                "they are."
            ).format(page=page.number)


def _write(form: Form, sides: Sequence[BlankSide], doubts: Sequence[Doubt], folder: Path) -> None:
    folder.mkdir()
    for page, side in zip(form.pages, sides, strict=True):
        clean = remove_specks(side.gray, side.dpi)
        (folder / page.blank).write_bytes(cv2.imencode(".png", clean)[1].tobytes())
        draw_proposal(side.gray, form, page).save(folder / _picture_name(page.number))
    write_form(form, folder)
    _comment(folder / FORM_FILE, doubts)
    read_form(folder)


def _comment(path: Path, doubts: Sequence[Doubt]) -> None:
    """Write each doubt above the line of ``form.yaml`` that it is about."""
    yaml = YAML()
    yaml.width = 10_000
    yaml.preserve_quotes = True
    data = yaml.load(path.read_text(encoding="utf-8"))
    data.yaml_set_start_comment(
        _("A draft: compare it with the pictures proposal-1.png and so on, and correct it here.")
    )
    for doubt in doubts:
        contest = data["contests"][doubt.contest]
        if doubt.option is None:
            contest.yaml_set_start_comment(doubt.text, indent=2)
        else:
            contest["options"].yaml_set_comment_before_after_key(
                doubt.option, before=doubt.text, indent=2
            )
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        yaml.dump(data, stream)


def _picture_name(page: int) -> str:
    return f"proposal-{page}.png"
