"""The desk: the queue of doubts, and one doubt at a time."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import Field

from scanner.ballot import MarkState
from scanner.counting.adjudication import Decision, Stage, Verdict, sheet_label
from scanner.counting.overtaken import OvertakenError
from scanner.counting.people import Person, Role, is_same_name
from scanner.counting.queue import Doubt, Filter, Pile, Place
from scanner.counting.results import decide, due_stage, now
from scanner.counting.store_decisions import LONGEST_TEXT
from scanner.messages import describe
from scanner.messages import gettext as _
from scanner.review.context import (
    HTTP_SEE_OTHER,
    Answer,
    Desk,
    DeskOf,
    MayDecide,
    Signed,
    mask_for,
    render,
    show,
)
from scanner.review.desk_address import (
    HIGHEST,
    LONGEST_ID,
    Wanted,
    place_address,
    query_of,
    queue_address,
)
from scanner.review.desk_list import status_text, view_queue
from scanner.review.desk_pictures import shown_picture
from scanner.review.desk_steps import Step, free_next, hold_next, last_own
from scanner.review.desk_view import view_doubt
from scanner.review.desk_words import (
    answer_in_words,
    key_meanings,
    question_name,
    script_texts,
    void_reasons,
)

LONGEST_QUEUE = 10**7
MOST_OPTIONS = 1000

router = APIRouter()

SheetPath = Annotated[int, Path(ge=1, le=HIGHEST)]
SheetNumber = Annotated[int, Field(ge=1, le=HIGHEST)]
ContestId = Annotated[str | None, Field(max_length=LONGEST_ID)]
LongText = Annotated[str, Field(max_length=LONGEST_TEXT)]


OptionId = Annotated[str, Field(max_length=LONGEST_ID)]
Options = Annotated[tuple[OptionId, ...], Field(max_length=MOST_OPTIONS)]


class Here(Answer):
    """Where a person is."""

    sheet: SheetNumber
    contest: ContestId = None


class Made(Here):
    """What a person decided."""

    verdict: Literal["options", "blank", "overvote", "accept", "refuse"]
    options: Options = ()
    why: LongText = ""
    note: LongText = ""
    known: Annotated[int, Field(ge=0, le=HIGHEST)]
    """Id of the last decision on the same thing that was there when it was shown."""
    crop: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    """Of the picture that was shown."""


class Noted(Here):
    """A text about a doubt."""

    note: LongText = ""


class Taken(Here):
    """A sheet that a person comes to."""

    former: SheetNumber | None = None
    """The sheet from which they come."""


class Kept(Answer):
    """A note that is on the record."""

    text: str
    said: str


class Holding(Answer):
    """Whether the sheet is this person's for now."""

    held_by: str
    """Empty if it is theirs."""
    text: str


class PartAnswer(Answer):
    """One doubt, to be put into the page in place of another."""

    html: str
    title: str
    pictures: list[str]


# --- pages ------------------------------------------------------------------------------------


@router.get("/desk", include_in_schema=False)
def queue(
    request: Request,
    desk: DeskOf,
    person: Signed,
    wanted: Wanted,
    start: Annotated[int, Query(ge=0, le=LONGEST_QUEUE)] = 0,
) -> HTMLResponse:
    """The queue with its filters."""
    desk.queue.catch_up()
    addresses = partial(queue_address, wanted), partial(_place_in, wanted)
    return show(request, "desk.html", **view_queue(desk, person, wanted, start, *addresses))


@router.get("/desk/next", include_in_schema=False)
def begin(desk: DeskOf, person: Signed, wanted: Wanted) -> Response:
    """Go to the first doubt that is free."""
    desk.queue.catch_up()
    step = hold_next(desk, person, wanted, None)
    return RedirectResponse(step.next or step.queue, HTTP_SEE_OTHER)


@router.get("/desk/{sheet}", include_in_schema=False)
@router.get("/desk/{sheet}/{contest:path}", include_in_schema=False)
def doubt(
    request: Request,
    desk: DeskOf,
    person: Signed,
    wanted: Wanted,
    sheet: SheetPath,
    contest: ContestId = None,
) -> HTMLResponse:
    """One doubt."""
    values = _values(desk, person, wanted, (sheet, contest or None))
    return show(
        request,
        "doubt.html",
        **values,
        status_line=status_text(desk, person, wanted),
        queue=queue_address(wanted),
        query=query_of(wanted),
        void_reasons=void_reasons(),
        longest_note=LONGEST_TEXT,
        keys=key_meanings(),
        texts=script_texts(),
    )


