"""Pictures by number: of sheets, contests and targets, of blanks, and of pages as scanned."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Path, Query
from fastapi.responses import Response

from scanner.counting.people import Person, Role
from scanner.forms.template import ID_PATTERN, Contest, Form
from scanner.messages import gettext as _
from scanner.publishing.cutting import Picture
from scanner.review.context import Desk, DeskOf, Signed, mask_for
from scanner.review.pictures import (
    CROP_WIDTH_PX,
    PAGE_WIDTH_PX,
    TARGET_HEIGHT_PX,
    NoSuchPictureError,
)

HIGHEST = 2**53
"""Numbers beyond are no numbers of sheets, and the database takes no larger ones."""


class JpegResponse(Response):
    """A picture."""

    media_type = "image/jpeg"


router = APIRouter(prefix="/picture", default_response_class=JpegResponse)

Number = Annotated[int, Path(ge=1, le=HIGHEST)]
FormId = Annotated[str, Path(pattern=ID_PATTERN)]
Width = Annotated[int, Query(ge=50, le=3000)]
Height = Annotated[int, Query(ge=20, le=600)]
OnPage = Annotated[int | None, Query(ge=1, le=HIGHEST)]


@router.get("/sheet/{sheet}/page/{number}")
def page(
    desk: DeskOf, person: Signed, sheet: Number, number: Number, width: Width = PAGE_WIDTH_PX
) -> JpegResponse:
    """A page of a sheet, as it lies on its form."""
    masked = mask_for(person)
    return send(desk.pictures.page_jpeg(sheet, number, width, masked=masked))


@router.get("/sheet/{sheet}/contest/{place}")
def crop(
    desk: DeskOf,
    person: Signed,
    sheet: Number,
    place: Number,
    width: Width = CROP_WIDTH_PX,
    page: OnPage = None,
) -> JpegResponse:
    """A contest of a sheet with its printed question and options."""
    contest = _contest(_form_of(desk, sheet), place)
    masked = mask_for(person)
    return send(
        desk.pictures.crop_jpeg(sheet, contest.id, page_number=page, width_px=width, masked=masked)
    )


@router.get("/sheet/{sheet}/header/{place}")
def header(
    desk: DeskOf, person: Signed, sheet: Number, place: Number, width: Width = CROP_WIDTH_PX
) -> JpegResponse:
    """The head of the table that a contest is a row of."""
    contest = _contest(_form_of(desk, sheet), place)
    masked = mask_for(person)
    picture = desk.pictures.header_jpeg(sheet, contest.id, width_px=width, masked=masked)
    if picture is None:
        raise NoSuchPictureError
    return send(picture)


@router.get("/sheet/{sheet}/target/{place}/{option}")
def target(
    desk: DeskOf,
    person: Signed,
    sheet: Number,
    place: Number,
    option: Number,
    height: Height = TARGET_HEIGHT_PX,
) -> JpegResponse:
    """One target of a sheet with what is around it."""
    contest = _contest(_form_of(desk, sheet), place)
    if option > len(contest.options):
        raise NoSuchPictureError
    name = contest.options[option - 1].id
    masked = mask_for(person)
    return send(desk.pictures.target_jpeg(sheet, contest.id, name, height_px=height, masked=masked))


@router.get("/blank/{form}/page/{number}")
def blank(
    desk: DeskOf, _person: Signed, form: FormId, number: Number, width: Width = PAGE_WIDTH_PX
) -> JpegResponse:
    """A page of the blank of a form."""
    return send(desk.pictures.blank_jpeg(form, number, width))


@router.get("/blank/{form}/contest/{place}")
def blank_crop(
    desk: DeskOf,
    _person: Signed,
    form: FormId,
    place: Number,
    width: Width = CROP_WIDTH_PX,
    page: OnPage = None,
) -> JpegResponse:
    """The same part of the blank that is shown of a sheet."""
    contest = _contest(desk.forms.get(form), place)
    picture = desk.pictures.blank_crop_jpeg(form, contest.id, page_number=page, width_px=width)
    return send(picture)


@router.get("/raw/{page_id}")
def raw(
    desk: DeskOf,
    person: Signed,
    page_id: Number,
    width: Width = PAGE_WIDTH_PX,
    turn: Literal["0", "90", "180", "270"] = "0",
) -> JpegResponse:
    """A page as it was scanned."""
    if not _may_see_raw(desk, person):
        raise HTTPException(403, _("This page may show what is private."))
    masked = mask_for(person)
    return send(desk.pictures.raw_jpeg(page_id, width, degrees=int(turn), masked=masked))


def send(picture: Picture) -> JpegResponse:
    """A picture as an answer."""
    return JpegResponse(picture.jpeg, headers={"ETag": f'"{picture.sha256}"'})


def _may_see_raw(desk: Desk, person: Person) -> bool:
    """Whether they may see a page of which nobody knows where on it something private stands."""
    has_private = any(form.private for form in desk.forms.values())
    return person.role is not Role.OBSERVER or not has_private


def _form_of(desk: Desk, sheet: int) -> Form | None:
    return desk.forms.get(desk.pictures.form_of(sheet))


def _contest(form: Form | None, place: int) -> Contest:
    if form is None or place > len(form.contests):
        raise NoSuchPictureError
    return form.contests[place - 1]
