"""The words people wrote: one place after the other, typed by whoever wants to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, cast
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import Field

from scanner.counting.adjudication import sheet_label
from scanner.counting.people import Person, Role
from scanner.counting.words import MOST_LETTERS, Kind, Measured, Words, WrittenZone
from scanner.counting.writing import Suggestions, measure_more
from scanner.forms.template import Comment, Form
from scanner.messages import gettext as _
from scanner.reading.text import available_languages
from scanner.review.context import (
    HTTP_SEE_OTHER,
    Answer,
    Desk,
    DeskOf,
    MayDecide,
    Signed,
    mask_for,
    show,
)
from scanner.review.routes_pictures import JpegResponse

router = APIRouter(prefix="/words")

AROUND_MM = 2.5
WIDTH_PX = 1400
MEASURING_S = 0.7
LATEST = 50
SUGGESTED_AT_ONCE = 8
HIGHEST = 2**53

SheetNumber = Annotated[int, Query(ge=1, le=HIGHEST)]
CommentId = Annotated[str, Query(max_length=200)]
Flag = Annotated[bool, Query()]


def suggestions_of(request: Request, desk: DeskOf) -> Suggestions:
    """The suggestions of this server, made when the first one is asked for."""
    state = request.app.state
    if not hasattr(state, "suggestions"):
        state.suggestions = Suggestions(desk.store, desk.forms)
    return cast(Suggestions, state.suggestions)


SuggestionsOf = Annotated[Suggestions, Depends(suggestions_of)]


class Progress(Answer):
    """How far the places to write are looked for, and how far they are typed."""

    done: int
    total: int
    written: int
    typed: int


class Typed(Answer):
    """What a person typed of one place."""

    sheet: Annotated[int, Field(ge=1, le=HIGHEST)]
    comment: Annotated[str, Field(max_length=200)]
    kind: Kind
    text: Annotated[str, Field(max_length=2 * MOST_LETTERS)] = ""


class Entered(Answer):
    """Words that were entered."""

    number: int


class Suggestion(Answer):
    """Printed text that was read at a place; empty where there is none."""

    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """What was typed of one place, as it is listed."""

    address: str
    sheet: str
    title: str
    kind: Kind
    text: str
    is_hidden: bool
    who: str
    at: datetime


@router.get("", response_class=HTMLResponse)
def words_page(request: Request, desk: DeskOf, person: Signed) -> HTMLResponse:
    """How far it is, and what was typed last."""
    forms = _forms(desk)
    typed = sorted(desk.store.typed_words().values(), key=lambda words: -words.id)
    return show(
        request,
        "words.html",
        has_zones=any(form.comments for form in forms),
        has_ocr=bool(available_languages()),
        measured=desk.store.words_measured(forms),
        lines=[_line(desk, person, words) for words in typed[:LATEST]],
        number=len(typed),
        latest=LATEST,
    )


@router.post("/measure")
def measure(desk: DeskOf, person: Signed) -> Progress:
    """Look for ink in the places of some more pages; asked again until all are done."""
    return _progress(measure_more(desk.store, _forms(desk), MEASURING_S))


@router.get("/next", response_class=RedirectResponse, status_code=303)
def next_zone(
    desk: DeskOf,
    person: Signed,
    sheet: SheetNumber | None = None,
    comment: CommentId = "",
    *,
    empty: Flag = False,
    typed: Flag = False,
) -> RedirectResponse:
    """The next place that is to be typed, after one; the overview where there is none."""
    after = (sheet, comment) if sheet is not None else None
    found = _next(desk, after, empty=empty, typed=typed)
    address = _zone_address(found, empty=empty, typed=typed) if found else "/words?end=true"
    return RedirectResponse(address, HTTP_SEE_OTHER)


@router.get("/zone", response_class=HTMLResponse)
def zone_page(
    request: Request,
    desk: DeskOf,
    person: Signed,
    sheet: SheetNumber,
    comment: CommentId,
    *,
    empty: Flag = False,
    typed: Flag = False,
) -> HTMLResponse:
    """One place, with what was typed of it."""
    form, zone = _zone(desk, sheet, comment)
    following = _next(desk, (sheet, comment), empty=empty, typed=typed)
    is_hidden = _is_hidden(person, zone)
    next_picture = ""
    if following is not None and person.role is not Role.OBSERVER:
        next_picture = _picture_address(following.sheet, following.comment)
    versions = desk.store.word_versions(sheet, comment)
    kept = _query(sheet=sheet, comment=comment, empty=empty, typed=typed)
    return show(
        request,
        "words_zone.html",
        sheet=sheet,
        sheet_label=sheet_label(sheet),
        zone=zone,
        form=form,
        is_hidden=is_hidden,
        versions=[] if is_hidden else versions,
        last=versions[-1] if versions and not is_hidden else None,
        most_letters=MOST_LETTERS,
        picture=_picture_address(sheet, comment),
        next_address=f"/words/next?{kept}",
        next_picture=next_picture,
        has_ocr=bool(available_languages()),
        suggestion=f"/words/suggestion?{kept}",
        measured=desk.store.words_measured(_forms(desk)),
    )


@router.get("/picture", response_class=JpegResponse)
def picture(desk: DeskOf, person: Signed, sheet: SheetNumber, comment: CommentId) -> Response:
    """One place as it was scanned.

    Raises:
        HTTPException: 403; it is private, and an observer asks.
    """
    _form, zone = _zone(desk, sheet, comment)
    if _is_hidden(person, zone):
        raise HTTPException(403, _("What is written here is private."))
    made = desk.pictures.box_jpeg(
        sheet,
        zone.page,
        zone.box.grown(AROUND_MM),
        width_px=WIDTH_PX,
        masked=mask_for(person),
    )
    return JpegResponse(made.jpeg, headers={"Cache-Control": "private, max-age=600"})


@router.get("/suggestion")
def suggestion(
    desk: DeskOf,
    person: MayDecide,
    suggestions: SuggestionsOf,
    sheet: SheetNumber,
    comment: CommentId,
    *,
    empty: Flag = False,
    typed: Flag = False,
) -> Suggestion:
    """Printed text at a place; those that follow are read by the same call, for later."""
    _zone(desk, sheet, comment)
    following = desk.store.written_zones(
        after=(sheet, comment), limit=SUGGESTED_AT_ONCE - 1, empty=empty, untyped=not typed
    )
    text = suggestions.find((sheet, comment), ((one.sheet, one.comment) for one in following))
    return Suggestion(text=text)


@router.post("/typed")
def type_words(desk: DeskOf, person: MayDecide, typed: Typed) -> Entered:
    """Enter what a person typed; what was typed before is kept beside it."""
    _form, zone = _zone(desk, typed.sheet, typed.comment)
    words = Words(
        typed.sheet,
        typed.comment,
        typed.kind,
        typed.text,
        person.name,
        datetime.now().astimezone(),
    )
    return Entered(number=desk.store.add_words(words, private=zone.private))


def _forms(desk: Desk) -> Sequence[Form]:
    return list(desk.forms.values())


def _zone(desk: Desk, sheet: int, comment_id: str) -> tuple[Form, Comment]:
    """The place of a sheet.

    Raises:
        HTTPException: 404; there is no such sheet, or its form has no such place.
    """
    found = desk.store.written_zones(limit=1000, empty=True, sheet_id=sheet)
    one = next((zone for zone in found if zone.comment == comment_id), None)
    form = desk.forms.get(one.form) if one is not None else None
    comment = form.comment(comment_id) if form is not None else None
    if form is None or comment is None:
        raise HTTPException(404)
    return form, comment


def _next(
    desk: Desk, after: tuple[int, str] | None, *, empty: bool, typed: bool
) -> WrittenZone | None:
    found = desk.store.written_zones(after=after, limit=1, empty=empty, untyped=not typed)
    return found[0] if found else None


def _is_hidden(person: Person, zone: Comment) -> bool:
    return zone.private and person.role is Role.OBSERVER


def _line(desk: Desk, person: Person, words: Words) -> Line:
    comment = _comment_of(desk, words)
    is_hidden = comment is None or _is_hidden(person, comment)
    return Line(
        address=f"/words/zone?{_query(sheet=words.sheet, comment=words.comment)}",
        sheet=sheet_label(words.sheet),
        title=(comment.title if comment else "") or words.comment,
        kind=words.kind,
        text="" if is_hidden else words.text,
        is_hidden=is_hidden,
        who=words.who,
        at=words.at,
    )


def _comment_of(desk: Desk, words: Words) -> Comment | None:
    form = desk.forms.get(desk.store.sheet(words.sheet).form or "")
    return form.comment(words.comment) if form is not None else None


def _progress(measured: Measured) -> Progress:
    return Progress(
        done=measured.done, total=measured.total, written=measured.written, typed=measured.typed
    )


def _zone_address(zone: WrittenZone, *, empty: bool, typed: bool) -> str:
    asked = _query(sheet=zone.sheet, comment=zone.comment, empty=empty, typed=typed)
    return f"/words/zone?{asked}"


def _picture_address(sheet: int, comment: str) -> str:
    return f"/words/picture?{_query(sheet=sheet, comment=comment)}"


def _query(*, sheet: int, comment: str, empty: bool = False, typed: bool = False) -> str:
    flags = {name: "true" for name, is_on in (("empty", empty), ("typed", typed)) if is_on}
    return urlencode({"sheet": sheet, "comment": comment, **flags})
