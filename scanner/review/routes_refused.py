"""Sheets that were refused, or whose pages do not belong together: a person puts them right."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Path, Request
from fastapi.responses import HTMLResponse
from pydantic import Field

from scanner.ballot import PageReading
from scanner.counting.adjudication import sheet_label
from scanner.counting.bench import Hand
from scanner.counting.people import Person
from scanner.counting.queue import Filter
from scanner.counting.records import WHOLE_FILE
from scanner.counting.rework import (
    keep_look,
    pair,
    set_aside,
    take_apart,
    type_by_hand,
    undo,
)
from scanner.counting.reworked import LooseSheet, Rework, ReworkKind, typed_contests
from scanner.counting.second_look import look_again
from scanner.counting.store_decisions import LONGEST_TEXT
from scanner.errors import CountError
from scanner.messages import gettext as _
from scanner.reading.read_again import CornersOf, Told
from scanner.review.context import (
    Answer,
    Desk,
    DeskOf,
    MayDecide,
    SessionOf,
    Signed,
    mask_for,
    show,
)
from scanner.review.desk_address import place_address
from scanner.review.looks import Looks, show_look
from scanner.review.refused_view import (
    look_in_words,
    may_see_scans,
    view_all,
    view_deeds,
    view_partners,
    view_sheet,
)
from scanner.review.routes_pictures import JpegResponse, send
from scanner.review.session import Session

SCAN_WIDTH_PX = 1100
HIGHEST = 2**53

router = APIRouter(prefix="/refused")

Number = Annotated[int, Path(ge=1, le=HIGHEST)]
Id = Annotated[int, Field(ge=1, le=HIGHEST)]
Share = Annotated[float, Field(ge=-1, le=2, allow_inf_nan=False)]
"""Of the width or height of a scan; a corner may lie beyond its edge."""
FormId = Annotated[str, Field(max_length=64)]

_making = threading.Lock()


class Why(Answer):
    """The reason that goes on the record."""

    why: Annotated[str, Field(max_length=LONGEST_TEXT)]


class Asked(Answer):
    """A page to be read again, with what is said of it."""

    page: Id
    turn: Literal[0, 90, 180, 270] = 0
    form: FormId | None = None
    form_page: Annotated[int | None, Field(ge=1, le=HIGHEST)] = None
    corners: Annotated[list[tuple[Share, Share]] | None, Field(min_length=4, max_length=4)] = None
    """As shares of the width and height of the scan as it was scanned."""
    corners_of: CornersOf = CornersOf.PAPER


class Place(Answer):
    """One target as it was read, in millimetres from the upper left of the picture."""

    state: str
    x: float
    y: float
    w: float
    h: float


class Read(Answer):
    """What was read; nothing of it counts until somebody keeps it."""

    look: str
    """By which it is kept; empty where the page could not be read."""
    title: str
    lines: list[str]
    picture: str = ""
    width: float = 0
    """Of the picture, in millimetres."""
    height: float = 0
    places: tuple[Place, ...] = ()


class Keep(Why):
    """A look that is to be kept."""

    look: Annotated[str, Field(max_length=64)]


class Pair(Why):
    """The sheet with the other page."""

    other: Id


class TypeBy(Why):
    """The form whose answers are typed."""

    form: FormId


class Aside(Why):
    """As what a sheet is set aside."""

    kind: Literal["foreign", "copy", "void"]
    copy_of: Id | None = None


class Next(Answer):
    """Where to go on."""

    next: str


# --- pages ------------------------------------------------------------------------------------


@router.get("", include_in_schema=False)
def overview(request: Request, desk: DeskOf, person: Signed) -> HTMLResponse:
    """All sheets that somebody has to put right."""
    return show(request, "refused.html", view=view_all(desk, person))


@router.get("/{sheet}", include_in_schema=False)
def one(
    request: Request, desk: DeskOf, person: Signed, sheet: Number, page: int | None = None
) -> HTMLResponse:
    """One sheet, and all that can be done with it."""
    found = _find(desk, sheet)
    pages = [one for one in found.pages if one.source.number != WHOLE_FILE]
    shown = next((one for one in pages if one.source.page == page), pages[0] if pages else None)
    picture = None
    if shown is not None and may_see_scans(desk, person):
        mask = mask_for(person)
        picture = desk.pictures.raw_jpeg(shown.source.page, SCAN_WIDTH_PX, masked=mask)
    return show(
        request,
        "refused_sheet.html",
        card=view_sheet(desk, found, person),
        found=found,
        shown=shown,
        picture=picture,
        scan_width=SCAN_WIDTH_PX,
        is_gone=desk.store.is_gone(sheet),
        partners=view_partners(desk, found, person),
        deeds_done=view_deeds(desk, desk.store.reworks(sheet)),
        decided=len(desk.store.decisions_on(sheet)),
        forms=list(desk.forms.values()),
        longest=LONGEST_TEXT,
    )


@router.get("/look/{key}", include_in_schema=False)
def look_picture(
    request: Request, person: MayDecide, key: Annotated[str, Path(max_length=64)]
) -> JpegResponse:
    """What was read on a page, laid on its form."""
    look = _looks(request).find(key, person.id)
    if look.picture is None:
        raise HTTPException(404)
    return send(look.picture)


# --- what is done there -----------------------------------------------------------------------


@router.post("/{sheet}/read")
def read(request: Request, desk: DeskOf, person: MayDecide, sheet: Number, asked: Asked) -> Read:
    """Read a page again with what a person says of it; nothing is kept yet."""
    told = Told(
        turn=asked.turn,
        form=asked.form,
        page=asked.form_page,
        corners=tuple(asked.corners) if asked.corners is not None else None,
        corners_of=asked.corners_of,
    )
    forms = list(desk.forms.values())
    found, image = look_again(desk.store, forms, sheet, asked.page, told)
    title, lines = look_in_words(desk, found)
    if not isinstance(found.result, PageReading):
        return Read(look="", title=title, lines=lines)
    look = show_look(found, image, forms, person.id, mask_for(person))
    key = _looks(request).put(look)
    box = look.picture.box if look.picture is not None else None
    assert box is not None
    places = [
        Place(state=one.state.value, x=one.box.x, y=one.box.y, w=one.box.w, h=one.box.h)
        for one in look.outlines
    ]
    return Read(
        look=key,
        title=title,
        lines=lines,
        picture=f"/refused/look/{key}",
        width=box.w,
        height=box.h,
        places=tuple(places),
    )


@router.post("/{sheet}/keep")
def keep(
    request: Request,
    desk: DeskOf,
    session: SessionOf,
    person: MayDecide,
    sheet: Number,
    kept: Keep,
) -> Next:
    """Keep what was read."""
    look = _looks(request).find(kept.look, person.id).look
    if look.sheet != sheet:
        raise HTTPException(404)
    with _holding(desk, person, sheet):
        done = keep_look(desk.store, [*desk.forms.values()], look, Hand(person.name, kept.why))
    return _go_on(desk, session, done)


@router.post("/{sheet}/pair")
def pair_with(
    desk: DeskOf, session: SessionOf, person: MayDecide, sheet: Number, wanted: Pair
) -> Next:
    """Make one sheet of two."""
    hand = Hand(person.name, wanted.why)
    with _holding(desk, person, sheet, wanted.other):
        done = pair(desk.store, [*desk.forms.values()], (sheet, wanted.other), hand)
    return _go_on(desk, session, done)


@router.post("/{sheet}/apart")
def apart(desk: DeskOf, session: SessionOf, person: MayDecide, sheet: Number, said: Why) -> Next:
    """Make a sheet of each page."""
    with _holding(desk, person, sheet):
        done = take_apart(desk.store, [*desk.forms.values()], sheet, Hand(person.name, said.why))
    return _go_on(desk, session, done)


@router.post("/{sheet}/type")
def type_answers(
    desk: DeskOf, session: SessionOf, person: MayDecide, sheet: Number, said: TypeBy
) -> Next:
    """Have all answers of a sheet typed by hand, on the desk."""
    hand = Hand(person.name, said.why)
    with _holding(desk, person, sheet):
        done = type_by_hand(desk.store, [*desk.forms.values()], sheet, said.form, hand)
    return _go_on(desk, session, done)


@router.post("/{sheet}/aside")
def aside(desk: DeskOf, session: SessionOf, person: MayDecide, sheet: Number, said: Aside) -> Next:
    """Set a sheet aside: no ballot of this count, a copy of another one, or void."""
    hand, kind = Hand(person.name, said.why), ReworkKind(said.kind)
    with _holding(desk, person, sheet):
        done = set_aside(desk.store, [*desk.forms.values()], sheet, kind, hand, said.copy_of)
    return _go_on(desk, session, done)


@router.post("/undo/{rework}")
def take_back(
    desk: DeskOf, session: SessionOf, person: MayDecide, rework: Number, said: Why
) -> Next:
    """Take something back: the former sheets count again."""
    done = undo(desk.store, [*desk.forms.values()], rework, Hand(person.name, said.why))
    return _go_on(desk, session, done)


# --- how it is done ---------------------------------------------------------------------------


def _find(desk: Desk, sheet: int) -> LooseSheet:
    found = desk.store.loose_sheets([sheet])
    if not found:
        raise HTTPException(404, _("There is no such sheet."))
    return found[0]


def _looks(request: Request) -> Looks:
    state = request.app.state
    with _making:
        if not hasattr(state, "looks"):
            state.looks = Looks()
    looks: Looks = state.looks
    return looks


@contextmanager
def _holding(desk: Desk, person: Person, *sheets: int) -> Iterator[None]:
    """Nobody else decides on these sheets meanwhile.

    Raises:
        CountError: Somebody else is at one of them.
    """
    held = []
    try:
        for sheet in sheets:
            desk.store.sheet(sheet)
            other = desk.store.hold(sheet, person.id)
            if other is not None:
                name = next((one.name for one in desk.store.people() if one.id == other), "")
                raise CountError(
                    _("{name} is at sheet {sheet} now; nothing was saved.").format(
                        name=name, sheet=sheet_label(sheet)
                    ),
                    remedy=_("Try again in two minutes, or speak to each other."),
                )
            held.append(sheet)
        yield
    finally:
        for sheet in held:
            desk.store.release(sheet, person.id)


def _go_on(desk: Desk, session: Session, done: Rework) -> Next:
    """Say what was done, and lead to where something is left to do with what came of it."""
    desk.queue.refresh(*done.former, *done.made)
    (deed,) = view_deeds(desk, [done])
    session.messages.append(deed.what)
    for made in done.made:
        record = desk.store.sheet(made)
        by_hand = [one.contest for one in record.contests if one.contest in typed_contests(record)]
        if by_hand:
            contest = None if record.reasons else by_hand[0]
            return Next(next=place_address((made, contest), Filter()))
    waiting = {one.sheet for one in desk.store.loose_sheets() if not one.is_set_aside}
    left = [made for made in done.made if made in waiting]
    return Next(next=f"/refused/{left[0]}" if left else "/refused")
