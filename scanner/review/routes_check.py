"""The random check: a public draw, a blind reading, the measured error with its interval.

As long as a check is open, nothing that is sent about its boxes says what the machine read there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from babel.numbers import format_decimal
from fastapi import APIRouter, HTTPException, Path, Request
from fastapi.responses import FileResponse, HTMLResponse, Response, StreamingResponse
from pydantic import Field

from scanner.counting.adjudication import sheet_label
from scanner.counting.checking import draw_check, end_check, list_path, list_sure, see_population
from scanner.counting.random_check import (
    MOST_DIGITS,
    MOST_DRAWN,
    SUGGESTED_DIGITS,
    Draw,
    DrawnTarget,
    Errors,
    Interval,
    Seen,
    exact_interval,
    list_lines,
    pick,
)
from scanner.forms.template import Form
from scanner.messages import current_language, describe
from scanner.messages import gettext as _
from scanner.review import addresses
from scanner.review.context import Answer, CommitteeOnly, Desk, DeskOf, MayDecide, Signed, show

router = APIRouter(prefix="/check")

HEIGHT_PX = 240
AT_ONCE = 200
"""So many boxes are sent at a time."""
USUAL_SIZES = (100, 200, 400, 1000)
EXPLAINED_PICKS = 3
HIGHEST = 2**53
PERCENT = 100

Number = Annotated[int, Path(ge=1, le=HIGHEST)]


class Published(Answer):
    """The list that a check would be drawn from."""

    size: int
    fingerprint: str


class DrawRequest(Answer):
    """What is to be drawn."""

    seed: Annotated[str, Field(max_length=2 * MOST_DIGITS)]
    drawn: Annotated[int, Field(ge=1, le=MOST_DRAWN)]
    published: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Drawn(Answer):
    """A draw that was entered."""

    number: int


class Reading(Answer):
    """What a person sees at a box."""

    place: Annotated[int, Field(ge=0, le=MOST_DRAWN)]
    seen: Seen


class Left(Answer):
    """How far a check is."""

    read: int
    drawn: int


class Nothing(Answer):
    """Nothing to be told."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the table of figures."""

    name: str
    errors: Errors
    share: str
    interval: str
    worst: str


@router.get("", response_class=HTMLResponse)
def check_page(request: Request, desk: DeskOf, person: Signed) -> HTMLResponse:
    """All checks of the count, and how a new one is begun."""
    draws = desk.store.draws()
    promised = [(size, _percent(exact_interval(0, size).high)) for size in USUAL_SIZES]
    return show(
        request,
        "check.html",
        draws=[(draw, _sentence(draw)) for draw in reversed(draws)],
        promised=promised,
        suggested=SUGGESTED_DIGITS,
        most_digits=MOST_DIGITS,
        most_drawn=MOST_DRAWN,
    )


@router.get("/population")
def population(desk: DeskOf, person: Signed) -> Published:
    """How many boxes there are to draw from now, and the fingerprint of their list."""
    found = see_population(desk.store, _forms(desk))
    return Published(size=found.size, fingerprint=found.fingerprint)


@router.get("/list.txt", response_class=Response)
def list_now(desk: DeskOf, person: Signed) -> Response:
    """The list that a check would be drawn from now."""
    lines = list_lines(list_sure(desk.store, _forms(desk)))
    headers = {"Content-Disposition": 'attachment; filename="list.txt"'}
    return StreamingResponse(lines, media_type="text/plain; charset=utf-8", headers=headers)


@router.post("/draw")
def draw(desk: DeskOf, person: CommitteeOnly, asked: DrawRequest) -> Drawn:
    """Draw from the list that was published, by a seed that was thrown after that."""
    number = draw_check(
        desk.store,
        _forms(desk),
        seed=asked.seed,
        drawn=asked.drawn,
        published=asked.published,
        who=person.name,
    )
    return Drawn(number=number)


