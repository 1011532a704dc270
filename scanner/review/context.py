"""What a route works with: the count's desk, the person who asks, and the page to be shown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

import jinja2
from fastapi import Depends, HTTPException, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict

from scanner.counting.people import Person, Role
from scanner.counting.queue import Queue
from scanner.counting.store import Store
from scanner.forms.template import Form
from scanner.messages import current_language, gettext, ngettext
from scanner.messages import gettext as _
from scanner.review import addresses
from scanner.review.pictures import Mask, Pictures
from scanner.review.security import READING
from scanner.review.session import Session
from scanner.review.texts import LANGUAGE_NAMES, places, role_name, script_texts

HERE = Path(__file__).parent
TEMPLATES = HERE / "templates"
STATIC = HERE / "static"
HTTP_SEE_OTHER = 303
OF_ONESELF = frozenset({"/entrance", "/language", "/sign-in", "/sign-in/first", "/sign-out"})
"""What anybody may send, whatever their role: it changes nothing in the count's figures."""


@dataclass
class Desk:
    """One count under review, shared by all requests."""

    folder: Path
    store: Store
    forms: dict[str, Form]
    """The count's forms by their ids."""
    pictures: Pictures
    queue: Queue


class Answer(BaseModel):
    """The parent of what is sent to and answered by the JSON endpoints: nothing unknown in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Problem(Answer):
    """What went wrong, and what to do about it."""

    message: str
    remedy: str = ""


class NotSignedInError(Exception):
    """Nobody is signed in; a page leads to where one signs in, a script is told."""


class NotInsideError(Exception):
    """The browser has not come in; a page leads to the entrance, a script is told."""


def desk_of(request: Request) -> Desk:
    """The count under review."""
    return cast(Desk, request.app.state.desk)


def session_of(request: Request) -> Session:
    """The browser that asks."""
    return cast(Session, request.state.session)


DeskOf = Annotated[Desk, Depends(desk_of)]
SessionOf = Annotated[Session, Depends(session_of)]


def come_inside(session: SessionOf) -> Session:
    """Only browsers that have come in.

    Raises:
        NotInsideError: It has not.
    """
    if not session.is_inside:
        raise NotInsideError
    return session


Inside = Annotated[Session, Depends(come_inside)]


def signed_in(request: Request, session: Inside) -> Person:
    """The person who asks; kept with the request, so that the page can name them.

    Raises:
        NotSignedInError: Nobody is signed in, or not any more.
    """
    person = find_person(desk_of(request), session)
    if person is None:
        raise NotSignedInError
    request.state.person = person
    return person


def find_person(desk: Desk, session: Session) -> Person | None:
    """Who is signed in there, as long as they may sign in at all."""
    if session.person is None:
        return None
    people = (person for person in desk.store.people() if person.id == session.person)
    return next((person for person in people if person.is_active), None)


Signed = Annotated[Person, Depends(signed_in)]
"""Anybody who is signed in."""


def may_decide(person: Signed) -> Person:
    """Only those who may change something.

    Raises:
        HTTPException: 403; an observer asks.
    """
    if person.role is Role.OBSERVER:
        raise HTTPException(403, _("An observer sees everything and changes nothing."))
    return person


def observers_only_look(request: Request) -> None:
    """Whatever a route says of itself, an observer changes nothing by it.

    Raises:
        HTTPException: 403; an observer asks for a change.
    """
    if request.method in READING or request.url.path in OF_ONESELF:
        return
    person = find_person(desk_of(request), session_of(request))
    if person is not None:
        may_decide(person)


def committee_only(person: Signed) -> Person:
    """Only the committee.

    Raises:
        HTTPException: 403; somebody else asks.
    """
    if person.role is not Role.COMMITTEE:
        raise HTTPException(403, _("Only the committee may do this."))
    return person


MayDecide = Annotated[Person, Depends(may_decide)]
"""A reader or a member of the committee."""
CommitteeOnly = Annotated[Person, Depends(committee_only)]


def may_see_private(person: Person) -> bool:
    """Whether private zones are shown to them unmasked."""
    return person.role is Role.COMMITTEE


def mask_for(person: Person) -> Mask:
    """What is covered on the pictures that they are shown."""
    masks = {Role.COMMITTEE: Mask.NOTHING, Role.READER: Mask.PRIVATE, Role.OBSERVER: Mask.WORDS_TOO}
    return masks[person.role]


def show(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page, in the language of the request.

    Besides ``values`` a template has ``_``, ``ngettext``, ``lang``, ``person``, ``session``
    (for its ``csrf``), ``here`` (the path), ``role_name`` and ``address`` (of pictures, see
    :mod:`scanner.review.addresses`).

    Args:
        request: What is answered.
        template: Name of a file in ``templates``.
        status: The HTTP status.
        values: What the template shows.
    """
    session = session_of(request)
    request.state.guard.sessions.keep(session)
    person = _person_at(request, session)
    page = {
        "languages": LANGUAGE_NAMES,
        "notices": session.take_messages(),
        "navigation": places() if person is not None else [],
        "script_texts": script_texts(),
    }
    return HTMLResponse(render(request, template, **values, **page), status)


def render(request: Request, template: str, **values: Any) -> str:
    """A part of a page, with what :func:`show` gives to every template.

    Args:
        request: What is answered.
        template: Name of a file in ``templates``.
        values: What the template shows.
    """
    session = session_of(request)
    given = {
        "request": request,
        "lang": current_language(),
        "here": request.url.path,
        "person": _person_at(request, session),
        "session": session,
    }
    templates = cast(jinja2.Environment, request.app.state.templates)
    return templates.get_template(template).render(values | given)


def _person_at(request: Request, session: Session) -> Person | None:
    """Who is signed in, also on a page that nobody needs to sign in for."""
    known: Person | None = getattr(request.state, "person", None)
    desk: Desk | None = getattr(request.app.state, "desk", None)
    return known if known is not None or desk is None else find_person(desk, session)


def new_environment() -> jinja2.Environment:
    """The templates: everything is escaped, and a name that is not there is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(_=gettext, ngettext=ngettext, role_name=role_name, address=addresses)
    return environment
