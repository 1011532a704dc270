"""The people of the count, and which answers a second person gives as well: for the committee."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from scanner.counting.people import LONGEST_NAME, SHORTEST_PIN, Role
from scanner.counting.second_reader import SecondReader
from scanner.errors import BadArgumentsError
from scanner.messages import gettext as _
from scanner.publishing.record_lines import name_of_policy
from scanner.review.context import HTTP_SEE_OTHER, CommitteeOnly, Desk, DeskOf, SessionOf, show

router = APIRouter(prefix="/people", include_in_schema=False)

Name = Annotated[str, Form(max_length=200)]
Secret = Annotated[str, Form(max_length=200)]
PersonId = Annotated[int, Form(ge=1, le=2**53)]
RoleName = Annotated[Literal["reader", "committee", "observer"], Form()]
Policy = Annotated[Literal["none", "doubts", "all", "close"], Form()]


@router.get("", response_class=HTMLResponse)
def people_page(request: Request, desk: DeskOf, _person: CommitteeOnly) -> HTMLResponse:
    """Everybody, what may be changed of each, and a form for one more."""
    return _page(request, desk)


@router.post("/add")
def add(
    request: Request,
    desk: DeskOf,
    session: SessionOf,
    person: CommitteeOnly,
    name: Name,
    role: RoleName,
    pin: Secret,
    again: Secret,
) -> Response:
    """Let somebody take part."""
    try:
        _see_to_pin(pin, again)
        added = desk.store.add_person(name, pin, Role(role), person.name)
    except BadArgumentsError as error:
        return _page(request, desk, fault=str(error), name=name, role=role)
    session.messages.append(_("{name} takes part now.").format(name=added.name))
    return _done()


@router.post("/role")
def change_role(
    request: Request,
    desk: DeskOf,
    session: SessionOf,
    person: CommitteeOnly,
    who: PersonId,
    role: RoleName,
) -> Response:
    """Change what somebody may do."""
    try:
        changed = desk.store.change_person(who, person.name, role=Role(role))
    except BadArgumentsError as error:
        return _page(request, desk, fault=str(error))
    session.messages.append(_("The role of {name} is changed.").format(name=changed.name))
    return _done()


@router.post("/pin")
def change_pin(
    request: Request,
    desk: DeskOf,
    session: SessionOf,
    person: CommitteeOnly,
    who: PersonId,
    pin: Secret,
    again: Secret,
) -> Response:
    """Give somebody a new PIN."""
    try:
        _see_to_pin(pin, again)
        changed = desk.store.change_person(who, person.name, pin=pin)
    except BadArgumentsError as error:
        return _page(request, desk, fault=str(error))
    session.messages.append(_("{name} has a new PIN.").format(name=changed.name))
    return _done()


@router.post("/active")
def change_active(
    request: Request,
    desk: DeskOf,
    session: SessionOf,
    person: CommitteeOnly,
    who: PersonId,
    active: Annotated[bool, Form()],
) -> Response:
    """Let somebody take part no more, or again."""
    try:
        changed = desk.store.change_person(who, person.name, is_active=active)
    except BadArgumentsError as error:
        return _page(request, desk, fault=str(error))
    text = _("{name} takes part again.") if active else _("{name} takes part no more.")
    session.messages.append(text.format(name=changed.name))
    return _done()


@router.post("/readers")
def choose_readers(
    desk: DeskOf, session: SessionOf, person: CommitteeOnly, policy: Policy
) -> Response:
    """Choose which answers a second person gives as well."""
    desk.store.set_second_reader(SecondReader(policy), person.name)
    session.messages.append(name_of_policy(SecondReader(policy)))
    return _done()


def _page(
    request: Request, desk: Desk, *, fault: str = "", name: str = "", role: str = Role.READER
) -> HTMLResponse:
    return show(
        request,
        "people.html",
        status=422 if fault else 200,
        people=desk.store.people(),
        roles=list(Role),
        policies=[(policy, name_of_policy(policy)) for policy in SecondReader],
        policy=desk.store.second_reader(),
        fault=fault,
        name=name,
        role=role,
        shortest_pin=SHORTEST_PIN,
        longest_name=LONGEST_NAME,
    )


def _see_to_pin(pin: str, again: str) -> None:
    if pin != again:
        raise BadArgumentsError(_("The two PINs differ."))


def _done() -> Response:
    return RedirectResponse("/people", HTTP_SEE_OTHER)