@router.get("/{number}", response_class=HTMLResponse)
def one_check(request: Request, desk: DeskOf, person: Signed, number: Number) -> HTMLResponse:
    """An open check to be read blind; or one that has ended, with its figures."""
    found = desk.store.find_draw(number)
    targets = desk.store.drawn_targets(number)
    if found.end is None:
        unread = [one for one in targets if one.seen is None]
        return show(
            request,
            "check_read.html",
            draw=found,
            read=len(targets) - len(unread),
            boxes=[_box(desk, one) for one in unread[:AT_ONCE]],
        )
    figures = found.end.figures
    rows = (
        (_("all boxes"), figures.all),
        (_("read as marked"), figures.marked),
        (_("read as not marked"), figures.unmarked),
    )
    return show(
        request,
        "check_result.html",
        draw=found,
        end=found.end,
        lines=[_line(name, errors) for name, errors in rows],
        sentence=_sentence(found),
        unread=sum(one.seen is None for one in targets),
        others=[_disagreement(desk, one) for one in targets if one.is_wrong],
        unclear=[_disagreement(desk, one) for one in targets if one.seen is Seen.CANNOT_TELL],
        picks=[_explain(found, count) for count in range(1, EXPLAINED_PICKS + 1)],
        has_list=list_path(desk.store, number).is_file(),
    )


@router.get("/{number}/list.txt", response_class=Response)
def list_of_check(desk: DeskOf, person: Signed, number: Number) -> Response:
    """The list that a check was drawn from."""
    desk.store.find_draw(number)
    path = list_path(desk.store, number)
    if not path.is_file():
        raise HTTPException(404)
    return FileResponse(path, media_type="text/plain; charset=utf-8", filename=path.name)


@router.post("/{number}/read")
def read(desk: DeskOf, person: MayDecide, number: Number, reading: Reading) -> Left:
    """Enter what a person sees; a later reading of the same box takes the place of it."""
    found = desk.store.find_draw(number)
    desk.store.add_reading(number, reading.place, reading.seen, person.name)
    targets = desk.store.drawn_targets(number)
    return Left(read=sum(one.seen is not None for one in targets), drawn=found.drawn)


@router.post("/{number}/end")
def end(desk: DeskOf, person: MayDecide, number: Number) -> Nothing:
    """End a check: its figures are entered, and what disagrees goes into the queue."""
    end_check(desk.store, number, person.name)
    return Nothing()


def _forms(desk: Desk) -> Sequence[Form]:
    return list(desk.forms.values())


def _box(desk: Desk, drawn: DrawnTarget) -> dict[str, str | int]:
    """A box as it is shown to a person who must not know what the machine read."""
    target = drawn.target
    form = desk.forms[desk.store.sheet(target.sheet).form or ""]
    contest = form.contest(target.contest)
    assert contest is not None
    option = next(one for one in contest.options if one.id == target.option)
    return {
        "place": drawn.place,
        "sheet": sheet_label(target.sheet),
        "question": (contest.title or contest.id).rstrip(":"),
        "option": option.label or option.id,
        "crop": addresses.target(form, target.sheet, contest.id, option.id, height=HEIGHT_PX),
        "around": addresses.crop(form, target.sheet, contest.id, page=option.page),
    }


def _disagreement(desk: Desk, drawn: DrawnTarget) -> dict[str, str | int]:
    texts = {
        Seen.MARKED: _("marked"),
        Seen.UNMARKED: _("not marked"),
        Seen.CANNOT_TELL: _("cannot be told"),
    }
    assert drawn.seen is not None
    said = {"machine": describe(drawn.target.state), "person": texts[drawn.seen]}
    return _box(desk, drawn) | said


def _explain(draw: Draw, count: int) -> dict[str, str | int]:
    digest = hashlib.sha256(f"{draw.seed},{count}".encode()).hexdigest()
    number = pick(draw.seed, count, draw.population.size)
    return {"text": f"{draw.seed},{count}", "digest": digest, "number": number}


def _line(name: str, errors: Errors) -> Line:
    share = _percent(errors.wrong / errors.read) if errors.read else "–"
    return Line(name, errors, share, _between(errors.interval), _between(errors.worst))


def _sentence(draw: Draw) -> str:
    """What a check that has ended says, in one sentence; empty for an open one."""
    if draw.end is None:
        return ""
    errors = draw.end.figures.all
    if not errors.read:
        return _("At none of the boxes could a person tell.")
    text = _(
        "At {wrong} of {read} boxes a person saw otherwise than the machine: {share}; with 95 %"
        " confidence between {low} and {high}."
    )
    return text.format(
        wrong=errors.wrong,
        read=errors.read,
        share=_percent(errors.wrong / errors.read),
        low=_percent(errors.interval.low),
        high=_percent(errors.interval.high),
    )


def _between(interval: Interval) -> str:
    return _("{low} to {high}").format(low=_percent(interval.low), high=_percent(interval.high))


def _percent(share: float) -> str:
    """A share with two digits after the point, as the language writes it."""
    number = format_decimal(share * PERCENT, "0.00", locale=current_language())
    return f"{number}\N{NO-BREAK SPACE}%"