@router.get("/desk-part/{sheet}")
@router.get("/desk-part/{sheet}/{contest:path}")
def part(
    request: Request,
    desk: DeskOf,
    person: Signed,
    wanted: Wanted,
    sheet: SheetPath,
    contest: ContestId = None,
) -> PartAnswer:
    """The same, to be put into a page that is there."""
    values = _values(desk, person, wanted, (sheet, contest or None))
    view = values["view"]
    html = render(request, "doubt_part.html", **values)
    return PartAnswer(html=html, title=f"{view.title} · Kiểm Phiếu", pictures=view.pictures())


# --- what is done there -----------------------------------------------------------------------


@router.post("/desk/decide")
def save(desk: DeskOf, person: MayDecide, wanted: Wanted, made: Made) -> Step:
    """Save a decision, and say what comes next; or say that somebody else was faster."""
    holder = _holder(desk, made.sheet, person)
    if holder:
        text = _("{name} is at this sheet now; yours is not saved.").format(name=holder)
        return _not_saved(desk, person, wanted, _("Somebody else is at it"), text)
    doubt = _find(desk, (made.sheet, made.contest))
    if made.crop != _crop_hash(desk, person, doubt):
        text = _("The picture is not the one that you saw; yours is not saved. Look at it again.")
        return _not_saved(desk, person, wanted, _("Look at it again"), text)
    decision = _decision(desk, person, made)
    try:
        decide(desk.store, [*desk.forms.values()], decision, known=made.known)
    except OvertakenError as error:
        if not _is_repeated(error.latest, decision):
            return _overtaken(desk, person, wanted, doubt, error)
    desk.queue.catch_up()
    return hold_next(desk, person, wanted, doubt.place)


@router.post("/desk/skip")
def skip(desk: DeskOf, person: MayDecide, wanted: Wanted, here: Here) -> Step:
    """Leave a doubt for later."""
    desk.queue.catch_up()
    desk.queue.skip((here.sheet, here.contest), person)
    return hold_next(desk, person, wanted, (here.sheet, here.contest))


@router.post("/desk/undo")
def undo(desk: DeskOf, person: MayDecide, wanted: Wanted, here: Here) -> Step:
    """Take back the person's last decision that still counts, and lead there."""
    last = last_own(desk.store, person)
    if last is None:
        text = _("You have decided nothing that could be taken back.")
        return Step(saved=False, queue=queue_address(wanted), text=text)
    is_committee = person.role is Role.COMMITTEE
    withdrawal = Decision(
        last.sheet,
        Verdict.WITHDRAW,
        person.name,
        _("Taken back on the review page."),
        now(),
        contest=last.contest,
        stage=Stage.COMMITTEE if is_committee else Stage.FIRST,
        undoes=last.id,
    )
    decide(desk.store, [*desk.forms.values()], withdrawal)
    desk.queue.catch_up()
    if here.sheet != last.sheet:
        desk.store.release(here.sheet, person.id)
    desk.store.hold(last.sheet, person.id)
    form = desk.forms.get(desk.store.sheet(last.sheet).form or "")
    text = _("Taken back: sheet {sheet}, {question}: {answer}").format(
        sheet=sheet_label(last.sheet),
        question=question_name(form, last.contest),
        answer=answer_in_words(last, form),
    )
    return Step(
        saved=True,
        next=place_address((last.sheet, last.contest), wanted),
        queue=queue_address(wanted),
        status=status_text(desk, person, wanted),
        text=text,
    )


@router.post("/desk/escalate")
def escalate(desk: DeskOf, person: MayDecide, wanted: Wanted, noted: Noted) -> Step:
    """Hand a doubt to the committee."""
    found = _find(desk, (noted.sheet, noted.contest))
    desk.store.escalate(found.sheet, found.contest, person.name, noted.note.strip())
    desk.queue.catch_up()
    return hold_next(desk, person, wanted, found.place)


@router.post("/desk/note")
def note(desk: DeskOf, person: MayDecide, noted: Noted) -> Kept:
    """Keep a note about a doubt on the record."""
    found = _find(desk, (noted.sheet, noted.contest))
    text = noted.note.strip()
    desk.store.note_on(found.sheet, found.contest, person.name, text)
    line = _("{name}, {time}: {text}").format(
        name=person.name, time=f"{now():%d/%m %H:%M}", text=text
    )
    return Kept(text=line, said=_("The note is kept."))


@router.post("/desk/hold")
def hold(desk: DeskOf, person: MayDecide, taken: Taken) -> Holding:
    """Take a sheet for oneself, or keep it, and give back the one before."""
    desk.store.sheet(taken.sheet)
    other = desk.store.hold(taken.sheet, person.id, instead_of=taken.former)
    if other is None:
        return Holding(held_by="", text="")
    name = _name(desk, other)
    text = _("{name} is at this sheet now. You can look at it, not decide it.")
    return Holding(held_by=name, text=text.format(name=name))


