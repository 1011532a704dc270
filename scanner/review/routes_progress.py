"""The start page: how far the work is, what closes, and the result so far."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import Field

from scanner.counting.figures import figures_of
from scanner.counting.tally import Tally
from scanner.review.context import Answer, CommitteeOnly, Desk, DeskOf, Signed, show
from scanner.review.progress_view import Progress, show_progress

router = APIRouter()

PART = "progress_part.html"
MOST_PAPERS = 10_000_000

Papers = Annotated[int | None, Field(ge=0, le=MOST_PAPERS)]


class Now(Answer):
    """The figures as they stand."""

    head: int
    """The number of the last entry of the record that they heed."""
    part: str
    """What is to be shown of them, as HTML; empty where nothing has changed."""


class PapersGiven(Answer):
    """How many papers there are; None leaves a figure as it is."""

    issued: Papers = None
    collected: Papers = None


class Noted(Answer):
    """It is in the record now."""

    noted: bool


@router.get("/", response_class=HTMLResponse, include_in_schema=False)
def progress_page(request: Request, desk: DeskOf, _person: Signed) -> HTMLResponse:
    """The page as it stands now; it asks for the rest by itself."""
    head, tally = _stand(desk)
    progress = _show(desk, tally)
    name = Path(desk.folder).resolve().name
    told = desk.store.paper_facts()
    return show(request, "progress.html", progress=progress, head=head, count=name, told=told)


@router.get("/progress/now")
def progress_now(
    request: Request,
    desk: DeskOf,
    _person: Signed,
    since: Annotated[int, Query(ge=0, le=2**53)] = 0,
) -> Now:
    """The figures, if they are others than at an entry of the record."""
    head, tally = _stand(desk)
    if head == since:
        return Now(head=head, part="")
    progress = _show(desk, tally)
    part = request.app.state.templates.get_template(PART).render(progress=progress)
    return Now(head=head, part=part)


@router.post("/progress/papers")
def set_papers(desk: DeskOf, person: CommitteeOnly, given: PapersGiven) -> Noted:
    """Note how many papers were handed out and taken back."""
    desk.store.set_papers(issued=given.issued, collected=given.collected, by=person.name)
    return Noted(noted=True)


def _show(desk: Desk, tally: Tally) -> Progress:
    return show_progress(tally, list(desk.forms.values()), desk.store.share_rule())


def _stand(desk: Desk) -> tuple[int, Tally]:
    figures = figures_of(desk.store, list(desk.forms.values()))
    return figures.head(), figures.tally()
