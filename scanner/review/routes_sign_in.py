"""The entrance, signing in and out, and the choice of the language."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from scanner.counting.people import SHORTEST_PIN, Role
from scanner.errors import BadArgumentsError
from scanner.messages import LANGUAGES
from scanner.messages import gettext as _
from scanner.review.context import (
    HTTP_SEE_OTHER,
    DeskOf,
    Inside,
    SessionOf,
    find_person,
    show,
)
from scanner.review.security import LANGUAGE_COOKIE, Guard
from scanner.review.session import Entrance

LANGUAGE_SECONDS = 365 * 24 * 3600

entrance = APIRouter(include_in_schema=False)
"""What a browser needs before it has come in."""
router = APIRouter(include_in_schema=False)
"""Signing in to a count."""

Short = Annotated[str, Form(max_length=200)]
Secret = Annotated[str, Form(max_length=200)]


def local_path(given: str) -> str:
    """A path on this server to go on to; the start page for anything that could lead elsewhere."""
    is_local = given.startswith("/") and not given.startswith("//")
    is_plain = given.isprintable() and "\\" not in given
    return given if is_local and is_plain else "/"


def go_to(path: str) -> Response:
    """Have the browser ask for another page."""
    return RedirectResponse(local_path(path), HTTP_SEE_OTHER)


def _guard(request: Request) -> Guard:
    guard: Guard = request.state.guard
    return guard


@entrance.get("/enter/{token}")
def enter(request: Request, session: SessionOf, token: str) -> Response:
    """Come in by the one-time address."""
    if session.is_inside:
        return go_to("/")
    if not _guard(request).use_token(token):
        return show(
            request,
            "problem.html",
            status=403,
            message=_("This address has been used already, or is wrong."),
            remedy=_("The program's window shows the address that lets one more browser in."),
        )
    _guard(request).sessions.come_in(session, Entrance.ADDRESS)
    return go_to("/")


@entrance.get("/entrance")
def show_entrance(request: Request, session: SessionOf) -> Response:
    """Where a browser without the address ends up."""
    if session.is_inside:
        return go_to("/")
    asks = _guard(request).pass_phrase is not None
    return show(request, "entrance.html", status=200 if asks else 403, asks=asks, fault="")


@entrance.post("/entrance")
def give_pass_phrase(request: Request, session: SessionOf, pass_phrase: Secret) -> Response:
    """Come in by the pass phrase of the office network."""
    guard = _guard(request)
    client = request.client.host if request.client else "?"
    if not guard.try_pass_phrase(pass_phrase, client):
        fault = _("That is not the pass phrase.")
        return show(request, "entrance.html", status=403, asks=True, fault=fault)
    guard.sessions.come_in(session, Entrance.PASS_PHRASE)
    return go_to("/")


@entrance.post("/language")
def choose(language: Short, back: Short = "/") -> Response:
    """Keep the person's choice of a language."""
    answer = go_to(back)
    if language in LANGUAGES:
        answer.set_cookie(
            LANGUAGE_COOKIE, language, LANGUAGE_SECONDS, httponly=True, samesite="strict"
        )
    return answer


@router.get("/sign-in")
def show_sign_in(request: Request, desk: DeskOf, session: Inside, next: str = "/") -> Response:
    """Name and PIN; for the first person of a count, also who they are."""
    if find_person(desk, session) is not None:
        return go_to(next)
    return _sign_in_page(request, desk, session, next)


@router.post("/sign-in")
def sign_in(
    request: Request,
    desk: DeskOf,
    session: Inside,
    name: Short,
    pin: Secret,
    next: Short = "/",
) -> Response:
    """Sign in by name and PIN."""
    try:
        person = desk.store.check_pin(name, pin)
    except BadArgumentsError as error:
        return _sign_in_page(request, desk, session, next, name=name, fault=str(error), status=403)
    _guard(request).sessions.sign_in(session, person.id)
    return go_to(next)


@router.post("/sign-in/first")
def add_first_person(
    request: Request, desk: DeskOf, session: Inside, name: Short, pin: Secret, again: Secret
) -> Response:
    """Make the first person of a count, who can add the others."""
    if desk.store.people():
        return go_to("/sign-in")
    fault = _("The two PINs differ.") if pin != again else ""
    if session.entrance is not Entrance.ADDRESS:
        fault = _("The first person signs in on the machine where the program runs.")
    if not fault:
        try:
            person = desk.store.add_person(name, pin, Role.COMMITTEE, name)
        except BadArgumentsError as error:
            fault = str(error)
        else:
            _guard(request).sessions.sign_in(session, person.id)
            return go_to("/")
    return _sign_in_page(request, desk, session, "/", name=name, fault=fault, status=403)


@router.post("/sign-out")
def sign_out(request: Request, session: Inside) -> Response:
    """Nobody is signed in at this browser any more."""
    _guard(request).sessions.sign_out(session)
    return go_to("/sign-in")


def _sign_in_page(
    request: Request,
    desk: DeskOf,
    session: Inside,
    next_path: str,
    *,
    name: str = "",
    fault: str = "",
    status: int = 200,
) -> Response:
    people = [person.name for person in desk.store.people() if person.is_active]
    if session.was_idle and not fault:
        fault = _("You were signed out because nothing was done for a while.")
    return show(
        request,
        "sign_in.html",
        status=status,
        is_first=not desk.store.people(),
        may_begin=session.entrance is Entrance.ADDRESS,
        people=people,
        count=desk.folder.resolve().name,
        next=local_path(next_path),
        name=name,
        fault=fault,
        shortest_pin=SHORTEST_PIN,
    )