# --- how it is done ---------------------------------------------------------------------------


def _place_in(wanted: Filter, place: Place) -> str:
    return place_address(place, wanted)


def _values(desk: Desk, person: Person, wanted: Filter, place: Place) -> dict[str, Any]:
    desk.queue.catch_up()
    doubt = _find(desk, place)
    before = desk.queue.before(place, person, wanted)
    after = free_next(desk, person, wanted, place)
    return {
        "view": view_doubt(desk, doubt, person),
        "address": place_address(place, wanted),
        "next": place_address(after.place, wanted) if after is not None else "",
        "previous": place_address(before.place, wanted) if before is not None else "",
        "held_by": _holder(desk, doubt.sheet, person),
        "other_address": lambda sheet: place_address((sheet, None), wanted),
        "legend": [(state.value, describe(state)) for state in MarkState],
    }


def _find(desk: Desk, place: Place) -> Doubt:
    """What is asked at a place; what was read without doubt can be corrected as well.

    Raises:
        HTTPException: 404; there is no such place.
    """
    found = desk.queue.find(place)
    if found is not None:
        return found
    record = next(desk.store.some_sheets([place[0]]), None)
    form = desk.forms.get(record.form or "") if record is not None else None
    if record is None or form is None:
        raise HTTPException(404, _("There is no such sheet to be decided."))
    if place[1] is not None and form.contest(place[1]) is None:
        raise HTTPException(404, _("There is no such question."))
    return Doubt(place[0], place[1], form.id, record.batch, Pile.DECIDED)


def _decision(desk: Desk, person: Person, made: Made) -> Decision:
    """What is to be saved.

    Raises:
        HTTPException: 403; a reader voids a sheet that waits for the committee.
    """
    verdict = Verdict(made.verdict)
    contest = None if verdict in {Verdict.ACCEPT, Verdict.REFUSE} else made.contest
    is_committee = person.role is Role.COMMITTEE
    escalated = any(doubt.is_escalated for doubt in desk.queue.on_sheet(made.sheet))
    if contest is None and escalated and not is_committee:
        raise HTTPException(403, _("Only the committee may decide this."))
    decision = Decision(
        made.sheet,
        verdict,
        person.name,
        made.why.strip() or _("Seen on the picture."),
        now(),
        contest=contest,
        options=made.options,
        note=made.note.strip(),
        crop=made.crop,
    )
    forms = [*desk.forms.values()]
    stage = due_stage(desk.store, forms, decision, is_committee=is_committee)
    return replace(decision, stage=stage)


def _is_repeated(latest: Decision, decision: Decision) -> bool:
    """Whether a decision is there already: only the answer to it was lost on the way."""
    return (
        is_same_name(latest.by, decision.by)
        and latest.verdict is decision.verdict
        and {*latest.options} == {*decision.options}
    )


def _overtaken(
    desk: Desk, person: Person, wanted: Filter, doubt: Doubt, error: OvertakenError
) -> Step:
    latest = error.latest
    text = error.message
    if not doubt.is_blind and latest.verdict is not Verdict.WITHDRAW:
        answer = answer_in_words(latest, desk.forms.get(doubt.form))
        text += " " + _("Decided: {answer}").format(answer=answer)
    desk.queue.catch_up()
    found = desk.queue.find(doubt.place)
    may_save = not doubt.is_blind and not (found is not None and found.is_blind)
    step = _not_saved(desk, person, wanted, _("Decided meanwhile"), text)
    return step.model_copy(update={"known": latest.id, "may_save": may_save})


def _not_saved(desk: Desk, person: Person, wanted: Filter, title: str, text: str) -> Step:
    return Step(
        saved=False,
        queue=queue_address(wanted),
        status=status_text(desk, person, wanted),
        title=title,
        text=text,
    )


def _crop_hash(desk: Desk, person: Person, doubt: Doubt) -> str:
    pages = list(desk.store.pictured_pages([doubt.sheet]))
    masked = mask_for(person)
    picture = shown_picture(desk.pictures, doubt.sheet, doubt.contest, pages, masked=masked)
    return picture.sha256 if picture is not None else ""


def _holder(desk: Desk, sheet: int, person: Person) -> str:
    """Who else is at a sheet; empty for nobody."""
    other = desk.store.held().get(sheet)
    return _name(desk, other) if other is not None and other != person.id else ""


def _name(desk: Desk, person_id: int) -> str:
    return next((one.name for one in desk.store.people() if one.id == person_id), "?")
