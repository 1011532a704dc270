"""The wall: a hundred crops a screen, all read alike; who looked over which is on the record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import Field

from scanner.ballot import MarkState
from scanner.counting.adjudication import sheet_label
from scanner.counting.wall import CROPS_A_SCREEN, Place, Remark, Spot, Wall, WallTarget, measure
from scanner.errors import BadArgumentsError
from scanner.forms.template import Contest, Form, Option
from scanner.messages import gettext as _
from scanner.review.context import Answer, Desk, DeskOf, MayDecide, Signed, mask_for, show
from scanner.review.pictures import Wanted
from scanner.review.routes_pictures import JpegResponse
from scanner.review.sprite import Grid, draw_sprite, grid_for

router = APIRouter(prefix="/wall")

MARGIN_MM = 3.0
HEIGHT_PX = 96
HIGHEST = 2**53

State = Literal["marked", "unmarked"]
Name = Annotated[str | None, Query(max_length=200)]
SpotText = Annotated[str, Field(pattern=r"^[0-9]{1,15}\.[0-9]{1,9}$")]


class Looked(Answer):
    """A screen that a person has looked over."""

    state: State
    form: Annotated[str, Field(max_length=200)] | None = None
    contest: Annotated[str, Field(max_length=200)] | None = None
    option: Annotated[str, Field(max_length=200)] | None = None
    shown: Annotated[list[SpotText], Field(min_length=1, max_length=CROPS_A_SCREEN)]
    """All crops that were on it."""
    odd: Annotated[list[SpotText], Field(max_length=CROPS_A_SCREEN)]
    """Those of them that are to be seen again."""


class Entered(Answer):
    """What was entered about a screen."""

    flagged: int
    """How many crops went into the queue."""


class Seen(Answer):
    """How much of a wall was looked over."""

    seen: int
    total: int


@dataclass(frozen=True, slots=True)
class Crop:
    """One crop as the page shows it."""

    spot: str
    x: int
    y: int
    """Where its cell lies on the sprite, in pixels."""
    label: str
    remark: Remark
    seen_by: str


@router.get("", response_class=HTMLResponse)
def wall_page(
    request: Request,
    desk: DeskOf,
    person: Signed,
    state: State = "marked",
    form: Name = None,
    contest: Name = None,
    option: Name = None,
    after: Annotated[str | None, Query(max_length=80)] = None,
    *,
    unseen: bool = False,
) -> HTMLResponse:
    """One screen of a wall."""
    wall = _wall_of(desk, state, form, contest, option)
    start = Place.parse(after) if after else None
    # Two screens, so that the next one's picture can be asked for beforehand.
    found = desk.store.wall_targets(wall, 2 * CROPS_A_SCREEN, after=start, unseen=unseen)
    found = [one for one in found if _option_of(desk, one) is not None]
    here, then = found[:CROPS_A_SCREEN], found[CROPS_A_SCREEN:]
    grid = _grid(desk, here)
    asked = {"state": state, "form": wall.form, "contest": wall.contest, "option": wall.option}
    kept = {name: value for name, value in asked.items() if value}
    again = kept | ({"unseen": "true"} if unseen else {})
    return show(
        request,
        "wall.html",
        wall=wall,
        unseen=unseen,
        crops=_crops(desk, wall, here, grid),
        grid=grid,
        sprite_size=grid.size(len(here)),
        sprite=_sprite_address(here),
        next_sprite=_sprite_address(then),
        next_address=_address(again | {"after": str(here[-1].at)}) if then else "",
        is_first=start is None,
        first_address=_address(again),
        forms=list(desk.forms.values()),
        contests=_contests(desk, wall),
        options=_options(desk, wall),
        progress_address=f"/wall/progress?{urlencode(kept)}",
        asked=asked,
        other_address=_address({**again, "state": _other(wall.state)}),
    )


@router.get("/sprite", response_class=JpegResponse)
def sprite(desk: DeskOf, person: Signed, at: Annotated[str, Query(max_length=4000)]) -> Response:
    """The crops of some targets as one picture; ``at``: pages and places, as ``12.0,12.3``."""
    spots = [_spot(text) for text in at.split(",")]
    if len(spots) > CROPS_A_SCREEN:
        raise HTTPException(422, _("These are more crops than a screen has."))
    found = desk.store.targets_at(set(spots))
    targets = [found[spot] for spot in spots if spot in found]
    if len(targets) < len(spots):
        raise HTTPException(404)
    grid = _grid(desk, targets)
    pictures = desk.pictures.target_jpegs(
        [Wanted(one.sheet, one.contest, one.option) for one in targets],
        margin_mm=MARGIN_MM,
        height_px=HEIGHT_PX,
        masked=mask_for(person),
    )
    headers = {"Cache-Control": "private, max-age=600"}
    return JpegResponse(draw_sprite(pictures, grid), headers=headers)


@router.get("/progress")
def progress(
    desk: DeskOf,
    person: Signed,
    state: State = "marked",
    form: Name = None,
    contest: Name = None,
    option: Name = None,
) -> Seen:
    """How much of a wall was looked over, by anybody."""
    wall = _wall_of(desk, state, form, contest, option)
    totals = desk.store.wall_totals(wall.state)
    done = measure(wall, totals, desk.store.wall_seen(wall.state))
    return Seen(seen=done.seen, total=done.total)


@router.post("/looked")
def looked(desk: DeskOf, person: MayDecide, screen: Looked) -> Entered:
    """Enter that a screen was looked over; the odd ones out go into the queue."""
    wall = _wall_of(desk, screen.state, screen.form, screen.contest, screen.option)
    spots = list(dict.fromkeys(_spot(text) for text in screen.shown))
    odd = {_spot(text) for text in screen.odd}
    found = desk.store.targets_at(set(spots))
    if not odd <= set(spots) or not all(
        spot in found and _is_on(wall, found[spot]) for spot in spots
    ):
        raise BadArgumentsError(
            _("This screen is not what the machine reads any more."),
            remedy=_("Open the wall again."),
        )
    targets = [found[spot] for spot in spots]
    flagged = desk.store.add_screen(wall, targets, odd, person.name)
    return Entered(flagged=flagged)


def _wall_of(
    desk: Desk, state: str, form: str | None, contest: str | None, option: str | None
) -> Wall:
    """The wall that is asked for; of no form, contest or option that the count has not.

    Raises:
        HTTPException: 404; there is no such form, contest or option.
    """
    known = list(desk.forms.values())
    chosen = desk.forms.get(form or "") if form else (known[0] if len(known) == 1 else None)
    if (form or contest) and chosen is None:
        raise HTTPException(404)
    asked = chosen.contest(contest) if chosen is not None and contest else None
    if contest and asked is None:
        raise HTTPException(404)
    if option and (asked is None or option not in {one.id for one in asked.options}):
        raise HTTPException(404)
    named = chosen.id if chosen is not None and (form or contest) else None
    return Wall(MarkState(state), named, contest or None, option or None)


def _is_on(wall: Wall, target: WallTarget) -> bool:
    name = target.form, target.contest, target.option
    return target.state is wall.state and wall.has(name)


def _crops(desk: Desk, wall: Wall, targets: Sequence[WallTarget], grid: Grid) -> list[Crop]:
    remarks = desk.store.remarks(targets)
    seen = desk.store.seen_by(wall.state, targets)
    crops = []
    for number, one in enumerate(targets):
        x, y = grid.place(number)
        crops.append(
            Crop(
                spot=_text(one.spot),
                x=x,
                y=y,
                label=_label(desk, one),
                remark=remarks[one.spot],
                seen_by=seen.get(one.spot, ""),
            )
        )
    return crops


def _label(desk: Desk, target: WallTarget) -> str:
    contest = desk.forms[target.form].contest(target.contest)
    option = _option_of(desk, target)
    return _("Sheet {sheet}: {contest}: {option}; marked with a probability of {p}").format(
        sheet=sheet_label(target.sheet),
        contest=((contest.title if contest else "") or target.contest).rstrip(":"),
        option=(option.label if option else "") or target.option,
        p=f"{target.at.probability:.4f}",
    )


def _option_of(desk: Desk, target: WallTarget) -> Option | None:
    form = desk.forms.get(target.form)
    contest = form.contest(target.contest) if form is not None else None
    options = contest.options if contest is not None else ()
    return next((one for one in options if one.id == target.option), None)


def _grid(desk: Desk, targets: Sequence[WallTarget]) -> Grid:
    options = [one for target in targets if (one := _option_of(desk, target)) is not None]
    return grid_for(options, MARGIN_MM, HEIGHT_PX) if options else Grid(HEIGHT_PX, HEIGHT_PX)


def _contests(desk: Desk, wall: Wall) -> Sequence[Contest]:
    form = _chosen_form(desk, wall)
    return form.contests if form is not None else ()


def _options(desk: Desk, wall: Wall) -> Sequence[Option]:
    form = _chosen_form(desk, wall)
    contest = form.contest(wall.contest) if form is not None and wall.contest else None
    return contest.options if contest is not None else ()


def _chosen_form(desk: Desk, wall: Wall) -> Form | None:
    known = list(desk.forms.values())
    return desk.forms.get(wall.form) if wall.form else (known[0] if len(known) == 1 else None)


def _other(state: MarkState) -> str:
    return MarkState.UNMARKED if state is MarkState.MARKED else MarkState.MARKED


def _address(asked: dict[str, str]) -> str:
    return f"/wall?{urlencode(asked)}"


def _sprite_address(targets: Sequence[WallTarget]) -> str:
    at = ",".join(_text(one.spot) for one in targets)
    return f"/wall/sprite?at={at}" if targets else ""


def _text(spot: Spot) -> str:
    page_id, place = spot
    return f"{page_id}.{place}"


def _spot(text: str) -> Spot:
    page_id, _dot, place = text.partition(".")
    try:
        spot = int(page_id), int(place)
    except ValueError as error:
        raise HTTPException(404) from error
    if not all(0 <= number <= HIGHEST for number in spot):
        raise HTTPException(404)
    return spot
